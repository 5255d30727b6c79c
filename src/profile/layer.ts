import type { Finding } from '../core/finding.ts';
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
}

/** Adds file, line and column of a key path to a finding about it. */
export type Locate = (path: readonly string[], what: 'key' | 'value') => Pick<Finding, 'file' | 'line' | 'column'>;

/** A layer as it was written: of any shape, and with its places. */
export interface Source {
  readonly value: Readonly<Record<string, unknown>>;
  readonly locate: Locate;
}

/** Blocks below which the rest of a path is one key: their names are not ours and may hold dots. */
const openBlocks: readonly (readonly string[])[] = [['vllm'], ['labels'], ['lora'], ['engine', 'env']];

/** Steps of a path as `--set` writes it. */
export function parseKeyPath(text: string): readonly string[] {
  const steps = text.split('.');
  const open = openBlocks.find((block) => steps.length > block.length && block.every((step, index) => steps[index] === step));
  return open ? [...open, steps.slice(open.length).join('.')] : steps;
}

/** `model: ID` and `model: /path` are short for a map, so a child may add to either; a new text replaces all of it. */
export function toModelMap(text: string): { readonly id: string } | { readonly path: string; readonly source: 'local' } {
  return text.startsWith('/') ? { path: text, source: 'local' } : { id: text };
}

export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
