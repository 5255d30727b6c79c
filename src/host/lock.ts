/**
 * Locks that the kernel releases when their owner dies, however it dies. Node has no flock(2), but the lock of
 * flock(1) belongs to the *open file description* that it inherits, so it stays with ours after flock has exited.
 * Free of the races of lock files with pids in them.
 */

import { spawn } from 'node:child_process';
import { type FileHandle, open } from 'node:fs/promises';
import { DeployError } from '../core/error.ts';

export interface Lock {
  /** Text that a waiting process can read from the lock file, e.g. who holds it. */
  describe(text: string): Promise<void>;
  release(): Promise<void>;
}

/** Takes the lock of a file, or returns undefined at once when somebody else holds it. */
export async function tryLock(path: string): Promise<Lock | undefined> {
  const handle = await open(path, 'a+', 0o600);
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
      await handle.truncate(0);
      await handle.write(text);
    },
    release: () => handle.close(),
  };
}

// Not through exec.ts: the descriptor must be passed as number 3, and execa would be the whole cost of a lock.
function flock(handle: FileHandle): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn('flock', ['-n', '-x', '3'], { stdio: ['ignore', 'ignore', 'ignore', handle.fd] });
    child.once('error', (cause) =>
      reject(DeployError.of('host/no-tool', { tool: 'flock', purpose: 'locking', package: 'util-linux' }, { cause })),
    );
    child.once('exit', (code) => resolve(code === 0));
  });
}
