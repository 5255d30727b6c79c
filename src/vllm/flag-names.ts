/** Which flag a key means, or why none. Exact names only: vLLM's own abbreviations change from version to version. */
import { type Message, say } from '../core/message.ts';
import { toNearest } from '../core/nearest.ts';
import type { SettingValue } from '../profile/profile.ts';
import { checkHistory } from './flag-history.ts';
import { toMinor } from './flag-version.ts';
import type { Flag, FlagCatalogue, FlagHistory, SettingProblem } from './flags.ts';

export type FoundFlag =
  | { readonly is: 'flag'; readonly name: string; readonly flag: Flag; readonly fieldPath?: string }
  | { readonly is: 'problem'; readonly problem: SettingProblem };

export interface FindOptions {
  readonly catalogue: FlagCatalogue;
  readonly version: string;
  readonly history?: FlagHistory;
}

export function findFlag(key: string, value: SettingValue, options: FindOptions): FoundFlag {
  const { flags } = options.catalogue;
  const dot = key.indexOf('.');
  const head = dot < 0 ? key : key.slice(0, dot);
  if (Object.hasOwn(flags, head)) {
    const flag = flags[head];
    if (flag) return { is: 'flag', name: head, flag, ...(dot < 0 ? {} : { fieldPath: key.slice(dot + 1) }) };
  }
  const tail = dot < 0 ? '' : key.slice(dot);
  return { is: 'problem', problem: toProblem({ key, head, tail, value }, options) };
}

/** The long name of however somebody wrote it: dashes in front, underscores, short, another name, the one for off. */
export function toFlagName(text: string, { flags }: FlagCatalogue): string {
  const plain = toPlain(text);
  if (Object.hasOwn(flags, plain)) return plain;
  const words = [text, `--${plain}`, `-${plain}`];
  const isMeant = ([name, flag]: readonly [string, Flag]) =>
    [...(flag.aliases ?? []), ...toNegatives(name, flag)].some((word) => words.includes(word));
  return Object.entries(flags).find(isMeant)?.[0] ?? plain;
}

/** The nearest names, best first. */
export function toNearestFlags(name: string, { flags }: FlagCatalogue, most = 3): readonly string[] {
  const names = Object.keys(flags);
  // `enable-x` for `x`, `x` for `enable-x`: too far for a distance, and the most frequent slip.
  const bare = name.replace(/^(enable|disable|no)-/, '');
  const related = names.filter((one) => one !== name && [bare, `enable-${bare}`, `disable-${bare}`].includes(one));
  return [...new Set([...related, ...toNearest(name, names, most)])].slice(0, most);
}

interface Written {
  readonly key: string;
  readonly head: string;
  /** `.field`, or empty. */
  readonly tail: string;
  readonly value: SettingValue;
}

function toProblem(written: Written, options: FindOptions): SettingProblem {
  return (
    checkSpelling(written, options.catalogue) ??
    checkNegative(written, options.catalogue) ??
    checkHistory({ ...written, name: toPlain(written.head) }, options) ??
    checkAbbreviation(written, options.catalogue) ??
    toUnknown(written, options)
  );
}

/** Underscores, dashes in front, short options, other names of the same flag: all understood by vLLM, one allowed here. */
function checkSpelling({ key, head, tail, value }: Written, { flags }: FlagCatalogue): SettingProblem | undefined {
  const plain = toPlain(head);
  const isAlias = ({ aliases }: Flag) =>
    aliases?.some((alias) => alias === head || alias === `--${plain}` || alias === `-${head}`) ?? false;
  const name = Object.hasOwn(flags, plain) ? plain : Object.keys(flags).find((one) => isAlias(flags[one] as Flag));
  if (name === undefined) return undefined;
  return {
    ...toRenaming({ key, right: `${name}${tail}`, value }),
    code: 'profile/spelling',
    message: say('flag.spelling', { key }),
    hint: say('flag.hint.write', { name: `${name}${tail}` }),
    by: 'profile',
  };
}

/** `no-x: true` is `x: false`; newer versions call some of them `disable-x`. */
function checkNegative({ key, head, value }: Written, { flags }: FlagCatalogue): SettingProblem | undefined {
  const plain = toPlain(head);
  const word = `--${plain}`;
  const name = Object.keys(flags).find((one) => toNegatives(one, flags[one] as Flag).includes(word));
  if (name === undefined) return undefined;
  const right = value === false;
  return {
    ...toRenaming({ key, right: name, value: right }),
    code: 'profile/spelling',
    message: say('flag.negative', { key }),
    hint: say('flag.hint.switch', { name, value: String(right) }),
    by: 'profile',
  };
}

function toNegatives(name: string, { kind, negative, negatives = [] }: Flag): readonly string[] {
  if (kind !== 'boolean' || negative === false) return [];
  return [negative ?? `--no-${name}`, ...negatives];
}

function checkAbbreviation({ key, head, tail, value }: Written, { flags }: FlagCatalogue): SettingProblem | undefined {
  const plain = toPlain(head);
  const full = plain === '' ? [] : Object.keys(flags).filter((name) => name.startsWith(plain));
  const [name] = full;
  if (name === undefined || full.length > 1) return undefined;
  return {
    ...toRenaming({ key, right: `${name}${tail}`, value }),
    code: 'profile/flag-abbreviation',
    message: say('flag.abbreviation', { key, name }),
    hint: say('flag.hint.write', { name: `${name}${tail}` }),
    by: 'profile',
  };
}

/** A catalogue older than the engine cannot know what came later. */
function toUnknown({ key, head }: Written, { catalogue, version }: FindOptions): SettingProblem {
  const plain = toPlain(head);
  const nearest = toNearestFlags(plain, catalogue);
  const hint: Message | undefined = nearest.length === 0 ? undefined : say('profile.hint.nearest', { nearest: nearest.join(', ') });
  return {
    code: 'profile/unknown-flag',
    severity: toMinor(version) === toMinor(catalogue.version) ? 'error' : 'warning',
    message: say('flag.unknown', { key, version: catalogue.version }),
    ...(hint ? { hint } : {}),
    path: [key],
    at: 'key',
    by: 'parser',
  };
}

function toRenaming({ key, right, value }: { readonly key: string; readonly right: string; readonly value: SettingValue }) {
  return { severity: 'error', path: [key], at: 'key', fix: { [`vllm.${key}`]: null, [`vllm.${right}`]: value } } as const;
}

function toPlain(text: string): string {
  return text.replace(/^-+/, '').replaceAll('_', '-');
}
