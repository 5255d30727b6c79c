/** The block `vllm:` of one version as JSON Schema: its flags by name, and the fields of JSON settings by dotted names. */
import { checkSettings, type Field, type Fields, type Flag, type FlagCatalogue } from '../vllm/flags.ts';
import { checkRules } from './layer-rules.ts';
import { type Comparison, type Schema, toDottedSchema, toValueSchema, withAppends } from './schema-values.ts';

/** What a flag does and what it is unless it is given, in words. */
export type DescribeFlag = (name: string, flag: Flag) => string;

export function toFlagsSchema(catalogue: FlagCatalogue, describe: DescribeFlag): Schema {
  // Those that are set elsewhere in a profile are no keys here.
  const flags = Object.entries(catalogue.flags).filter(([name]) => isAllowed(name, true));
  const properties = flags.map(([name, flag]) => [name, toFlagSchema(name, flag, { catalogue, describe })] as const);
  return {
    type: ['object', 'null'],
    properties: withAppends(Object.fromEntries(properties)),
    patternProperties: toDotted(flags),
    additionalProperties: false,
  };
}

interface FlagOptions {
  readonly catalogue: FlagCatalogue;
  readonly describe: DescribeFlag;
}

function toFlagSchema(name: string, flag: Flag, { catalogue, describe }: FlagOptions): Schema {
  // A token is no text to be written down.
  const value = isAllowed(name, 'text')
    ? toValueSchema(flag, toComparison(name, flag, catalogue))
    : { type: ['boolean', 'number', 'null'], not: { const: false } };
  return {
    description: describe(name, flag),
    ...(flag.default == null ? {} : { default: flag.default }),
    ...(flag.deprecated ? { deprecated: true } : {}),
    ...value,
    // Whether Qwen3 thinks is said at the top.
    ...(name === 'default-chat-template-kwargs' ? { not: { type: 'object', required: ['enable_thinking'] } } : {}),
  };
}

function isAllowed(name: string, value: unknown): boolean {
  return checkRules({ vllm: { [name]: value } }).length === 0;
}

/** The checks are asked: what they know about spellings stands in one place. */
function toComparison(name: string, flag: Flag, catalogue: FlagCatalogue): Comparison {
  const isError = (value: string) =>
    checkSettings({ [name]: value }, catalogue, { variant: 'gpu' }).some(({ severity }) => severity === 'error');
  const plugged = ['tool-call-parser', 'reasoning-parser'].includes(name);
  const word = String(flag.known?.[0] ?? '');
  const closed = flag.known !== undefined && !plugged && isError('no.such-value');
  const anyCase = closed && word.toLowerCase() !== word && !isError(word.toLowerCase());
  return { closed, anyCase, anySpelling: flag.normalise ?? false };
}

/** `compilation-config.mode`: fields that take the same values share a pattern, and `+` adds to a list. */
function toDotted(flags: readonly (readonly [string, Flag])[]): Schema {
  const entries = flags.filter(([, { kind }]) => kind.startsWith('json')).flatMap(([name, flag]) => toDottedEntries(name, flag));
  return Object.fromEntries(entries.map(([path, schema]) => [`^${path}$`, schema]));
}

type Entry = readonly [path: string, schema: Schema];

function toDottedEntries(name: string, { fields, open = false, type = 'any' }: Flag): readonly Entry[] {
  if (fields !== undefined) return toFieldEntries(String.raw`${name}\.`, fields, open);
  // What is no map has nothing inside.
  return /^(list<.*>|string|integer|number|boolean)(\|null)?$/.test(type) ? [] : [[String.raw`${name}\..+`, {}]];
}

function toFieldEntries(prefix: string, fields: Fields, open: boolean): readonly Entry[] {
  if (open) return [[`${prefix}.+`, {}]];
  const groups = new Map<string, { readonly names: string[]; readonly schema: Schema }>();
  const below: Entry[] = [];
  for (const [name, known] of Object.entries(fields)) {
    const field: Field = typeof known === 'string' ? { type: known } : known;
    const schema = toDottedSchema(field);
    const key = JSON.stringify(schema);
    if (!groups.has(key)) groups.set(key, { names: [], schema });
    groups.get(key)?.names.push(name);
    if (field.fields !== undefined) below.push(...toFieldEntries(`${prefix}${name}${String.raw`\.`}`, field.fields, field.open ?? false));
    else if (/\bmap\b|^any$/.test(field.type) || Object.keys(schema).length === 0) below.push([`${prefix}${name}${String.raw`\.`}.+`, {}]);
  }
  const own = [...groups.values()].map(({ names, schema }): Entry => [`${prefix}(${names.join('|')})`, schema]);
  const added = Object.keys(fields).join('|');
  return [...own, [`${prefix}(${added})${String.raw`\+`}`, {}], ...below];
}
