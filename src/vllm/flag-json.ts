/**
 * JSON settings: whole (`compilation-config: {mode: 3}`) or dotted (`compilation-config.mode: 3`). Fields are checked
 * as vLLM's configuration classes read them; what those would take by a stretch ("true" for true) is refused here.
 */
import { type Message, say } from '../core/message.ts';
import { toNearest } from '../core/nearest.ts';
import type { SettingValue } from '../profile/profile.ts';
import { isInBounds, parseHumanInteger, toChoiceText, toRangeText, toShown, toTypeProblem } from './flag-values.ts';
import type { Field, Fields, SettingAt, SettingProblem } from './flags.ts';

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

export function checkJson(value: SettingValue, at: SettingAt): readonly SettingProblem[] {
  const { flag } = at;
  if (typeof value !== 'string') return [...checkWhole(value, at), ...checkCompanion(value, at)];
  if (flag.nullable && (value === '' || value === 'None')) return [];
  if (flag.kind === 'json-or-string' && !/^\s*\{.*\}\s*$/s.test(value)) return [];
  const read = parseJson(flag.checked ? expandSizes(value) : value);
  return read === undefined ? [toTypeProblem(value, at)] : [...checkWhole(read, at), ...checkCompanion(read, at)];
}

/** The part behind the first dot; `+` at its end adds to a list. */
export function checkDotted(value: SettingValue, fieldPath: string, at: SettingAt): readonly SettingProblem[] {
  const { key, name, flag } = at;
  if (!flag.kind.startsWith('json')) {
    const message = say('flag.not-json', { name });
    // Text that happens to be JSON is text to the parser.
    const by = flag.kind === 'string' && flag.choices === undefined ? 'profile' : 'parser';
    return [{ code: 'profile/flag-type', severity: 'error', message, path: [key], at: 'key', by }];
  }
  const adds = fieldPath.endsWith('+');
  const steps = fieldPath.replace(/\+$/, '').split('.');
  const leaf = adds && !Array.isArray(value) ? String(value).split(',') : readDotted(value);
  const whole = steps.reduceRight<Json>((inner, step) => ({ [step]: inner }), leaf);
  return checkWhole(whole, at).map((problem) => ({ ...problem, path: [key] }));
}

/** A word behind a dotted name is read as JSON, then as a size, then as text. */
function readDotted(value: SettingValue): Json {
  if (typeof value !== 'string') return value;
  const read = parseJson(value);
  return read === undefined ? (parseHumanInteger(value) ?? value) : read;
}

function checkWhole(value: Json, at: SettingAt): readonly SettingProblem[] {
  const { flag, key } = at;
  const by = flag.checked ? 'parser' : 'engine';
  if (flag.fields !== undefined) {
    if (!isMap(value)) return [{ ...toTypeProblem(value, at), by }];
    return checkFields(value, { at, by, fields: flag.fields, open: flag.open ?? false, path: [key] });
  }
  return isOfType(value, flag.type ?? 'any') ? [] : [{ ...toTypeProblem(value, at), by }];
}

/** A connector without a role is refused by the parser; no field by itself shows it. */
const companions: Readonly<Record<string, readonly [string, string]>> = {
  'kv-transfer-config': ['kv_connector', 'kv_role'],
  'ec-transfer-config': ['ec_connector', 'ec_role'],
};

function checkCompanion(value: Json, { key, name }: SettingAt): readonly SettingProblem[] {
  const [field, other] = Object.hasOwn(companions, name) ? (companions[name] ?? []) : [];
  if (field === undefined || other === undefined || !isMap(value) || value[field] == null || value[other] != null) return [];
  const message = say('flag.companion', { name, field, other });
  return [{ code: 'profile/flag-field', severity: 'error', message, path: [key, field], at: 'key', by: 'parser' }];
}

interface FieldsAt {
  readonly at: SettingAt;
  readonly by: 'parser' | 'engine';
  readonly fields: Fields;
  readonly open: boolean;
  readonly path: readonly string[];
}

function checkFields(value: Readonly<Record<string, Json>>, here: FieldsAt): readonly SettingProblem[] {
  return Object.entries(value).flatMap(([name, inner]): readonly SettingProblem[] => {
    const known = Object.hasOwn(here.fields, name) ? here.fields[name] : undefined;
    const path = [...here.path, name];
    if (known === undefined) return here.open ? [] : [toUnknownField(name, path, here)];
    const field: Field = typeof known === 'string' ? { type: known } : known;
    if (field.fields !== undefined && isMap(inner)) {
      return checkFields(inner, { ...here, fields: field.fields, open: field.open ?? false, path });
    }
    return checkField(inner, field, { ...here, path });
  });
}

function toUnknownField(name: string, path: readonly string[], { at, by, fields }: FieldsAt): SettingProblem {
  const names = Object.keys(fields);
  const nearest = toNearest(name.replaceAll('-', '_'), names);
  const hint =
    nearest.length > 0
      ? say('profile.hint.nearest', { nearest: nearest.join(', ') })
      : say('profile.hint.known', { known: toChoiceText(names) });
  const message = say('flag.unknown-field', { flag: at.name, field: name, version: at.version });
  return { code: 'profile/flag-field', severity: 'error', message, hint, path, at: 'key', by };
}

function checkField(value: Json, { type, choices, bounds }: Field, { at, by, path }: FieldsAt): readonly SettingProblem[] {
  const name = path.join('.');
  const problem = (code: string, message: Message, who: SettingProblem['by'] = by): readonly SettingProblem[] => [
    { code, severity: 'error', message, path, at: 'value', by: who },
  ];
  if (!isOfType(value, type)) {
    const message = say('flag.type', { name, want: say('flag.want.type', { type }), value: toShown(value) });
    return problem('profile/flag-type', message, isLaxly(value, type) ? 'profile' : by);
  }
  if (choices !== undefined && value !== null && !isChoice(value, choices, type)) {
    const params = { name, version: at.version, value: toShown(value), choices: toChoiceText(choices) };
    return problem('profile/flag-choice', say('flag.choice', params));
  }
  if (bounds !== undefined && typeof value === 'number' && !isInBounds(value, bounds))
    return problem('profile/flag-range', say('flag.range', { name, range: toRangeText(bounds), value }));
  return [];
}

/** Members of an enumeration are written in capitals and read in any case; some go by their numbers too. */
function isChoice(value: Json, choices: readonly (string | number)[], type: string): boolean {
  if (typeof value === 'number' && type.includes('integer')) return typeof choices[0] === 'number' ? choices.includes(value) : true;
  if (typeof value !== 'string' && typeof value !== 'number') return true;
  return choices.includes(value) || (typeof value === 'string' && choices.every(isCapital) && choices.includes(value.toUpperCase()));
}

function isCapital(choice: string | number): boolean {
  return typeof choice === 'string' && choice === choice.toUpperCase();
}

/** Types as the dumps write them: `integer|null`, `list<string>`, `map<string,any>`; a class of vLLM's takes anything. */
function isOfType(value: Json, type: string): boolean {
  return splitType(type, '|').some((one) => isOfOne(value, one));
}

function isOfOne(value: Json, type: string): boolean {
  const [, outer = type, inner] = /^(list|map)<(.*)>$/.exec(type) ?? [];
  switch (outer) {
    case 'string':
    case 'Path':
      return typeof value === 'string';
    case 'integer':
      return Number.isInteger(value);
    case 'number':
      return typeof value === 'number';
    case 'boolean':
      return typeof value === 'boolean';
    case 'null':
      return value === null;
    case 'list':
      return Array.isArray(value) && (inner === undefined || value.every((item: Json) => isOfType(item, inner)));
    case 'map': {
      const of = inner === undefined ? 'any' : (splitType(inner, ',')[1] ?? 'any');
      return isMap(value) && Object.values(value).every((item) => isOfType(item, of));
    }
    default:
      return true;
  }
}

/** Cuts at a sign that is not inside of `<…>`. */
function splitType(type: string, sign: string): readonly string[] {
  const parts: string[] = [''];
  let depth = 0;
  for (const letter of type) {
    if (letter === '<') depth += 1;
    if (letter === '>') depth -= 1;
    if (letter === sign && depth === 0) parts.push('');
    else parts[parts.length - 1] += letter;
  }
  return parts;
}

/** What the configuration classes would turn into the type they want. */
function isLaxly(value: Json, type: string): boolean {
  const types = splitType(type, '|');
  const isNumber = (text: string) => text.trim() !== '' && Number.isFinite(Number(text));
  if (types.includes('boolean')) {
    if (value === 0 || value === 1) return true;
    if (typeof value === 'string') return /^(t|true|f|false|y|yes|n|no|on|off|0|1)$/i.test(value.trim());
  }
  if (types.includes('integer') || types.includes('number')) {
    if (typeof value === 'boolean') return true;
    if (typeof value === 'string') return isNumber(value) && (types.includes('number') || Number.isInteger(Number(value)));
  }
  return false;
}

/** Where the parser reads the fields itself, it reads bare sizes too: `{"bytes": 80m}`. */
function expandSizes(text: string): string {
  return text
    .split(/("(?:[^"\\]|\\.)*")/)
    .map((part, index) =>
      index % 2 === 1 ? part : part.replace(/\b\d+(?:\.\d+)?[kKmMgGtT]\b/g, (size) => String(parseHumanInteger(size) ?? size)),
    )
    .join('');
}

function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    // not JSON, which is an answer
    return undefined;
  }
}

function isMap(value: Json): value is Readonly<Record<string, Json>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
