/** What two profiles, resolved with all that they inherit, do differently. */
import type { Message, MessageId } from '../core/message.ts';
import { loadProfile } from '../profile/load.ts';
import type { SettingValue } from '../profile/profile.ts';
import { toWrittenSettings } from '../profile/written.ts';
import { messages } from '../text/en/index.ts';
import type { Context } from './context.ts';

export interface DiffAsked {
  readonly a: string;
  readonly b: string;
  /** Of the second one: what would change by them. */
  readonly sets: readonly string[];
}

export interface ProfileDiff {
  readonly kind: 'ProfileDiff';
  readonly version: 1;
  /** Where they were found. */
  readonly a: string;
  readonly b: string;
  readonly differences: readonly Difference[];
}

export interface Difference {
  /** As in `--set`. */
  readonly path: string;
  /** Absent where it is not set. */
  readonly from?: SettingValue;
  readonly to?: SettingValue;
  readonly meaning?: Message;
}

/** Throws what loading a profile throws. */
export async function diffProfiles({ a, b, sets }: DiffAsked, { places, cwd }: Pick<Context, 'places' | 'cwd'>): Promise<ProfileDiff> {
  const [first, second] = await Promise.all([loadProfile(a, { places, cwd, sets: [] }), loadProfile(b, { places, cwd, sets })]);
  const differences = toDifferences(toWrittenSettings(first), toWrittenSettings(second));
  return { kind: 'ProfileDiff', version: 1, a: first.source, b: second.source, differences };
}

type Settings = ReadonlyMap<string, SettingValue>;

function toDifferences(a: Settings, b: Settings): readonly Difference[] {
  const paths = [...new Set([...a.keys(), ...b.keys()])];
  return paths.flatMap((path) => {
    const [from, to] = [a.get(path), b.get(path)];
    if (JSON.stringify(from) === JSON.stringify(to)) return [];
    const meaning = toMeaning(path);
    return [{ path, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }), ...(meaning ? { meaning } : {}) }];
  });
}

/** Our advice about a setting of vLLM, or what a setting of ours is for. */
function toMeaning(path: string): Message | undefined {
  const [block, flag = ''] = path.split('.');
  const own = path.replace(/^(labels|engine\.env)\..*$/, '$1').replace(/^lora\.[^.]+/, 'lora.*');
  const id = block === 'vllm' ? `advice.${flag}` : `setting.${own}`;
  const isKnown = (one: string): one is MessageId => Object.hasOwn(messages, one);
  return isKnown(id) ? { id, params: {} } : undefined;
}
