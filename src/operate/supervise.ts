/** The body of the supervisor process (`supervise NAME`), and of `up --foreground`. */
import { readFile } from 'node:fs/promises';
import { type DeploymentPaths, ensureDeploymentPaths, readLockOwner, toLaunchPaths, toLockText } from '../control/directory.ts';
import { type ControlServer, startControlServer } from '../control/server.ts';
import { waitFor } from '../core/clock.ts';
import { DeployError } from '../core/error.ts';
import type { LifeEvent } from '../core/event.ts';
import type { Message } from '../core/message.ts';
import { type Lock, tryLock } from '../host/lock.ts';
import { createProcessRuntime } from '../runtime/process.ts';
import { Journal } from '../supervisor/journal.ts';
import type { Deployable } from '../supervisor/state.ts';
import { Supervisor, type SupervisorParts } from '../supervisor/supervisor.ts';
import { Companions } from './companions.ts';
import type { Context } from './context.ts';
import { endStrays, findState } from './find-state.ts';
import { keepRecord, type RecordKeeping } from './keep-record.ts';

/** How long a new supervisor waits for one that is just ending. */
const lockLimitMs = 5000;
/** A deployment with nothing left to do keeps its supervisor for this long, for those who read the last events. */
const lingerMs = 400;
/** Longer before anybody has asked for anything: whoever started the supervisor is about to, unless it was killed. */
const unaskedMs = 10_000;
const idlePollMs = 50;

/**
 * Supervises until there is nothing left to supervise (`stopped`, `failed`), or until the signal: then the engine
 * stays and the next supervisor adopts it. A deployment without a record is given on standard input.
 */
export async function supervise(name: string, context: Context): Promise<void> {
  const { startByUnit } = await import('./start-by-unit.ts');
  if (await startByUnit(name, context)) return;
  const running = await startSupervisor(name, context, { first: readFirstDeployable, serve: true });
  const { notifyManager } = await import('./notify-manager.ts');
  const notified = notifyManager(running.supervisor, context);
  await running.ended(context.signal);
  await notified?.end();
}

export interface SuperviseOptions {
  /** What a deployment without a record begins with; undefined: there must be one. */
  readonly first: () => Promise<Deployable | undefined>;
  /** Whether other commands can reach it. */
  readonly serve: boolean;
  readonly unaskedMs?: number;
  readonly lockMs?: number;
}

export interface RunningSupervisor {
  readonly supervisor: Supervisor;
  readonly journal: Journal;
  /** Resolves when supervision is over and the lock is released; the engine lives on if the signal ended it. */
  ended(signal: AbortSignal): Promise<void>;
}

export async function startSupervisor(name: string, context: Context, options: SuperviseOptions): Promise<RunningSupervisor> {
  const paths = await ensureDeploymentPaths(context.places, name);
  const lock = await takeLock(paths, { name, socket: options.serve ? paths.socket : '', limitMs: options.lockMs ?? lockLimitMs });
  try {
    const supervisor = await openSupervisor(paths, { name, context, first: options.first });
    const server = options.serve ? await startControlServer({ socket: paths.socket, ...supervisor }) : undefined;
    const record = keepRecord({ ...supervisor, name, places: context.places, paths, lock, server });
    return { ...supervisor, ended: (signal) => end(supervisor, { ...options, signal, server, record }) };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

interface Opening {
  readonly name: string;
  readonly context: Context;
  readonly first: SuperviseOptions['first'];
}

interface Opened {
  readonly supervisor: Supervisor;
  readonly journal: Journal;
  readonly companions: Companions;
  readonly onNote: (note: Message) => void;
}

async function openSupervisor(paths: DeploymentPaths, { name, context, first }: Opening): Promise<Opened> {
  const found = await findState(paths, { name, first });
  const journal = await Journal.open(paths.events);
  const append = (event: LifeEvent) => journal.append(event, { at: new Date().toISOString(), deployment: name, run: supervisor.now.run });
  const onNote = (note: Message) => append({ type: 'note', note });
  // Before them: they may have something to say, and that needs the supervisor.
  const hooks = await readTestHooks(context.env);
  const companions: Companions = new Companions({ context, paths, journal, onNote, now: () => supervisor.now });
  const supervisor: Supervisor = new Supervisor({
    ...hooks,
    ...companions.hooks,
    state: found.state,
    stateFile: paths.state,
    journal,
    runtimeOf: () => createProcessRuntime(context.env),
    filesOf: (launchId) => toLaunchPaths(paths, launchId),
    crashDirectory: paths.crashes,
  });
  companions.follow(supervisor);
  append({ type: 'supervisor-started', pid: process.pid });
  for (const note of found.notes) onNote(note);
  if (found.isFirst) await endStrays(paths, { name, onLeftover: (survivors) => append({ type: 'survivors', survivors }) });
  await supervisor.recover();
  companions.keepLogsShort();
  return { supervisor, journal, companions, onNote };
}

/** Nothing but one look at the environment where nobody asks for more. */
async function readTestHooks({ QD_CRASH_AT: text }: NodeJS.ProcessEnv): Promise<Pick<SupervisorParts, 'onStep'>> {
  if (text === undefined) return {};
  const { parseCrashPoint } = await import('./crash-point.ts');
  const onStep = parseCrashPoint(text);
  return onStep ? { onStep } : {};
}

interface Ending {
  readonly signal: AbortSignal;
  readonly server: ControlServer | undefined;
  readonly record: RecordKeeping;
  readonly unaskedMs?: number;
}

async function end({ supervisor, journal, companions }: Opened, { signal, server, record, ...options }: Ending): Promise<void> {
  await waitUntilIdle(supervisor, AbortSignal.any([signal, record.lost]), options.unaskedMs ?? unaskedMs);
  // In the same turn as the decision: a command is either still carried out by us or refused, never forgotten.
  server?.refuseCommands();
  companions.adaptNoMore();
  await record.end();
  await server?.close();
  await companions.end();
  const { name, run } = supervisor.now;
  journal.append({ type: 'supervisor-ended' }, { at: new Date().toISOString(), deployment: name, run });
  await supervisor.release();
  await record.release();
}

async function waitUntilIdle(supervisor: Supervisor, signal: AbortSignal, patienceMs: number): Promise<void> {
  const isIdle = () => supervisor.now.life === 'stopped' || supervisor.now.life === 'failed';
  let since = performance.now();
  while (!signal.aborted) {
    if (!isIdle()) {
      await waitUntilChange(supervisor, signal);
      since = performance.now();
    } else if (supervisor.isBusy) {
      // A command may have come that waits for a slow disk: it is not told yet by the state.
      since = performance.now();
      await waitFor(idlePollMs, signal);
    } else if (performance.now() - since >= (supervisor.wasCommanded ? lingerMs : patienceMs)) return;
    else await waitFor(idlePollMs, signal);
  }
}

function waitUntilChange(supervisor: Supervisor, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      stopObserving();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const stopObserving = supervisor.observe(done);
    signal.addEventListener('abort', done, { once: true });
  });
}

interface Claim {
  readonly name: string;
  readonly socket: string;
  readonly limitMs: number;
}

async function takeLock(paths: DeploymentPaths, { name, socket, limitMs }: Claim): Promise<Lock> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const lock = await tryLock(paths.lock);
    if (lock) {
      await lock.describe(toLockText(process.pid, socket));
      return lock;
    }
    if (performance.now() > deadline) throw DeployError.of('supervisor/running', { name, pid: await readLockOwner(paths) });
    await waitFor(50);
  }
}

async function readFirstDeployable(): Promise<Deployable | undefined> {
  const text = await readFile('/dev/stdin', 'utf8');
  return text.trim() === '' ? undefined : (JSON.parse(text) as Deployable);
}
