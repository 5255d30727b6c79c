/** The body of the supervisor process (`supervise NAME`), and of `up --foreground`. */
import { readFile } from 'node:fs/promises';
import { type DeploymentPaths, ensureDeploymentPaths, toLaunchPaths } from '../control/directory.ts';
import { startControlServer } from '../control/server.ts';
import { waitFor } from '../core/clock.ts';
import { DeployError } from '../core/error.ts';
import { type Lock, tryLock } from '../host/lock.ts';
import { createProcessRuntime } from '../runtime/process.ts';
import { Journal } from '../supervisor/journal.ts';
import { type Deployable, type State, toFirstState } from '../supervisor/state.ts';
import { readState, setAsideState, writeState } from '../supervisor/store.ts';
import { Supervisor } from '../supervisor/supervisor.ts';
import type { Context } from './context.ts';

/** How long a new supervisor waits for one that is just ending. */
const lockLimitMs = 5000;
/** A deployment with nothing left to do keeps its supervisor for this long, for those who read the last events. */
const lingerMs = 400;

/**
 * Supervises until there is nothing left to supervise (`stopped`, `failed`), or until the signal: then the engine
 * stays and the next supervisor adopts it. A deployment without a record is given on standard input.
 */
export async function supervise(name: string, context: Context): Promise<void> {
  const running = await startSupervisor(name, context, readFirstDeployable);
  await running.ended(context.signal);
}

export interface RunningSupervisor {
  readonly supervisor: Supervisor;
  readonly journal: Journal;
  /** Resolves when supervision is over and the lock is released; the engine lives on if the signal ended it. */
  ended(signal: AbortSignal): Promise<void>;
}

export async function startSupervisor(name: string, context: Context, first: () => Promise<Deployable>): Promise<RunningSupervisor> {
  const paths = await ensureDeploymentPaths(context.places, name);
  const lock = await takeLock(paths, name);
  const state = (await readStateSafely(paths, name)) ?? toFirstState(name, await first());
  const journal = await Journal.open(paths.events);
  const supervisor = new Supervisor({
    state,
    stateFile: paths.state,
    journal,
    runtimeOf: () => createProcessRuntime(context.env),
    filesOf: (launchId) => toLaunchPaths(paths, launchId),
  });
  const stamp = () => ({ at: new Date().toISOString(), deployment: name, run: supervisor.now.run });
  await writeState(paths.state, state);
  journal.append({ type: 'supervisor-started', pid: process.pid }, stamp());
  await supervisor.recover();
  const server = await startControlServer({ socket: paths.socket, supervisor, journal });
  return {
    supervisor,
    journal,
    async ended(signal) {
      await waitUntilIdle(supervisor, signal);
      await server.close();
      journal.append({ type: 'supervisor-ended' }, stamp());
      await supervisor.release();
      await lock.release();
    },
  };
}

async function waitUntilIdle(supervisor: Supervisor, signal: AbortSignal): Promise<void> {
  const isIdle = () => (supervisor.now.life === 'stopped' && supervisor.now.run > 0) || supervisor.now.life === 'failed';
  while (!signal.aborted) {
    if (isIdle()) {
      await waitFor(lingerMs, signal);
      if (isIdle()) return;
    }
    await new Promise<void>((resolve) => {
      const done = () => {
        stopObserving();
        signal.removeEventListener('abort', done);
        resolve();
      };
      const stopObserving = supervisor.observe(done);
      signal.addEventListener('abort', done, { once: true });
      if (isIdle() || signal.aborted) done();
    });
  }
}

async function takeLock(paths: DeploymentPaths, name: string): Promise<Lock> {
  const deadline = performance.now() + lockLimitMs;
  for (;;) {
    const lock = await tryLock(paths.lock);
    if (lock) {
      await lock.describe(`${process.pid}\n`);
      return lock;
    }
    if (performance.now() > deadline) {
      const pid = (await readFile(paths.lock, 'utf8')).trim();
      throw DeployError.of('supervisor/running', { name, pid });
    }
    await waitFor(50);
  }
}

/** A state that cannot be read is kept aside; what still runs is found by its record only, so this is said loudly. */
async function readStateSafely(paths: DeploymentPaths, name: string): Promise<State | undefined> {
  try {
    return await readState(paths.state, name);
  } catch (error) {
    if (!(error instanceof DeployError) || error.code !== 'state/corrupt') throw error;
    const kept = await setAsideState(paths.state, Date.now());
    throw DeployError.of('state/corrupt', { name, problem: 'its checksum does not match', kept }, { cause: error });
  }
}

async function readFirstDeployable(): Promise<Deployable> {
  return JSON.parse(await readFile('/dev/stdin', 'utf8')) as Deployable;
}
