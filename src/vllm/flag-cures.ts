/**
 * What somebody certainly meant by a wrong value: `yes` for true, `4GiB` for 4G, `BFloat16` for bfloat16. Nothing is
 * guessed: where two things could be meant, there is no cure.
 */
import type { SettingValue } from '../profile/profile.ts';
import { checkJson } from './flag-json.ts';
import { checkValue, parseHumanInteger } from './flag-values.ts';
import type { Field, Fields, Flag, SettingAt, SettingProblem, Settings } from './flags.ts';

/** The same problem, with its fix where there is a certain one. */
export function toCured(problem: SettingProblem, value: SettingValue, at: SettingAt): SettingProblem {
  if (problem.fix !== undefined || !['profile/flag-type', 'profile/flag-choice', 'profile/flag-field'].includes(problem.code))
    return problem;
  const isJson = at.flag.kind.startsWith('json');
  const meant = isJson ? toMeantJson(value, problem.path.slice(1), at.flag) : toMeantValue(value, at.flag);
  if (meant === undefined) return problem;
  const left = isJson ? checkJson(meant, at) : checkValue(meant, at);
  const stays = left.some(({ code, path, severity }) =>
    isJson ? code === problem.code && isSame(path, problem.path) : severity === 'error',
  );
  return stays ? problem : { ...problem, fix: { [`vllm.${at.key}`]: meant } };
}

/** A cure may not write over what stands there already. */
export function withoutClash(problem: SettingProblem, settings: Settings): SettingProblem {
  const { fix, ...rest } = problem;
  if (fix === undefined) return problem;
  const heads = Object.keys(settings).map(toHead);
  const clashes = Object.entries(fix).some(([key, value]) => {
    const name = key.replace(/^vllm\./, '');
    if (value === null || name === problem.path[0]) return false;
    // Two dotted parts of one setting complete each other; a whole one beside them does not.
    return name.includes('.') ? Object.hasOwn(settings, name) || Object.hasOwn(settings, toHead(name)) : heads.includes(name);
  });
  return clashes ? rest : problem;
}

function toHead(key: string): string {
  return key.split('.')[0] ?? key;
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.join('.') === b.join('.');
}

const switches: Readonly<Record<string, boolean>> = {
  true: true,
  yes: true,
  on: true,
  '1': true,
  false: false,
  no: false,
  off: false,
  '0': false,
};

/** Undefined when nothing is certain. */
function toMeantValue(value: SettingValue, flag: Flag): SettingValue | undefined {
  if (Array.isArray(value)) return value.length === 1 && flag.kind !== 'list' && !flag.repeat ? value[0] : undefined;
  if (typeof value === 'object' && value !== null) return undefined;
  const word = String(value).trim();
  switch (flag.kind) {
    case 'boolean':
      return Object.hasOwn(switches, word.toLowerCase()) ? switches[word.toLowerCase()] : undefined;
    case 'integer':
      return toChoice(word, flag) ?? toWhole(toSize(word));
    case 'human-integer':
    case 'human-integer-or-auto':
      return toHumanWord(word);
    case 'number':
      return toFraction(word, flag) ?? toSize(word);
    default:
      return toChoice(word, flag);
  }
}

/** Case and dashes are what people get wrong of a name. */
function toChoice(word: string, { choices, known }: Flag): string | number | undefined {
  const plain = (choice: string | number) => String(choice).toLowerCase().replaceAll(/[-_ ]/g, '');
  const [found, ...others] = (choices ?? known ?? []).filter((choice) => plain(choice) === plain(word));
  return others.length === 0 ? found : undefined;
}

/** `4GiB` is 4G to vLLM, `4GB` 4g, `1.5K` 1536. */
function toHumanWord(word: string): string | number | undefined {
  const [, digits = '', letter = '', unit = ''] = /^(\d+(?:\.\d+)?)\s*([kmgt])(i?b)?$/i.exec(word) ?? [];
  if (letter === '') return toWhole(toSize(word));
  // Without a unit the letter's own case says which thousand is meant.
  const suffix = unit === '' ? letter : unit.length === 3 || /i/i.test(unit) ? letter.toUpperCase() : letter.toLowerCase();
  const plain = parseHumanInteger(`${digits}${suffix}`);
  if (plain !== undefined) return `${digits}${suffix}`;
  return toWhole(Number(digits) * (parseHumanInteger(`1${suffix}`) ?? Number.NaN));
}

/** `8k` where vLLM takes digits only, and numbers as programs write them. */
function toSize(word: string): number | undefined {
  const number = /^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(word) ? Number(word) : parseHumanInteger(word);
  return number !== undefined && Number.isFinite(number) ? number : undefined;
}

function toWhole(number: number | undefined): number | undefined {
  return number !== undefined && Number.isInteger(number) ? number : undefined;
}

/** A percentage, where one is the most that there can be. */
function toFraction(word: string, { bounds }: Flag): number | undefined {
  const [, percent] = /^(\d+(?:\.\d+)?)\s*%$/.exec(word) ?? [];
  return percent !== undefined && bounds?.le === 1 ? Number(percent) / 100 : undefined;
}

/** The whole value with one field renamed or converted. Text and dotted settings are left to people. */
function toMeantJson(value: SettingValue, path: readonly string[], flag: Flag): SettingValue | undefined {
  if (flag.fields === undefined || path.length === 0 || !isMap(value)) return undefined;
  return toMended(value, path, flag.fields);
}

type Map_ = Readonly<Record<string, SettingValue>>;

function toMended(map: Map_, [step = '', ...rest]: readonly string[], fields: Fields): SettingValue | undefined {
  const inner = map[step];
  if (inner === undefined) return undefined;
  const known = Object.hasOwn(fields, step) ? fields[step] : undefined;
  const field: Field | undefined = typeof known === 'string' ? { type: known } : known;
  if (rest.length > 0) {
    const mended = isMap(inner) && field?.fields !== undefined ? toMended(inner, rest, field.fields) : undefined;
    return mended === undefined ? undefined : { ...map, [step]: mended };
  }
  if (field !== undefined) {
    const meant = toMeantField(inner, field);
    return meant === undefined ? undefined : { ...map, [step]: meant };
  }
  const name = step.replaceAll('-', '_').toLowerCase();
  if (!Object.hasOwn(fields, name) || Object.hasOwn(map, name)) return undefined;
  return Object.fromEntries(Object.entries(map).map(([key, one]) => [key === step ? name : key, one]));
}

function toMeantField(value: SettingValue, { type, choices }: Field): SettingValue | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const word = String(value).trim();
  const types = type.split('|');
  if (choices !== undefined) return toChoice(word, { kind: 'string', group: 0, choices });
  if (types.includes('boolean')) return switches[word.toLowerCase()];
  if (types.includes('integer')) return toWhole(toSize(word));
  return types.includes('number') ? toSize(word) : undefined;
}

function isMap(value: SettingValue): value is Map_ {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
