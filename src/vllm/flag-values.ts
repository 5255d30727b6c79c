/** Values of flags that are not JSON, checked as the parser does: on the word that the command line would carry. */
import { type Message, say } from '../core/message.ts';
import { toNearest } from '../core/nearest.ts';
import type { SettingValue } from '../profile/profile.ts';
import type { Bounds, Flag, FlagKind, SettingAt, SettingProblem } from './flags.ts';

export function checkValue(value: SettingValue, at: SettingAt): readonly SettingProblem[] {
  const { flag } = at;
  if (flag.kind === 'boolean') return checkSwitch(value, at);
  if (value === true && flag.bare) return [];
  const several = flag.kind === 'list' || flag.repeat === true;
  if (Array.isArray(value)) return several ? checkList(value, at) : [toTypeProblem(value, at)];
  return checkOne(value as Exclude<SettingValue, readonly SettingValue[]>, { ...at, item: several ? (flag.item ?? 'string') : flag.kind });
}

function checkSwitch(value: SettingValue, at: SettingAt): readonly SettingProblem[] {
  const { key, name, flag } = at;
  if (value === true || (value === false && flag.negative !== false)) return [];
  if (value === false) {
    const message = say('flag.no-negative', { name, version: at.version });
    const fix = { [`vllm.${key}`]: null };
    return [
      {
        code: 'profile/flag-negative',
        severity: 'error',
        message,
        hint: say('flag.hint.leave-out'),
        path: [key],
        at: 'value',
        fix,
        by: 'parser',
      },
    ];
  }
  return [toTypeProblem(value, at)];
}

function checkList(values: readonly SettingValue[], at: SettingAt): readonly SettingProblem[] {
  const { key, name, flag } = at;
  const problem = (message: Message, index?: number): SettingProblem => ({
    code: 'profile/flag-type',
    severity: 'error',
    message,
    path: index === undefined ? [key] : [key, String(index)],
    at: 'value',
    by: 'parser',
  });
  if (values.length === 0)
    return [{ ...problem(say('flag.empty-list', { name })), by: flag.separator || flag.repeat ? 'profile' : 'parser' }];
  return values.flatMap((value, index): readonly SettingProblem[] => {
    const word = toWord(value);
    const isDashed = /^-(?!\d+$)/.test(word) && values.length > 1 && flag.separator === undefined && !flag.repeat;
    if (isDashed) return [problem(say('flag.dashed', { name, word }), index)];
    if (flag.separator !== undefined && word.includes(flag.separator))
      return [{ ...problem(say('flag.separated', { name, word, separator: flag.separator }), index), by: 'profile' }];
    if (value === null || Array.isArray(value)) return [{ ...toTypeProblem(value, at), path: [key, String(index)] }];
    return checkOne(value as Exclude<SettingValue, readonly SettingValue[]>, { ...at, item: flag.item ?? 'string', index });
  });
}

interface ItemAt extends SettingAt {
  readonly item: FlagKind | NonNullable<Flag['item']>;
  readonly index?: number;
}

function checkOne(value: Exclude<SettingValue, readonly SettingValue[]>, at: ItemAt): readonly SettingProblem[] {
  const { flag, item } = at;
  const place = (problem: SettingProblem) => (at.index === undefined ? problem : { ...problem, path: [at.key, String(at.index)] });
  if (item === 'key-value-or-json') return isAdapter(value) ? [] : [place(toTypeProblem(value, at))];
  if (typeof value === 'object' || typeof value === 'boolean') {
    // As a word, `{}` or `true` would be text to vLLM; nobody who writes them means that.
    const by = item === 'string' && typeof value === 'object' && flag.choices === undefined ? 'profile' : 'parser';
    return [place({ ...toTypeProblem(value, at), by })];
  }
  const word = toWord(value);
  if (flag.nullable && (word === '' || word === 'None')) return [];
  if (flag.none && word.toLowerCase() === 'none') return [];
  const read = readWord(word, item);
  if (read === undefined) return [place(toTypeProblem(value, at))];
  const problem = checkChoice(read, value, at) ?? checkBounds(read, at) ?? checkText(read, value, at);
  return problem === undefined ? [] : [place(problem)];
}

/** What Python makes of the word: a number, text, or nothing. */
function readWord(word: string, item: ItemAt['item']): string | number | undefined {
  switch (item) {
    case 'integer':
      return parseInteger(word);
    case 'number':
      return parseNumber(word);
    case 'human-integer':
      return parseHumanInteger(word);
    case 'human-integer-or-auto':
      return word.trim().toLowerCase() === 'auto' ? -1 : parseHumanInteger(word);
    default:
      return word;
  }
}

function parseInteger(word: string): number | undefined {
  return /^\s*[+-]?\d+(_\d+)*\s*$/.test(word) ? Number(word.replaceAll('_', '')) : undefined;
}

function parseNumber(word: string): number | undefined {
  const text = word
    .trim()
    .replaceAll(/(?<=\d)_(?=\d)/g, '')
    .toLowerCase();
  const special = /^([+-]?)(inf|infinity|nan)$/.exec(text);
  if (special) return special[2] === 'nan' ? Number.NaN : special[1] === '-' ? -Infinity : Infinity;
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/.test(text) ? Number(text) : undefined;
}

const decimal: Readonly<Record<string, number>> = { k: 1e3, m: 1e6, g: 1e9, t: 1e12 };
const binary: Readonly<Record<string, number>> = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

/** `1k` = 1000, `1K` = 1024, `1.5k` = 1500; binary ones take no fractions. */
export function parseHumanInteger(word: string): number | undefined {
  const [, digits = '', suffix = ''] = /^(\d+(?:\.\d+)?)([kKmMgGtT])$/.exec(word.trim()) ?? [];
  if (suffix === '') return parseInteger(word);
  const scale = decimal[suffix];
  if (scale !== undefined) return Math.trunc(Number(digits) * scale);
  return digits.includes('.') ? undefined : Number(digits) * (binary[suffix] ?? 1);
}

/** Names of these are members of an enumeration: case does not matter, and no plug-in adds any. */
const enumerated = ['attention-backend', 'mm-encoder-attn-backend', 'mamba-backend'];
/** vLLM ends with an error at any other value. */
const closed = ['tool-call-parser', 'reasoning-parser', 'optimization-level', ...enumerated];

function checkChoice(read: string | number, value: SettingValue, at: ItemAt): SettingProblem | undefined {
  const { key, name, flag, version } = at;
  const word = flag.normalise && typeof read === 'string' ? read.toLowerCase().replaceAll('-', '_') : read;
  const list = flag.choices ?? flag.known;
  if (list === undefined || list.some((choice) => choice === word || (flag.choices === undefined && String(choice) === String(word))))
    return undefined;
  const message = say('flag.choice', { name, version, value: toShown(value), choices: toChoiceText(list) });
  const nearest = toNearest(String(word), list.map(String));
  const hint = nearest.length === 0 ? {} : { hint: say('profile.hint.nearest', { nearest: nearest.join(', ') }) };
  const problem = { code: 'profile/flag-choice', message, ...hint, path: [key], at: 'value' } as const;
  if (flag.choices !== undefined) return { ...problem, severity: 'error', by: 'parser' };
  const upper = String(word).toUpperCase();
  if (word === '' || (enumerated.includes(name) && (upper === 'AUTO' || list.includes(upper) || list.includes(upper.toLowerCase()))))
    return undefined;
  if (closed.includes(name)) return { ...problem, severity: 'error', by: 'engine' };
  // A dotted name is a class of somebody's own.
  if (String(word).includes('.')) return undefined;
  return { ...problem, severity: 'warning', ...(nearest.length === 0 ? { hint: say('flag.hint.plugin') } : {}), by: 'engine' };
}

function checkBounds(read: string | number, { key, name, flag, item }: ItemAt): SettingProblem | undefined {
  if (typeof read !== 'number') return undefined;
  // The declared bound of max-model-len is -1, and yet 0 is refused.
  const isWithin = isInBounds(read, flag.bounds) && !(item === 'human-integer-or-auto' && read === 0);
  if (isWithin) return undefined;
  const message = say('flag.range', { name, range: toRangeText(flag.bounds ?? {}), value: read });
  return { code: 'profile/flag-range', severity: 'error', message, path: [key], at: 'value', by: 'engine' };
}

/** vLLM reads the digits out of the text; readers and schemas see text where a number belongs. */
function checkText(read: string | number, value: SettingValue, { key, name, index }: ItemAt): SettingProblem | undefined {
  if (typeof value !== 'string' || typeof read !== 'number' || String(read) !== value.trim()) return undefined;
  const fix = index === undefined ? { fix: { [`vllm.${key}`]: read } } : {};
  const problem = { code: 'profile/flag-text', severity: 'warning', path: [key], at: 'value', by: 'profile' } as const;
  return {
    ...problem,
    message: say('flag.text', { name, value: toShown(value) }),
    hint: say('flag.hint.write', { name: `${name}: ${read}` }),
    ...fix,
  };
}

export function isInBounds(value: number, { ge, gt, le, lt, multiple_of }: Bounds = {}): boolean {
  if (Number.isNaN(value)) return ge === undefined && gt === undefined && le === undefined && lt === undefined;
  return (
    (ge === undefined || value >= ge) &&
    (gt === undefined || value > gt) &&
    (le === undefined || value <= le) &&
    (lt === undefined || value < lt) &&
    (multiple_of === undefined || value % multiple_of === 0)
  );
}

/** `≥ 1`, `> 0 and ≤ 1`: signs are the same in every language. */
export function toRangeText({ ge, gt, le, lt, multiple_of }: Bounds): string {
  const parts = [
    ge !== undefined && `≥ ${ge}`,
    gt !== undefined && `> ${gt}`,
    le !== undefined && `≤ ${le}`,
    lt !== undefined && `< ${lt}`,
  ];
  return [...parts, multiple_of !== undefined && `n × ${multiple_of}`].filter((part) => part !== false).join(', ');
}

/** An adapter: `name=path`, or a map with name and path. */
function isAdapter(value: SettingValue): boolean {
  if (typeof value === 'string') return value === '' || value === 'None' || /^[^=,]+=[^=,]+$/.test(value) || isAdapter(parseMap(value));
  if (typeof value !== 'object' || Array.isArray(value)) return false;
  const { name, path, ...rest } = value as Readonly<Record<string, SettingValue>>;
  const others = ['base_model_name', 'is_3d_lora_weight', 'load_inplace'];
  return typeof name === 'string' && typeof path === 'string' && Object.keys(rest).every((key) => others.includes(key));
}

function parseMap(text: string): SettingValue {
  if (!text.trim().startsWith('{')) return false;
  try {
    return JSON.parse(text) as SettingValue;
  } catch {
    // no JSON: no adapter either
    return false;
  }
}

export function toTypeProblem(value: unknown, { key, name, flag }: SettingAt): SettingProblem {
  const message = say('flag.type', { name, want: toWant(flag), value: toShown(value) });
  return { code: 'profile/flag-type', severity: 'error', message, path: [key], at: 'value', by: 'parser' };
}

export function toWant({ kind, item, bare }: Flag): Message {
  switch (kind) {
    case 'boolean':
      return say('flag.want.boolean');
    case 'integer':
      return say('flag.want.integer');
    case 'number':
      return say('flag.want.number');
    case 'human-integer':
      return say('flag.want.human');
    case 'human-integer-or-auto':
      return say('flag.want.human-auto');
    case 'json':
    case 'json-or-string':
      return say('flag.want.map');
    case 'list':
      if (item === 'key-value-or-json') return say('flag.want.adapters');
      return item === 'integer' ? say('flag.want.integers') : say('flag.want.texts');
    default:
      return bare ? say('flag.want.true-or-text') : say('flag.want.text');
  }
}

const mostShown = 12;

export function toChoiceText(choices: readonly (string | number)[]): string {
  return choices.length > mostShown ? `${choices.slice(0, mostShown).join(', ')}, …` : choices.join(', ');
}

export function toWord(value: SettingValue | null): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

export function toShown(value: unknown): string {
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? '[…]' : '{…}';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
