/**
 * Locks that the kernel releases when their owner dies, however it dies. Node has no flock(2), but the lock of
 * flock(1) belongs to the *open file description* that it inherits, so it stays with ours after flock has exited.
 * Free of the races of lock files with pids in them.
 */

import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { DeployError } from '../core/error.ts';
import { errnoOf, toLinkError } from './files.ts';

export interface Lock {
  /** Text that a waiting process can read from the lock file, e.g. who holds it. On a full disk there is none. */
  describe(text: string): Promise<void>;
  release(): Promise<void>;
}

/** Takes the lock of a file, or returns undefined at once when somebody else holds it. */
export async function tryLock(path: string): Promise<Lock | undefined> {
  const handle = await openLockFile(path);
  const taken = await flock(handle).catch(async (error: unknown) => {
    await handle.close();
    throw error;
  });
  if (!taken) {
    await handle.close();
    return undefined;
  }
  return {
    async describe(text) {
      try {
        await handle.truncate(0);
        await handle.write(text);
      } catch (error) {
        // The lock holds without it.
        if (errnoOf(error) === undefined) throw error;
      }
    },
    release: () => handle.close(),
  };
}

/** A lock needs no writing: on a disk that has become read-only one that is there still does. */
async function openLockFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, constants.O_APPEND | constants.O_CREAT | constants.O_RDWR | constants.O_NOFOLLOW, 0o600);
  } catch (error) {
    if (errnoOf(error) !== 'EROFS') throw toLinkError(path, error);
    return open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  }
}

// Not through exec.ts: the descriptor must be passed as number 3, and execa would be the whole cost of a lock.
async function flock(handle: FileHandle): Promise<boolean> {
  const { spawn } = await import('node:child_process');
  return new Promise((resolve, reject) => {
    const child = spawn('flock', ['-n', '-x', '3'], { stdio: ['ignore', 'ignore', 'ignore', handle.fd] });
    child.once('error', (cause) =>
      reject(DeployError.of('host/no-tool', { tool: 'flock', purpose: 'locking', package: 'util-linux' }, { cause })),
    );
    child.once('exit', (code) => resolve(code === 0));
  });
}
