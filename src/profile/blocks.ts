import { toKnownKeys } from './schema.ts';

/** A block whose keys the schema knows all: `x-…` may stand there, and everything else is a slip. */
export function isOwnBlock(path: readonly string[]): boolean {
  return toKnownKeys(path.join('.')) !== undefined || (path.length === 2 && path[0] === 'lora');
}
