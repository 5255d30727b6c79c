/** What a code, or a setting of vLLM, means. Reads nothing but what comes with the package, or was read from an engine. */
import { DeployError } from '../core/error.ts';
import { exitStatusOf } from '../core/exit.ts';
import { type Message, type MessageId, say } from '../core/message.ts';
import { toNearest } from '../core/nearest.ts';
import { xidMeanings } from '../gpu/xid-meanings.ts';
import { readCatalogue, readHistory } from '../profile/flags.ts';
import { defaultEngineVersion } from '../profile/resolve.ts';
import { createFlagShelf } from '../profile/shelf.ts';
import { errors } from '../text/en/errors.ts';
import { messages } from '../text/en/index.ts';
import { toText } from '../text/render.ts';
import { causes } from '../vllm/failures/causes.ts';
import { toFlagName, toNearestFlags } from '../vllm/flag-names.ts';
import type { Bounds, Field, Flag, FlagCatalogue, FlagHistory } from '../vllm/flags.ts';
import type { Context } from './context.ts';

export interface CodeExplanation {
  readonly code: string;
  /** With `{names}` of what is filled in. */
  readonly message: string;
  readonly hint?: string;
  /** Of a command that ends with it; a finding ends none by itself. */
  readonly exitStatus?: number;
  /** Of a cause for which engines fail. */
  readonly phase?: string;
  readonly permanent?: boolean;
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
  /** No version had it, though people write it. */
  readonly never?: boolean;
  readonly advice?: Message;
}

/** As the catalogue has it; names without dashes, except where they are words of the command line. */
export interface FlagEntry {
  readonly type: Flag['kind'] | Field['type'];
  readonly item?: string;
  readonly jsonType?: string;
  readonly default?: unknown;
  /** Unset, it follows from the model, the machine or other settings. */
  readonly depends?: boolean;
  readonly choices?: readonly (string | number)[];
  /** Where the machine has no GPU, when that differs. */
  readonly cpuChoices?: readonly (string | number)[];
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

/** Every code, sorted: of errors, findings, the doctor's checks, causes for which engines fail, and of how they ended. */
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
  return [...ended, ...found, ...listChecks(), ...listCauses(), ...listReasons()].sort((a, b) => (a.code < b.code ? -1 : 1));
}

/** By their texts: the checks themselves need not be loaded for it. */
function listChecks(): readonly CodeExplanation[] {
  const ids = Object.keys(messages).flatMap((id) => /^check\.(.*)\.meaning$/.exec(id)?.[1] ?? []);
  const toSentence = (id: string) => toText({ id: id as MessageId, params: {} });
  return ids.map((id) => ({ code: id, message: toSentence(`check.${id}.meaning`), hint: toSentence(`check.${id}.mend`) }));
}

/** Of most of them the log decides no further: what `explain --log` says may differ from this. */
function listCauses(): readonly CodeExplanation[] {
  const toSentences = (ids: readonly string[]) => ids.filter(isMessage).map((id) => toText({ id, params: {} }));
  return Object.entries(causes).map(([code, { phase, verdict }]) => {
    const [message = code, ...hints] = toSentences([`cause.${code}`, `cause.${code}.meaning`, `cause.${code}.mend`]);
    return { code, message, ...(hints.length > 0 ? { hint: hints.join(' ') } : {}), phase, permanent: verdict === 'permanent' };
  });
}

/** The words of `lastExit`. */
function listReasons(): readonly CodeExplanation[] {
  const ids = Object.keys(messages).flatMap((id) => /^reason\.(.*)\.mend$/.exec(id)?.[1] ?? []);
  const toSentence = (id: string) => toText({ id: id as MessageId, params: {} });
  const ends = ids.map((id) => ({ code: id, message: toSentence(`reason.${id}`), hint: toSentence(`reason.${id}.mend`) }));
  const faults = xidMeanings.map(({ xid, title, remedy }) => ({
    code: `xid-${xid}`,
    message: toText(say('reason.xid', { xid, title })),
    hint: toSentence(`reason.xid.${remedy}`),
  }));
  return [...ends, ...faults];
}

function isMessage(id: string): id is MessageId {
  return Object.hasOwn(messages, id);
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
export async function explainFlag(
  text: string,
  { version = defaultEngineVersion, places }: Pick<Context, 'places'> & { readonly version?: string },
): Promise<FlagExplanation> {
  const shelf = createFlagShelf(places);
  const chosen = await readCatalogue(version, shelf);
  if (chosen.catalogue === undefined) throw DeployError.of('explain/no-catalogue', { version, oldest: chosen.oldest });
  return toFlagExplanation(text, { catalogue: chosen.catalogue, history: await readHistory(chosen.catalogue, shelf) });
}

/** Throws `explain/unknown-flag`. */
export function toFlagExplanation(
  text: string,
  { catalogue, history }: { readonly catalogue: FlagCatalogue; readonly history: FlagHistory },
): FlagExplanation {
  const [head = '', ...steps] = text.replace(/=.*/, '').split('.');
  const name = toFlagName(head, catalogue);
  const flag = [name, ...steps].join('.');
  const entry = findEntry(name, steps, catalogue);
  const { since, last, use, never } = (Object.hasOwn(history.flags, name) ? history.flags[name] : undefined) ?? {};
  const past = Object.fromEntries(Object.entries({ since, last, use, never }).filter(([, one]) => one !== undefined));
  if (entry === undefined && (Object.keys(past).length === 0 || steps.length > 0))
    throw DeployError.of('explain/unknown-flag', {
      flag: text,
      version: catalogue.version,
      nearest: toNearestText(toNearestFlags(name, catalogue)),
    });
  const advice = toAdvice(name);
  return {
    flag,
    engineVersion: catalogue.version,
    ...(entry ? { entry } : {}),
    ...past,
    oldest: history.versions[0] ?? '',
    ...(advice ? { advice } : {}),
  };
}

/** Of the flag, or of a field inside of its JSON value. */
function findEntry(name: string, steps: readonly string[], catalogue: FlagCatalogue): FlagEntry | undefined {
  const flag = Object.hasOwn(catalogue.flags, name) ? catalogue.flags[name] : undefined;
  if (flag === undefined || steps.length === 0) return flag && toEntry(name, flag, catalogue);
  const found = steps.reduce<Pick<Field, 'fields'> | Field | undefined>((inside, step) => {
    const field = inside?.fields && Object.hasOwn(inside.fields, step) ? inside.fields[step] : undefined;
    return typeof field === 'string' ? { type: field } : field;
  }, flag);
  if (found === undefined || !('type' in found)) return undefined;
  const { type, choices, bounds, fields } = found;
  return { type, ...(choices ? { choices } : {}), ...(bounds ? { bounds } : {}), ...(fields ? { fields: Object.keys(fields) } : {}) };
}

function toEntry(name: string, flag: Flag, { groups }: FlagCatalogue): FlagEntry {
  const { kind, type, known, negative, group, fields, default: value } = flag;
  const { item, depends, choices, bounds, nullable, aliases, deprecated, removal } = flag;
  const cpuChoices = flag.cpu?.choices;
  const entry = { item, jsonType: type, default: value, depends, choices, cpuChoices, knownValues: known, bounds, nullable, aliases };
  const off = kind === 'boolean' && negative !== false ? (negative ?? `--no-${name}`) : undefined;
  const rest = { negative: off, deprecated, removal, group: groups[group], fields: fields && Object.keys(fields) };
  const given = Object.entries({ ...entry, ...rest }).filter(([, one]) => one !== undefined);
  return { type: kind, ...Object.fromEntries(given) };
}

function toAdvice(flag: string): Message | undefined {
  const id = `advice.${flag}`;
  return isMessage(id) ? { id, params: {} } : undefined;
}

function toNearestText(nearest: readonly string[]): Message | string {
  return nearest.length === 0 ? '' : say('commands.did-you-mean', { words: nearest.join(', ') });
}
