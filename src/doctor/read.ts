/**
 * Files of the kernel and of the system below the root of a context. Read at once, without a detour through other
 * threads: they are small and lie in memory.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { say } from '../core/message.ts';
import { errnoOf } from '../host/files.ts';
import type { CheckOutcome, DoctorContext } from './check.ts';

export type Reading =
  | { readonly is: 'text'; readonly path: string; readonly text: string }
  | { readonly is: 'absent'; readonly path: string }
  | { readonly is: 'unreadable'; readonly path: string; readonly problem: string };

export function readBelow({ root }: Pick<DoctorContext, 'root'>, path: string): Reading {
  try {
    return { is: 'text', path, text: readFileSync(join(root, path), 'utf8') };
  } catch (error) {
    const problem = errnoOf(error);
    if (problem === undefined) throw error;
    return problem === 'ENOENT' || problem === 'ENOTDIR' ? { is: 'absent', path } : { is: 'unreadable', path, problem };
  }
}

/** Where it does not matter why there is nothing. */
export function readWord(context: Pick<DoctorContext, 'root'>, path: string): string | undefined {
  const reading = readBelow(context, path);
  return reading.is === 'text' ? reading.text.trim() : undefined;
}

/** Empty for a directory that is not there or cannot be read. */
export function listBelow({ root }: Pick<DoctorContext, 'root'>, path: string): readonly string[] {
  try {
    return readdirSync(join(root, path));
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return [];
  }
}

export function isBelow({ root }: Pick<DoctorContext, 'root'>, path: string): boolean {
  return existsSync(join(root, path));
}

/** Not knowing is no answer: neither that all is well nor that something is wrong. */
export function toUnread(reading: Exclude<Reading, { readonly is: 'text' }>): CheckOutcome {
  const problem = reading.is === 'absent' ? 'ENOENT' : reading.problem;
  return { status: 'skip', message: say('doctor.unread', { path: reading.path, problem }), evidence: [`${reading.path}: ${problem}`] };
}
