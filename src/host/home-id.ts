/** A mark of a home, for what lies outside of it and must be known again as its own. */
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { readTextFileNow } from './files.ts';

/**
 * 16 hexadecimal digits of the directory and the machine: one engine of containers may serve several machines, whose
 * homes have the same path. Both the machine's id and its name count, because containers have the id of their image,
 * and clones that of their original. Whoever renames a machine finds no leftovers, rather than those of another one.
 */
export function readHomeId(directory: string): string {
  const { createHash } = process.getBuiltinModule('node:crypto');
  const machine = readTextFileNow('/etc/machine-id')?.trim() ?? '';
  const text = [machine, hostname(), resolve(directory)].join('\0');
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
