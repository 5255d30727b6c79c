/**
 * From a supervisor that a shell started to the one of a unit, and back. The lock is what there is to hand over: it is
 * free once the old supervisor has let go, and the engine serves on meanwhile. The next one adopts it.
 */
import { readdir, stat } from 'node:fs/promises';
import { type DeploymentPaths, readLockOwner } from '../control/directory.ts';
import { waitFor } from '../core/clock.ts';
import { DeployError } from '../core/error.ts';
import { isDead, readProcess } from '../host/proc.ts';
import { signalVerified } from '../runtime/remains.ts';
import type { State } from '../supervisor/state.ts';
import type { Context } from './context.ts';
import { commandSupervisor, isLocked } from './reach.ts';

/** A supervisor that is told to end finishes its answers first. */
const endMs = 10_000;
const pollMs = 50;

/** Ends the supervisor that holds the lock; gives its process id, undefined when there is none. Throws `unit/handover`. */
export async function endSupervisor(name: string, paths: DeploymentPaths): Promise<number | undefined> {
  if (!(await isLocked(paths.lock))) return undefined;
  const pid = Number(await readLockOwner(paths));
  const refuse = (problem: string) => DeployError.of('unit/handover', { name, pid: String(pid), problem });
  // The lock's text may be older than the lock: who really holds it has the file open. Only that one is signalled.
  const owner = pid > 1 ? await readProcess(pid) : undefined;
  if (isDead(owner) || !(await holdsFile(pid, paths.lock))) throw refuse('it does not hold the lock');
  await signalVerified(owner, 'SIGTERM');
  const deadline = performance.now() + endMs;
  while (await isLocked(paths.lock)) {
    if (performance.now() > deadline) throw refuse('it does not end');
    await waitFor(pollMs);
  }
  return pid;
}

/** By inode: the path of a descriptor is another one where a directory above is a link. */
async function holdsFile(pid: number, file: string): Promise<boolean> {
  const wanted = await stat(file);
  const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
  const files = await Promise.all(descriptors.map((descriptor) => stat(`/proc/${pid}/fd/${descriptor}`).catch(() => undefined)));
  return files.some((facts) => facts?.ino === wanted.ino && facts.dev === wanted.dev);
}

/** A supervisor beside any unit goes on with what the last one was doing: asking again for what is wanted changes nothing. */
export async function superviseDetached(state: State, context: Context): Promise<void> {
  const { name, desired, wanted, rollback } = state;
  const command = desired === 'up' ? ({ type: 'up', wanted, rollback, by: 'up' } as const) : ({ type: 'down', force: false } as const);
  await commandSupervisor(name, { command }, context);
}
