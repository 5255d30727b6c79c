import type { Finding } from '../core/finding.ts';
import { isMap } from './map.ts';
import type { Origin } from './profile.ts';
import type { RawProfile } from './schema.ts';

/** A place in a file; both count from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** What one file, or all `--set` together, says: not merged, not resolved, but of the right shape. */
export interface Layer {
  readonly raw: RawProfile;
  /** Key path as in `--set` → where its value was written. */
  readonly origins: Readonly<Record<string, Origin>>;
  /** Key paths of lists that add to what a parent gave: written as `NAME+`. */
  readonly appends?: ReadonlySet<string>;
}

/** Adds file, line and column of a key path to a finding about it. */
export type Locate = (path: readonly string[], what: 'key' | 'value') => Pick<Finding, 'file' | 'line' | 'column'>;

/** A layer as it was written: of any shape, and with its places. */
export interface Source {
  readonly value: Readonly<Record<string, unknown>>;
  readonly locate: Locate;
  /** The text of a number, `true` or `null`, as it stands there: YAML makes 0.3 of 0.30. */
  readonly written?: (path: readonly string[]) => string | undefined;
}

/** Blocks below which the rest of a path is one key: their names are not ours and may hold dots. */
const openBlocks: readonly (readonly string[])[] = [['vllm'], ['labels'], ['lora'], ['engine', 'env']];

/** Steps of a path as `--set` writes it. */
export function parseKeyPath(text: string): readonly string[] {
  const steps = text.split('.');
  const open = openBlocks.find((block) => steps.length > block.length && block.every((step, index) => steps[index] === step));
  return open ? [...open, steps.slice(open.length).join('.')] : steps;
}

/** `NAME` when a key is `NAME+`, which adds to a list; below `vllm`, `a.b+` is vLLM's own way to say the same. */
export function toAppended(key: string, block: readonly string[]): string | undefined {
  const isOpen = ['labels', 'lora', 'engine.env'].includes(block.join('.')) || (block[0] === 'vllm' && key.includes('.'));
  return key.length > 1 && key.endsWith('+') && !isOpen ? key.slice(0, -1) : undefined;
}

/** `model: ID` and `model: /path` are short for a map, so a child may add to either; a new text replaces all of it. */
export function toModelMap(text: string): { readonly id: string } | { readonly path: string; readonly source: 'local' } {
  return text.startsWith('/') ? { path: text, source: 'local' } : { id: text };
}

/** What stands at a path; undefined when nothing does. */
export function readAt(value: unknown, path: readonly string[]): unknown {
  let here = value;
  for (const step of path) {
    if (Array.isArray(here)) here = here[Number(step)];
    else if (isMap(here) && Object.hasOwn(here, step)) here = here[step];
    else return undefined;
  }
  return here;
}

/** The tree with a value at a path; what is in the way and no map gives way. */
export function putAt(tree: Readonly<Record<string, unknown>>, path: readonly string[], value: unknown): Readonly<Record<string, unknown>> {
  const [step = '', ...rest] = path;
  if (rest.length === 0) return { ...tree, [step]: value };
  const below = Object.hasOwn(tree, step) ? tree[step] : undefined;
  return { ...tree, [step]: putAt(isMap(below) ? below : {}, rest, value) };
}

/** The tree without what stands at some paths, and which of them there were. */
export function withoutPaths(
  tree: Readonly<Record<string, unknown>>,
  paths: readonly (readonly string[])[],
): { readonly value: Readonly<Record<string, unknown>>; readonly taken: readonly string[] } {
  let value = tree;
  const taken: string[] = [];
  for (const path of paths) {
    const rest = without(value, path);
    if (rest !== value) taken.push(path.join('.'));
    value = rest;
  }
  return { value, taken };
}

function without(tree: Readonly<Record<string, unknown>>, path: readonly string[]): Readonly<Record<string, unknown>> {
  const [step = '', ...rest] = path;
  if (!Object.hasOwn(tree, step)) return tree;
  const { [step]: below, ...others } = tree;
  if (rest.length === 0) return others;
  if (!isMap(below)) return tree;
  const less = without(below, rest);
  return less === below ? tree : { ...tree, [step]: less };
}
