/** Layers → one: maps merge, lists that are written as `NAME+` add, everything else replaces, null removes. */
import type { Finding } from '../core/finding.ts';
import { say } from '../core/message.ts';
import { toShown } from './check.ts';
import { type Layer, toModelMap } from './layer.ts';
import { isMap } from './map.ts';
import type { Origin } from './profile.ts';
import { parseShape } from './schema.ts';

type Tree = Readonly<Record<string, unknown>>;
type Origins = Map<string, Origin>;

export interface Merged extends Layer {
  readonly findings: readonly Finding[];
}

/** Later layers win. The result holds no null, and no `extends`, which is about files and not about values. */
export function mergeLayers(layers: readonly Layer[]): Merged {
  const origins: Origins = new Map();
  const findings: Finding[] = [];
  let merged: Tree = {};
  for (const layer of layers) {
    const { extends: _, ...raw } = layer.raw;
    merged = mergeMaps(merged, raw, { path: '', origins, findings, over: layer });
  }
  const shape = parseShape(merged);
  if ('issues' in shape) throw new Error(`sound layers merged to an unsound profile: ${JSON.stringify(shape.issues)}`);
  return { raw: shape.raw, origins: Object.fromEntries(origins), findings };
}

interface MergeAt {
  readonly path: string;
  readonly origins: Origins;
  readonly findings: Finding[];
  readonly over: Layer;
}

function mergeMaps(base: Tree, over: Tree, at: MergeAt): Tree {
  const result = new Map(Object.entries(base));
  for (const [key, value] of Object.entries(over)) {
    if (value === undefined) continue;
    const path = at.path === '' ? key : `${at.path}.${key}`;
    const isThere = result.has(key);
    if (value === null) {
      result.delete(key);
      if (isThere) forget(at.origins, path);
    } else if (isMap(value)) {
      const below = toMap(result.get(key), path);
      if (isThere && below === undefined) forget(at.origins, path);
      adopt(at, path);
      result.set(key, mergeMaps(below ?? {}, value, { ...at, path }));
    } else if (Array.isArray(value) && at.over.appends?.has(path) && isThere) {
      result.set(key, append(result.get(key), value, { ...at, path }));
    } else {
      result.set(key, value);
      if (isThere) forget(at.origins, path);
      adopt(at, path);
    }
  }
  return Object.fromEntries(result);
}

function append(below: unknown, items: readonly unknown[], at: MergeAt): unknown {
  const { path, origins } = at;
  const origin = toOrigin(at, path);
  if (!Array.isArray(below)) {
    const place = origin?.from === 'profile' ? { file: origin.file, line: origin.line, column: origin.column } : {};
    const message = say('profile.append-to', { path, value: toShown(below) });
    at.findings.push({ code: 'profile/append', severity: 'error', path: `${path}+`, message, ...place });
    return below;
  }
  const earlier = origins.get(path);
  if (origin) origins.set(path, earlier === undefined ? origin : { ...origin, onto: [...(earlier.onto ?? []), toAlone(earlier)] });
  return [...below, ...items];
}

function toAlone({ onto: _, ...origin }: Origin): Origin {
  return origin;
}

function toMap(value: unknown, path: string): Tree | undefined {
  if (path === 'model' && typeof value === 'string') return toModelMap(value);
  return isMap(value) ? value : undefined;
}

function adopt(at: MergeAt, path: string): void {
  const origin = toOrigin(at, path);
  if (origin) at.origins.set(path, origin);
}

function toOrigin({ over: { origins } }: MergeAt, path: string): Origin | undefined {
  return Object.hasOwn(origins, path) ? origins[path] : undefined;
}

function forget(origins: Origins, path: string): void {
  for (const known of [...origins.keys()]) {
    if (known === path || known.startsWith(`${path}.`)) origins.delete(known);
  }
}
