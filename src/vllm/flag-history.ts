/** Flags that other versions have: gone, still to come, or never there. What is gone is cured where that is certain. */
import { type Message, say } from '../core/message.ts';
import type { SettingValue } from '../profile/profile.ts';
import { isNewer } from './flag-version.ts';
import type { FlagCatalogue, FlagHistory, PastFlag, SettingProblem } from './flags.ts';

interface Written {
  /** As written. */
  readonly key: string;
  /** Without dashes in front and underscores. */
  readonly name: string;
  /** `.field`, or empty. */
  readonly tail: string;
  readonly value: SettingValue;
}

interface Known {
  readonly catalogue: FlagCatalogue;
  readonly version: string;
  readonly history?: FlagHistory;
}

export function checkHistory({ key, name, tail, value }: Written, { history, version, catalogue }: Known): SettingProblem | undefined {
  const past = history && Object.hasOwn(history.flags, name) ? history.flags[name] : undefined;
  if (past === undefined) return undefined;
  const place = { path: [key], at: 'key', severity: 'error', by: 'parser' } as const;
  const { since, last, never } = past;
  if (never || (last !== undefined && isNewer(version, last))) {
    const code = never ? 'profile/unknown-flag' : 'profile/removed-flag';
    const message =
      last === undefined ? say('flag.never', { name: name + tail }) : say('flag.removed', { name: name + tail, version, last });
    return { code, message, ...toCure({ key, tail, value }, past, catalogue), ...place };
  }
  if (since === undefined || !isNewer(since, version)) return undefined;
  const message = say('flag.too-new', { name: name + tail, version, since });
  return { code: 'profile/flag-too-new', message, hint: say('flag.hint.newer', { since }), ...place };
}

/**
 * Completes the history by what the catalogue of a version that it was not written with shows: flags of the nearest
 * older one that are not there any more.
 */
export function toCompleteHistory(history: FlagHistory, catalogue: FlagCatalogue, older: FlagCatalogue): FlagHistory {
  const gone = Object.keys(older.flags).filter((name) => !Object.hasOwn(catalogue.flags, name));
  const added = Object.keys(catalogue.flags).filter((name) => !Object.hasOwn(older.flags, name) && !Object.hasOwn(history.flags, name));
  const last = gone.map((name): readonly [string, PastFlag] => [name, { ...history.flags[name], last: older.version }]);
  const since = added.map((name): readonly [string, PastFlag] => [name, { since: catalogue.version }]);
  return { ...history, flags: { ...history.flags, ...Object.fromEntries([...last, ...since]) } };
}

type Cure = Pick<SettingProblem, 'hint' | 'fix'>;

function toCure({ key, tail, value }: Omit<Written, 'name'>, past: PastFlag, catalogue: FlagCatalogue): Cure {
  const gone = { [`vllm.${key}`]: null };
  const { to, when, drop } = past;
  const use = (past.use ?? []).filter((name) => isThere(name, catalogue));
  if (to !== undefined && isThere(to, catalogue)) {
    return { hint: say('flag.hint.use', { names: to + tail }), fix: { ...gone, [`vllm.${to}${tail}`]: value } };
  }
  const now = when !== undefined && Object.hasOwn(when, String(value)) ? when[String(value)] : undefined;
  if (now !== undefined && Object.keys(now).every((name) => isThere(name, catalogue))) {
    const fix = Object.fromEntries(Object.entries(now).map(([name, one]) => [`vllm.${name}`, one]));
    return { hint: toHint(now), fix: { ...gone, ...fix } };
  }
  if (use.length === 0) return { hint: say('flag.hint.leave-out'), fix: gone };
  const names = use.join(', ');
  return drop ? { hint: say('flag.hint.leave-out-or', { names }), fix: gone } : { hint: say('flag.hint.use', { names }) };
}

function toHint(now: Readonly<Record<string, SettingValue>>): Message {
  const written = Object.entries(now).map(([name, value]) => `${name}: ${String(value)}`);
  return written.length === 0 ? say('flag.hint.usual-now') : say('flag.hint.write', { name: written.join(', ') });
}

/** A dotted name is there when its field is, as far as the fields are known. */
function isThere(name: string, { flags }: FlagCatalogue): boolean {
  const [head = '', field] = name.split('.');
  const flag = Object.hasOwn(flags, head) ? flags[head] : undefined;
  if (flag === undefined) return false;
  return field === undefined || flag.fields === undefined || flag.open === true || Object.hasOwn(flag.fields, field);
}
