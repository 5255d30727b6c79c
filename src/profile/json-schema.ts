/**
 * The profile as JSON Schema (draft 2020-12), for editors and for whoever checks profiles without this program. The
 * shape comes from schema.ts, the block `vllm:` from the catalogue of one version, defaults from resolve.ts, and the
 * words from whoever asks. It accepts every layer that the checks accept; what they refuse by more than its shape, it
 * cannot refuse.
 */
import * as z from 'zod/mini';
import type { FlagCatalogue } from '../vllm/flags.ts';
import { isMap } from './map.ts';
import { defaults } from './resolve.ts';
import { profileShape } from './schema.ts';
import { examples } from './schema-examples.ts';
import { type DescribeFlag, toFlagsSchema } from './schema-flags.ts';
import { toPlainSchema } from './schema-plain.ts';
import type { Schema } from './schema-values.ts';

export interface JsonSchemaOptions {
  /** Of the version whose settings the block `vllm:` has. */
  readonly catalogue: FlagCatalogue;
  readonly title: string;
  /** What a setting of ours is for; undefined where nobody says. */
  readonly describe: (path: string) => string | undefined;
  readonly describeFlag: DescribeFlag;
  /** Profiles worth extending. */
  readonly parents: readonly string[];
}

export function toProfileSchema({ catalogue, title, describe, describeFlag, parents }: JsonSchemaOptions): Schema {
  const enrich = (path: string, schema: Schema): Schema => {
    const description = describe(path);
    const value = readDefault(path);
    const shown =
      path === 'extends' ? [...parents] : path === 'quantization' ? ['auto', ...toKnown('quantization', catalogue)] : examples[path];
    return {
      ...(description === undefined ? {} : { description }),
      ...(value === undefined ? {} : { default: value }),
      ...toOwn(path, schema, () => toFlagsSchema(catalogue, describeFlag)),
      ...(shown === undefined || path.endsWith('*') || 'properties' in schema ? {} : { examples: shown }),
    };
  };
  const { $schema, ...shape } = z.toJSONSchema(profileShape, { io: 'input', unrepresentable: 'any' });
  const { description, ...plain } = toPlainSchema(shape as Schema, '', enrich);
  return { $schema, title, description, ...plain };
}

/** Paths of all settings that have a place of their own, blocks before what is in them. */
export function listSettings(schema: Schema, path = ''): readonly string[] {
  const { properties, additionalProperties, items } = schema;
  const below = {
    ...(isMap(properties) ? properties : {}),
    ...(isMap(additionalProperties) ? { '*': additionalProperties } : {}),
    ...(isMap(items) && isMap(items.properties) ? { '*': items } : {}),
  };
  const named = Object.entries(below).filter(([key]) => !key.endsWith('+'));
  return named.flatMap(([key, child]) => {
    const here = path === '' ? key : `${path}.${key}`;
    return [here, ...(here === 'vllm' ? [] : listSettings(child as Schema, here))];
  });
}

/** What the rules of layers (layer-rules.ts) know beyond zod's shape. */
function toOwn(path: string, schema: Schema, toFlags: () => Schema): Schema {
  if (path === 'vllm') return toFlags();
  if (path === 'notify.*') return { ...schema, oneOf: notifyForms };
  if (path !== 'engine.env') return schema;
  const reference = { type: ['string', 'null'], pattern: String.raw`^(env:[A-Za-z_]\w*|file:.+)$` };
  return {
    ...schema,
    propertyNames: { pattern: String.raw`^(?!(VLLM_API_KEY|PYTHONDONTWRITEBYTECODE)$|VLLM_PORT)[A-Za-z_]\w*$` },
    patternProperties: { [`(^|_)(${secrets.map(toCaseless).join('|')})$`]: reference },
  };
}

/** Exactly one of the two, and headers for one of them only. */
const notifyForms = [
  { required: ['command'], properties: { command: { type: 'array' }, headers: { type: 'null' } } },
  { required: ['webhook'], properties: { webhook: { type: 'string' } } },
];

const secrets = ['TOKEN', 'KEY', 'SECRET', 'PASSWORD', 'PASSWD'];

function toCaseless(word: string): string {
  return word.replace(/[A-Z]/g, (letter) => `[${letter}${letter.toLowerCase()}]`);
}

function toKnown(name: string, { flags }: FlagCatalogue): readonly (string | number)[] {
  const flag = Object.hasOwn(flags, name) ? flags[name] : undefined;
  return flag?.known ?? flag?.choices ?? [];
}

function readDefault(path: string): unknown {
  const found = path
    .split('.')
    .reduce<unknown>((here, step) => (isMap(here) && Object.hasOwn(here, step) ? here[step] : undefined), defaults);
  return isMap(found) ? undefined : found;
}
