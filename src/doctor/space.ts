import { constants } from 'node:fs';
import { access, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { say } from '../core/message.ts';
import { errnoOf } from '../host/files.ts';
import type { CheckOutcome } from './check.ts';

/** A file system, as this user may use it. */
export interface Space {
  readonly freeBytes: number;
  readonly totalBytes: number;
  /** Files that can still be made; absent where the file system has no such number. */
  readonly freeFiles?: number;
}

export type ReadSpace = (path: string) => Promise<Space>;

/** Of a path, or of what there is of it. Rejects as `statfs` does. */
export async function readSpace(path: string): Promise<Space> {
  try {
    const { bavail, blocks, bsize, files, ffree } = await statfs(path);
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize, ...(files > 0 ? { freeFiles: ffree } : {}) };
  } catch (error) {
    const parent = dirname(path);
    if (errnoOf(error) !== 'ENOENT' || parent === path) throw error;
    return readSpace(parent);
  }
}

/** An answer instead when the file system cannot be asked. */
export async function askSpace(path: string, read: ReadSpace): Promise<Space | CheckOutcome> {
  try {
    return await read(path);
  } catch (error) {
    const problem = errnoOf(error);
    if (problem === undefined) throw error;
    return { status: 'skip', message: say('doctor.unread', { path, problem }), evidence: [`statfs ${path}: ${problem}`] };
  }
}

/** Why this user cannot make files in a directory; undefined when nothing is in the way. */
export async function findWriteProblem(path: string): Promise<string | undefined> {
  try {
    await access(path, constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    const problem = errnoOf(error);
    if (problem === undefined) throw error;
    return problem;
  }
}
