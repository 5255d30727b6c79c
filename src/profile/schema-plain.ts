/** What zod says as JSON Schema, made plain: editors understand one flat schema better than a choice of several. */
import { type Schema, withAppends } from './schema-values.ts';

/** Adds what zod cannot know of a setting. */
export type Enrich = (path: string, schema: Schema) => Schema;

/** `path` is that of `--set`, with `*` for names that are free. */
export function toPlainSchema(schema: Schema, path: string, enrich: Enrich): Schema {
  const { anyOf, properties, additionalProperties, items, propertyNames: _, ...rest } = schema;
  const inner = (child: unknown, step: string) => toPlainSchema(child as Schema, path === '' ? step : `${path}.${step}`, enrich);
  const own: Schema = {
    ...withoutLimits(rest),
    ...(isSchema(properties)
      ? toBlock(Object.fromEntries(Object.entries(properties).map(([key, child]) => [key, inner(child, key)])))
      : {}),
    ...(additionalProperties === undefined
      ? {}
      : { additionalProperties: isSchema(additionalProperties) ? inner(additionalProperties, '*') : additionalProperties }),
    ...(isSchema(items) ? { items: inner(items, '*') } : {}),
  };
  if (!Array.isArray(anyOf)) return enrich(path, own);
  // The alternatives speak of the same setting, which is enriched once.
  const parts = anyOf.map((part: Schema) => toPlainSchema(part, path, (at, one) => (at === path ? one : enrich(at, one))));
  return enrich(path, { ...toOne(parts), ...own });
}

/** Extensions are the person's own: room for anchors. Parents are named in one place. */
function toBlock(properties: Readonly<Record<string, Schema>>): Schema {
  const { 'extends+': _, ...all } = withAppends(properties);
  return { properties: all, patternProperties: { '^x-': {} } };
}

function toOne(parts: readonly Schema[]): Schema {
  const flat = parts.flatMap((part) => (Array.isArray(part.anyOf) ? (part.anyOf as readonly Schema[]) : [part]));
  if (flat.every(isListed)) return { enum: [...new Set(flat.flatMap(toListed))] };
  const types = flat.flatMap(({ type }) => [type].flat());
  const isDistinct = new Set(types).size === types.length && !flat.some((part) => 'enum' in part);
  if (isDistinct && !types.includes(undefined)) return { ...Object.assign({}, ...flat), type: types };
  const listed = flat.filter(isListed);
  const others = flat.filter((part) => !isListed(part));
  return { anyOf: [...(listed.length === 0 ? [] : [{ enum: listed.flatMap(toListed) }]), ...others] };
}

function isListed(schema: Schema): boolean {
  return Array.isArray(schema.enum) || schema.type === 'boolean' || schema.type === 'null';
}

function toListed(schema: Schema): readonly unknown[] {
  if (Array.isArray(schema.enum)) return schema.enum;
  return schema.type === 'null' ? [null] : [true, false];
}

/** Whole numbers that JavaScript can hold: true, and of no use to a reader. */
function withoutLimits(schema: Schema): Schema {
  return Object.fromEntries(Object.entries(schema).filter(([, value]) => Math.abs(Number(value)) !== Number.MAX_SAFE_INTEGER));
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null;
}
