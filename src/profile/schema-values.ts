/**
 * The values that the checks of flags accept (vllm/flag-values.ts, flag-json.ts), as JSON Schema. Keywords of JSON Schema
 * speak of one type each, so several kinds of values stand side by side in one flat schema, which editors understand
 * better than a choice of schemas. Where the checks know more than a shape can say, the schema accepts more.
 */
import type { Bounds, Field, Fields, Flag } from '../vllm/flags.ts';

export type Schema = Readonly<Record<string, unknown>>;

/** How a flag compares words with what it knows, as its checks do. */
export interface Comparison {
  /** Nothing else is accepted. */
  readonly closed: boolean;
  /** `flash-attn` is FLASH_ATTN. */
  readonly anySpelling: boolean;
  readonly anyCase: boolean;
}

const spelled = {
  integer: String.raw`\s*[+-]?\d+(_\d+)*\s*`,
  number: String.raw`\s*[+-]?(\d[\d_]*\.?[\d_]*([eE][+-]?\d+)?|\.\d[\d_]*([eE][+-]?\d+)?|[Ii][Nn][Ff]([Ii][Nn][Ii][Tt][Yy])?|[Nn][Aa][Nn])\s*`,
  human: String.raw`\s*(\d+(\.\d+)?[kmgt]|\d+[KMGT]|[+-]?\d+(_\d+)*)\s*`,
  auto: String.raw`\s*[Aa][Uu][Tt][Oo]\s*`,
  unset: '(None)?',
} as const;

/** Of a setting written by its name; null, which takes away what a parent gave, is always allowed. */
export function toValueSchema(flag: Flag, comparison: Comparison): Schema {
  if (flag.kind === 'boolean') return { enum: flag.negative === false ? [true, null] : [true, false, null] };
  if (flag.kind.startsWith('json')) return withNull(toJsonSchema(flag));
  const item = toWordSchema(flag, comparison);
  if (flag.kind !== 'list' && !flag.repeat)
    return withNull(flag.bare ? { ...item, type: [...toTypes(item), 'boolean'], not: { const: false } } : item);
  return withNull(toListSchema(flag, item));
}

/** One word of the command line: text or a number, whichever way it is written. */
function toWordSchema(flag: Flag, comparison: Comparison): Schema {
  if (flag.choices !== undefined || comparison.closed) return toChoiceSchema(flag, comparison);
  const known = flag.known === undefined ? {} : { examples: flag.known };
  const kind = flag.kind === 'list' ? (flag.item ?? 'string') : flag.kind;
  const written = (...words: readonly string[]) => ({ pattern: `^(${[...words, ...(flag.nullable ? [spelled.unset] : [])].join('|')})$` });
  switch (kind) {
    case 'integer':
      return { type: ['integer', 'string'], ...toRange(flag.bounds), ...written(spelled.integer) };
    case 'number':
      return { type: ['number', 'string'], ...toRange(flag.bounds), ...written(spelled.number) };
    case 'human-integer':
      return { type: ['integer', 'string'], ...toRange(flag.bounds), ...written(spelled.human) };
    case 'human-integer-or-auto':
      return {
        type: ['integer', 'string'],
        ...toRange(flag.bounds),
        not: { const: 0 },
        ...written(spelled.auto, spelled.human),
        examples: ['auto'],
      };
    default:
      return { type: ['string', 'number'], ...(flag.separator === undefined ? {} : { pattern: `^[^${flag.separator}]*$` }), ...known };
  }
}

function toChoiceSchema(flag: Flag, { anySpelling, anyCase }: Comparison): Schema {
  const cpu = flag.cpu?.choices ?? [];
  const choices = [...new Set([...(flag.choices ?? flag.known ?? []), ...cpu])];
  const words = choices.map(String);
  // A number is compared as the word that it becomes, and the other way round.
  const numbers = words.filter((word) => /^\d+$/.test(word)).map(Number);
  const unset = flag.nullable || flag.choices === undefined ? ['', 'None'] : [];
  const listed = { enum: [...new Set([...choices, ...words, ...numbers, ...unset])] };
  if (!anySpelling && !anyCase) return listed;
  const patterns = [...words, ...(anyCase ? ['auto'] : [])].map((word) => toCaseless(word, anySpelling));
  return { anyOf: [listed, { type: 'string', pattern: `^(${patterns.join('|')})$` }] };
}

/** Without a flag for it, a pattern that ignores case spells out both. */
function toCaseless(word: string, anySpelling: boolean): string {
  return [...word]
    .map((letter) => {
      if (/[a-z]/i.test(letter)) return `[${letter.toUpperCase()}${letter.toLowerCase()}]`;
      return anySpelling && letter === '_' ? '[_-]' : letter.replace(/[^\w-]/, String.raw`\$&`);
    })
    .join('');
}

function toListSchema(flag: Flag, item: Schema): Schema {
  if (flag.item === 'key-value-or-json') return { ...adapter, type: ['array', 'string', 'object'], minItems: 1, items: adapter };
  const { enum: choices, ...rest } = item;
  // A list may also be one value alone.
  if (choices !== undefined) return { anyOf: [{ type: 'array', minItems: 1, items: item }, item] };
  const list = { ...rest, type: ['array', ...toTypes(item)], minItems: 1, items: item };
  return flag.separator === undefined && !flag.repeat ? { ...list, ...undashed } : list;
}

/** Behind another word, what begins with a dash would be a flag of its own. */
const undashed: Schema = { not: { type: 'array', minItems: 2, contains: { type: 'string', pattern: String.raw`^-(?!\d+$)` } } };

const adapter: Schema = {
  type: ['string', 'object'],
  pattern: String.raw`^((None)?|[^=,]+=[^=,]+|\s*\{[\s\S]*)$`,
  properties: { name: { type: 'string' }, path: { type: 'string' }, base_model_name: {}, is_3d_lora_weight: {}, load_inplace: {} },
  required: ['name', 'path'],
  additionalProperties: false,
};

function toJsonSchema(flag: Flag): Schema {
  const types = flag.fields === undefined ? splitTypes(flag.type ?? 'any') : ['map'];
  const whole: Schema =
    flag.fields === undefined ? toTypeSchema(flag.type ?? 'any') : { type: 'object', ...toFieldsSchema(flag.fields, flag.open ?? false) };
  const unset: string[] = flag.nullable ? [spelled.unset] : [];
  // Any text will do, unless it sets out to be a map.
  if (flag.kind === 'json-or-string') unset.push(String.raw`(?!\s*\{[\s\S]*\}\s*$)[\s\S]*`);
  const words = [...(flag.kind === 'json-or-string' ? ['map'] : types).map((one) => toJsonPattern(one)), ...unset];
  return { ...addTypes(whole, ['string']), pattern: `^(${words.join('|')})$` };
}

function toFieldsSchema(fields: Fields, open: boolean): Schema {
  const properties = Object.entries(fields).map(
    ([name, known]) => [name, withNull(toFieldSchema(typeof known === 'string' ? { type: known } : known))] as const,
  );
  return { properties: withAppends(Object.fromEntries(properties)), ...(open ? {} : { additionalProperties: false }) };
}

/** `NAME+` adds to the list that `NAME` is. */
export function withAppends(properties: Readonly<Record<string, Schema>>): Readonly<Record<string, Schema>> {
  const added = Object.entries(properties).flatMap(([name, schema]) => {
    const list = toList(schema);
    return list === undefined ? [] : [[`${name}+`, list] as const];
  });
  return { ...properties, ...Object.fromEntries(added) };
}

function toList({ anyOf, enum: _, pattern: __, default: ___, examples: ____, ...schema }: Schema): Schema | undefined {
  if (Array.isArray(anyOf)) return anyOf.map((one: Schema) => toList(one)).find((one) => one !== undefined);
  return toTypes(schema).includes('array') ? { ...schema, type: 'array' } : undefined;
}

function toFieldSchema({ type, choices, bounds, fields, open = false }: Field): Schema {
  const plain = toTypeSchema(type, bounds);
  const whole = fields === undefined ? plain : { ...plain, ...toFieldsSchema(fields, open) };
  if (choices === undefined || toTypes(whole).length === 0) return whole;
  const isCapital = choices.every((choice) => String(choice) === String(choice).toUpperCase() && typeof choice === 'string');
  // A number stands for a member of an enumeration.
  const numbers = toTypes(whole).includes('integer') && typeof choices[0] !== 'number' ? [{ type: 'integer' }] : [];
  const caseless = isCapital
    ? [{ type: 'string', pattern: `^(${choices.map((choice) => toCaseless(String(choice), false)).join('|')})$` }]
    : [];
  const others = toTypes(whole).filter((one) => !['string', 'integer', 'null'].includes(one));
  const rest = others.length === 0 ? [] : [{ ...whole, type: others }];
  const alternatives = [{ enum: choices }, ...numbers, ...caseless, ...rest];
  return alternatives.length === 1 ? { enum: choices } : { anyOf: alternatives };
}

/** Behind a dotted name, text is read as JSON or a size, so it may stand for everything. */
export function toDottedSchema({ type, choices, bounds, fields }: Field): Schema {
  const plain = toTypeSchema(type, bounds);
  const number = choices !== undefined && typeof choices[0] === 'string' ? ['integer'] : [];
  if (toTypes(plain).length === 0 || fields !== undefined) return {};
  return withNull({ ...addTypes(plain, ['string', ...number]), ...(choices === undefined ? {} : { examples: choices }) });
}

/** Types as the catalogues write them: `integer|null`, `list<string>`; a class of vLLM's takes anything. */
function toTypeSchema(type: string, bounds?: Bounds): Schema {
  const parts = splitTypes(type).map((one) => toOneSchema(one, bounds));
  if (parts.some((part) => toTypes(part).length === 0)) return {};
  return { ...Object.assign({}, ...parts), type: [...new Set(parts.flatMap(toTypes))] };
}

function toOneSchema(type: string, bounds: Bounds | undefined): Schema {
  const [, outer = type, inner] = /^(list|map)<(.*)>$/.exec(type) ?? [];
  switch (outer) {
    case 'string':
    case 'Path':
      return { type: 'string' };
    case 'integer':
    case 'number':
      return { type: outer, ...toRange(bounds) };
    case 'boolean':
    case 'null':
      return { type: outer };
    case 'list':
      return { type: 'array', ...(inner === undefined ? {} : { items: toTypeSchema(inner) }) };
    case 'map':
      return {
        type: 'object',
        ...(inner === undefined ? {} : { additionalProperties: withNull(toTypeSchema(inner.slice(inner.indexOf(',') + 1))) }),
      };
    default:
      return {};
  }
}

/** `|` between types, not inside of `<…>`, which nest twice at most. */
function splitTypes(type: string): readonly string[] {
  return type.match(/(?:<(?:[^<>]|<[^<>]*>)*>|[^|<])+/g) ?? [];
}

function toJsonPattern(type: string): string {
  const outer = type.replace(/<.*/, '');
  return jsonPatterns[outer] ?? Object.values(jsonPatterns).join('|');
}

const jsonPatterns: Readonly<Record<string, string>> = {
  map: String.raw`\s*\{\s*("[\s\S]*[^,\s]\s*)?\}\s*`,
  list: String.raw`\s*\[(\s*|[\s\S]*[^,\s]\s*)\]\s*`,
  string: String.raw`\s*"[\s\S]*"\s*`,
  integer: String.raw`\s*-?\d+\s*`,
  number: String.raw`\s*-?\d[\d.eE+-]*\s*`,
  boolean: String.raw`\s*(true|false)\s*`,
  null: String.raw`\s*null\s*`,
};

function toRange({ ge, gt, le, lt, multiple_of }: Bounds = {}): Schema {
  const limits = { minimum: ge, exclusiveMinimum: gt, maximum: le, exclusiveMaximum: lt, multipleOf: multiple_of };
  return Object.fromEntries(Object.entries(limits).filter(([, limit]) => limit !== undefined));
}

function withNull(schema: Schema): Schema {
  if (Array.isArray(schema.enum)) return { ...schema, enum: [...schema.enum, null] };
  if (Array.isArray(schema.anyOf)) return { ...schema, anyOf: [...schema.anyOf, { type: 'null' }] };
  return addTypes(schema, ['null']);
}

/** A schema without a type takes anything already. */
function addTypes(schema: Schema, types: readonly string[]): Schema {
  const own = toTypes(schema);
  return own.length === 0 ? schema : { ...schema, type: [...new Set([...own, ...types])] };
}

function toTypes({ type }: Schema): readonly string[] {
  return type === undefined ? [] : [type].flat().map(String);
}
