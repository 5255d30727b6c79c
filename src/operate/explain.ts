/** What a code, or a setting of vLLM, means. Reads nothing but what comes with the package. */
import { DeployError } from '../core/error.ts';
import { exitStatusOf } from '../core/exit.ts';
import { type Message, type MessageId, say } from '../core/message.ts';
import { toNearest } from '../core/nearest.ts';
import { readCatalogue } from '../profile/flags.ts';
import { flagShelf } from '../profile/load.ts';
import { defaultEngineVersion } from '../profile/resolve.ts';
import { errors } from '../text/en/errors.ts';
import { messages } from '../text/en/index.ts';
import { toText } from '../text/render.ts';
import { toFlagName, toNearestFlags } from '../vllm/flag-names.ts';
import type { Bounds, Flag, FlagCatalogue, FlagHistory } from '../vllm/flags.ts';

export interface CodeExplanation {
  readonly code: string;
  /** With `{names}` of what is filled in. */
  readonly message: string;
  readonly hint?: string;
  /** Of a command that ends with it; a finding ends none by itself. */
  readonly exitStatus?: number;
}

export interface FlagExplanation {
  readonly flag: string;
  /** Whose catalogue it is. */
  readonly engineVersion: string;
  readonly entry?: FlagEntry;
  /** The first version that is known to have it; absent: all that are known. */
  readonly since?: string;
  readonly oldest: string;
  /** The last version that had it. */
  readonly last?: string;
  readonly use?: readonly string[];
  readonly advice?: Message;
}

/** As the catalogue has it; names without dashes, except where they are words of the command line. */
export interface FlagEntry {
  readonly type: Flag['kind'];
  readonly item?: string;
  readonly jsonType?: string;
  readonly default?: unknown;
  /** Unset, it follows from the model, the machine or other settings. */
  readonly depends?: boolean;
  readonly choices?: readonly (string | number)[];
  /** Not enforced by the parser. */
  readonly knownValues?: readonly (string | number)[];
  readonly bounds?: Bounds;
  readonly nullable?: boolean;
  readonly aliases?: readonly string[];
  /** The word that switches it off; absent: nothing does. */
  readonly negative?: string;
  readonly deprecated?: boolean;
  readonly removal?: string;
  readonly group?: string;
  /** Of a JSON value. */
  readonly fields?: readonly string[];
}

/** Every code, sorted: of errors, and of findings. */
export function listCodes(): readonly CodeExplanation[] {
  const ended = Object.entries(errors).map(([code, { message, hint }]) => ({
    code,
    message,
    hint,
    exitStatus: exitStatusOf(code as keyof typeof errors),
  }));
  const ids = Object.keys(messages).filter((id) => id.startsWith('finding.'));
  const found = ids
    .map((id) => id.slice('finding.'.length))
    .map((code) => ({ code, message: toText({ id: `finding.${code}` as MessageId, params: {} }) }));
  return [...ended, ...found].sort((a, b) => (a.code < b.code ? -1 : 1));
}

/** Throws `explain/unknown-code`. */
export function explainCode(code: string): CodeExplanation {
  const codes = listCodes();
  const found = codes.find((one) => one.code === code);
  if (found) return found;
  throw DeployError.of('explain/unknown-code', {
    code,
    nearest: toNearestText(
      toNearest(
        code,
        codes.map((one) => one.code),
      ),
    ),
  });
}

/** Of the version's catalogue, or of the nearest older one. Throws `explain/unknown-flag` for what no version ever had. */
export async function explainFlag(text: string, version = defaultEngineVersion): Promise<FlagExplanation> {
  const chosen = await readCatalogue(version, flagShelf);
  if (chosen.catalogue === undefined) throw DeployError.of('explain/no-catalogue', { version, oldest: chosen.oldest });
  const { catalogue } = chosen;
  const history = (await flagShelf.read('changes')) as FlagHistory;
  const flag = toFlagName(text, catalogue);
  const entry = Object.hasOwn(catalogue.flags, flag) ? catalogue.flags[flag] : undefined;
  const past = Object.hasOwn(history.flags, flag) ? history.flags[flag] : undefined;
  if (entry === undefined && past === undefined)
    throw DeployError.of('explain/unknown-flag', {
      flag: text,
      version: catalogue.version,
      nearest: toNearestText(toNearestFlags(flag, catalogue)),
    });
  const advice = toAdvice(flag);
  return {
    flag,
    engineVersion: catalogue.version,
    ...(entry ? { entry: toEntry(flag, entry, catalogue) } : {}),
    ...past,
    oldest: history.versions[0] ?? '',
    ...(advice ? { advice } : {}),
  };
}

function toEntry(name: string, flag: Flag, { groups }: FlagCatalogue): FlagEntry {
  const { kind, type, known, negative, group, fields, default: value } = flag;
  const { item, depends, choices, bounds, nullable, aliases, deprecated, removal } = flag;
  const entry = { item, jsonType: type, default: value, depends, choices, knownValues: known, bounds, nullable, aliases };
  const off = kind === 'boolean' && negative !== false ? (negative ?? `--no-${name}`) : undefined;
  const rest = { negative: off, deprecated, removal, group: groups[group], fields: fields && Object.keys(fields) };
  const given = Object.entries({ ...entry, ...rest }).filter(([, one]) => one !== undefined);
  return { type: kind, ...Object.fromEntries(given) };
}

function toAdvice(flag: string): Message | undefined {
  const id = `advice.${flag}`;
  const isKnown = (one: string): one is MessageId => Object.hasOwn(messages, one);
  return isKnown(id) ? { id, params: {} } : undefined;
}

function toNearestText(nearest: readonly string[]): Message | string {
  return nearest.length === 0 ? '' : say('commands.did-you-mean', { words: nearest.join(', ') });
}
