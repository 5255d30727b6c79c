/**
 * vLLM's own settings as one version knows them: the catalogue (data/flags/, dumped from the real argument parser),
 * and what is wrong with settings by it. Pure; reading the files is the business of profile/load.ts.
 */
import { type Message, say } from '../core/message.ts';
import type { SettingValue } from '../profile/profile.ts';
import { toCured, withoutClash } from './flag-cures.ts';
import { checkDotted, checkJson } from './flag-json.ts';
import { findFlag } from './flag-names.ts';
import { checkValue } from './flag-values.ts';
import { isNewer, toMinor } from './flag-version.ts';

export type FlagKind =
  | 'boolean'
  | 'string'
  | 'integer'
  | 'number'
  | 'human-integer'
  | 'human-integer-or-auto'
  | 'json'
  | 'json-or-string'
  | 'list';

export type Bounds = Readonly<Partial<Record<'ge' | 'gt' | 'le' | 'lt' | 'multiple_of', number>>>;

/** Absent is the usual. Names stand without dashes in front, except for `aliases`, `negative` and `negatives`. */
export interface Flag {
  readonly kind: FlagKind;
  /** Index into the catalogue's groups. */
  readonly group: number;
  /** Of a list. */
  readonly item?: 'string' | 'integer' | 'number' | 'key-value-or-json';
  /** The list is one word; otherwise several. */
  readonly separator?: string;
  /** The flag is given again for each value. */
  readonly repeat?: boolean;
  /** May stand without a value. */
  readonly bare?: boolean;
  readonly aliases?: readonly string[];
  /** What stores false; absent: `--no-NAME`; false: nothing does. */
  readonly negative?: string | false;
  /** Other spellings that store false. */
  readonly negatives?: readonly string[];
  /** The parser takes nothing else. */
  readonly choices?: readonly (string | number)[];
  /** What vLLM knows; the parser takes others too. */
  readonly known?: readonly (string | number)[];
  /** The word becomes lower case with underscores before it is compared. */
  readonly normalise?: boolean;
  /** The word `none`, in any case, means unset. */
  readonly none?: boolean;
  readonly bounds?: Bounds;
  /** The word `None`, and the empty one, mean unset. */
  readonly nullable?: boolean;
  readonly default?: unknown;
  /** When unset, the value follows from the model, the machine or other settings. */
  readonly depends?: boolean;
  readonly deprecated?: boolean;
  /** Version that is to remove it. */
  readonly removal?: string;
  /** The parser checks the fields itself; otherwise the engine does, later. */
  readonly checked?: boolean;
  /** Of a JSON value without fields. */
  readonly type?: string;
  /** Unknown fields are no error. */
  readonly open?: boolean;
  readonly fields?: Fields;
  /** What differs on the CPU platform. */
  readonly cpu?: { readonly choices?: readonly (string | number)[] };
  readonly only?: string;
}

export type Fields = Readonly<Record<string, string | Field>>;

export interface Field {
  readonly type: string;
  readonly choices?: readonly (string | number)[];
  readonly bounds?: Bounds;
  readonly open?: boolean;
  readonly fields?: Fields;
}

export interface FlagCatalogue {
  readonly version: string;
  readonly groups: readonly string[];
  readonly flags: Readonly<Record<string, Flag>>;
}

/** Of flags that not every version has. */
export interface FlagHistory {
  /** What was read to write it, oldest first. */
  readonly versions: readonly string[];
  readonly flags: Readonly<Record<string, PastFlag>>;
}

export interface PastFlag {
  /** The first version that is known to have it; absent: the oldest that was read. */
  readonly since?: string;
  /** The last version that is known to have it; absent: the newest that was read. */
  readonly last?: string;
  /** The first version after that, of those that were read. */
  readonly gone?: string;
  /** No version ever had it, though people write it. */
  readonly never?: boolean;
  /** Settings of today that do what it did, or come nearest; dotted for a field. */
  readonly use?: readonly string[];
  /** The setting that takes the same value. */
  readonly to?: string;
  /** Values, as text, and the settings that mean the same today. */
  readonly when?: Readonly<Record<string, Readonly<Record<string, SettingValue>>>>;
  /** Nothing is to be done in its place. */
  readonly drop?: boolean;
}

export interface SettingProblem {
  readonly code: string;
  readonly severity: 'error' | 'warning';
  readonly message: Message;
  readonly hint?: Message;
  /** Below `vllm`: the key, then fields. */
  readonly path: readonly string[];
  readonly at: 'key' | 'value';
  /** Keys as in `--set`; null takes a key away. */
  readonly fix?: Readonly<Record<string, unknown>>;
  /** Who would refuse it: the parser at once, the engine later, or nobody but us, because it means something else. */
  readonly by: 'parser' | 'engine' | 'profile';
}

export interface CheckSettingsOptions {
  readonly variant: 'cpu' | 'gpu';
  /** Of the engine; another one than the catalogue's where none was made for it. */
  readonly version?: string;
}

export type Settings = Readonly<Record<string, SettingValue>>;

/** Throws when it is no catalogue: then the package is broken. */
export function toFlagCatalogue(json: unknown): FlagCatalogue {
  if (typeof json === 'object' && json !== null && 'version' in json && 'flags' in json && 'groups' in json) return json as FlagCatalogue;
  throw new Error('not a catalogue of flags');
}

/** Everything that is wrong with the settings, in their order. Without the history, what is gone or to come is unknown. */
export function checkSettings(
  settings: Settings,
  catalogue: FlagCatalogue,
  { history, ...options }: CheckSettingsOptions & { readonly history?: FlagHistory },
): readonly SettingProblem[] {
  const version = options.version ?? catalogue.version;
  const problems = Object.entries(settings).flatMap(([key, value]) => {
    const found = findFlag(key, value, { catalogue, version, ...(history ? { history } : {}) });
    if (found.is === 'problem') return [found.problem];
    const { name, flag, fieldPath } = found;
    const at = { key, name, flag: toPlatform(flag, options.variant), version };
    const wrong = checkPlatform(at, options.variant);
    if (wrong.length > 0) return wrong;
    const own =
      fieldPath !== undefined
        ? checkDotted(value, fieldPath, at)
        : flag.kind.startsWith('json')
          ? checkJson(value, at)
          : checkValue(value, at);
    const cured = fieldPath === undefined ? own.map((problem) => toCured(problem, value, at)) : own;
    return [...cured.map((problem) => toMild(problem, version, catalogue)), ...checkDeprecated(at)];
  });
  return [...problems, ...checkMixed(settings)]
    .filter((problem) => !isOfPlugin(problem, settings))
    .map((problem) => withoutClash(problem, settings))
    .map((problem) => withSoundFix(problem, catalogue, options));
}

/** What a check of one setting knows. */
export interface SettingAt {
  /** As written. */
  readonly key: string;
  readonly name: string;
  readonly flag: Flag;
  readonly version: string;
}

/** What comes in the place of a flag that is gone must be right by itself. */
function withSoundFix(problem: SettingProblem, catalogue: FlagCatalogue, options: CheckSettingsOptions): SettingProblem {
  const { fix, ...rest } = problem;
  if (fix === undefined || problem.code !== 'profile/removed-flag') return problem;
  const now = Object.entries(fix).flatMap(([key, value]) => (value === null ? [] : [[key.replace(/^vllm\./, ''), value as SettingValue]]));
  const isSound = checkSettings(Object.fromEntries(now), catalogue, options).every(({ severity }) => severity !== 'error');
  return isSound ? problem : rest;
}

/** A catalogue older than the engine cannot know which values and fields came later. */
function toMild(problem: SettingProblem, version: string, catalogue: FlagCatalogue): SettingProblem {
  const isOlder = isNewer(toMinor(version), toMinor(catalogue.version));
  const mayHaveCome = problem.code === 'profile/flag-choice' || problem.code === 'profile/flag-field';
  return isOlder && mayHaveCome ? { ...problem, severity: 'warning' } : problem;
}

function toPlatform(flag: Flag, variant: 'cpu' | 'gpu'): Flag {
  return variant === 'cpu' && flag.cpu ? { ...flag, ...flag.cpu } : flag;
}

function checkPlatform({ key, name, flag }: SettingAt, variant: 'cpu' | 'gpu'): readonly SettingProblem[] {
  if (flag.only === undefined || (flag.only === 'cpu') === (variant === 'cpu')) return [];
  const message = say('flag.platform', { name, only: flag.only });
  return [{ code: 'profile/flag-platform', severity: 'error', message, path: [key], at: 'key', by: 'parser' }];
}

function checkDeprecated({ key, name, flag, version }: SettingAt): readonly SettingProblem[] {
  if (!flag.deprecated) return [];
  const message =
    flag.removal === undefined
      ? say('flag.deprecated', { name, version })
      : say('flag.deprecated-until', { name, version, removal: flag.removal });
  return [{ code: 'profile/flag-deprecated', severity: 'warning', message, path: [key], at: 'key', by: 'profile' }];
}

/** vLLM makes one JSON value of all dotted words of a flag and lets it replace a whole value: nothing is merged. */
function checkMixed(settings: Settings): readonly SettingProblem[] {
  return Object.keys(settings).flatMap((key): readonly SettingProblem[] => {
    const whole = key.slice(0, key.indexOf('.'));
    if (!key.includes('.') || !Object.hasOwn(settings, whole)) return [];
    const message = say('flag.mixed', { key, whole });
    return [{ code: 'profile/flag-conflict', severity: 'error', message, path: [key], at: 'key', by: 'profile' }];
  });
}

/** A plug-in of the profile may bring what vLLM alone does not know. */
function isOfPlugin({ code, path: [key = ''] }: SettingProblem, settings: Settings): boolean {
  const plugins: Readonly<Record<string, string>> = {
    'tool-call-parser': 'tool-parser-plugin',
    'reasoning-parser': 'reasoning-parser-plugin',
  };
  return code === 'profile/flag-choice' && Object.hasOwn(plugins, key) && Object.hasOwn(settings, plugins[key] ?? '');
}
