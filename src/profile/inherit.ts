/** Layers → one: maps merge, everything else replaces, null removes. Where each value came from is kept. */
import { isMap, type Layer, toModelMap } from './layer.ts';
import type { Origin } from './profile.ts';
import { parseShape } from './schema.ts';

type Tree = Readonly<Record<string, unknown>>;
type Origins = Map<string, Origin>;

/** Later layers win. The result holds no null, and no `extends`, which is about files and not about values. */
export function mergeLayers(layers: readonly Layer[]): Layer {
  const origins: Origins = new Map();
  let merged: Tree = {};
  for (const layer of layers) {
    const { extends: _, ...raw } = layer.raw;
    merged = mergeMaps(merged, raw, { path: '', origins, over: layer.origins });
  }
  const shape = parseShape(merged);
  if ('issues' in shape) throw new Error(`sound layers merged to an unsound profile: ${JSON.stringify(shape.issues)}`);
  return { raw: shape.raw, origins: Object.fromEntries(origins) };
}

interface MergeAt {
  readonly path: string;
  readonly origins: Origins;
  readonly over: Layer['origins'];
}

function mergeMaps(base: Tree, over: Tree, at: MergeAt): Tree {
  const result = new Map(Object.entries(base));
  for (const [key, value] of Object.entries(over)) {
    if (value === undefined) continue;
    const path = at.path === '' ? key : `${at.path}.${key}`;
    if (value === null) {
      result.delete(key);
      forget(at.origins, path);
    } else if (isMap(value)) {
      const below = toMap(result.get(key), path);
      if (below === undefined) forget(at.origins, path);
      adopt(at, path);
      result.set(key, mergeMaps(below ?? {}, value, { ...at, path }));
    } else {
      result.set(key, value);
      forget(at.origins, path);
      adopt(at, path);
    }
  }
  return Object.fromEntries(result);
}

function toMap(value: unknown, path: string): Tree | undefined {
  if (path === 'model' && typeof value === 'string') return toModelMap(value);
  return isMap(value) ? value : undefined;
}

function adopt(at: MergeAt, path: string): void {
  const origin = Object.hasOwn(at.over, path) ? at.over[path] : undefined;
  if (origin) at.origins.set(path, origin);
}

function forget(origins: Origins, path: string): void {
  for (const known of [...origins.keys()]) {
    if (known === path || known.startsWith(`${path}.`)) origins.delete(known);
  }
}
