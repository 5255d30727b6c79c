/** The body of the supervisor process (`supervise NAME`), and of `up --foreground`. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type DeploymentPaths,
  ensureDeploymentPaths,
  pruneLaunches,
  readLockOwner,
  toLaunchPaths,
  toLockText,
} from '../control/directory.ts';
import { type ControlServer, startControlServer } from '../control/server.ts';
import { waitFor } from '../core/clock.ts';
import { DeployError } from '../core/error.ts';
import type { Survivor } from '../core/event.ts';
import { type Message, say } from '../core/message.ts';
import { type Lock, tryLock } from '../host/lock.ts';
import { createProcessRuntime } from '../runtime/process.ts';
import { type HistoryKeeping, keepHistory } from '../supervisor/history/keeper.ts';
import { Journal } from '../supervisor/journal.ts';
import { toProblem } from '../supervisor/launch/work.ts';
import { keepLogsShort, type LogKeeping } from '../supervisor/log-cap.ts';
import { Notifier } from '../supervisor/notify/notify.ts';
import { StartTimes } from '../supervisor/start/times.ts';
import { StartTurn } from '../supervisor/start/turn.ts';
import { type Deployable, type State, toFirstState } from '../supervisor/state.ts';
import { readState, setAsideState } from '../supervisor/store.ts';
import { Supervisor, type SupervisorParts } from '../supervisor/supervisor.ts';
import { toText } from '../text/render.ts';
import { adaptUnderPressure } from './adapt.ts';
import type { Context } from './context.ts';
import { keepRecord, type RecordKeeping } from './keep-record.ts';
import { findStrays } from './strays.ts';

/** How long a new supervisor waits for one that is just ending. */
const lockLimitMs = 5000;
/** A deployment with nothing left to do keeps its supervisor for this long, for those who read the last events. */
const lingerMs = 400;
/** Longer before anybody has asked for anything: whoever started the supervisor is about to, unless it was killed. */
const unaskedMs = 10_000;
const idlePollMs = 50;
const strayLimitMs = 10_000;

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
  readonly notifier: Notifier;
  readonly logs: LogKeeping;
  readonly history: HistoryKeeping;
  readonly turn: StartTurn;
  readonly adapting: ReturnType<typeof adaptUnderPressure>;
  readonly onNote: (note: Message) => void;
}

async function openSupervisor(paths: DeploymentPaths, { name, context, first }: Opening): Promise<Opened> {
  const found = await readStateSafely(paths, { name, first });
  const journal = await Journal.open(paths.events);
  const hooks = await readTestHooks(context.env);
  const supervisor: Supervisor = new Supervisor({
    ...hooks,
    state: found.state,
    stateFile: paths.state,
    journal,
    runtimeOf: () => createProcessRuntime(context.env),
    filesOf: (launchId) => toLaunchPaths(paths, launchId),
    crashDirectory: paths.crashes,
    waitForTurn: (state) => turn.take(state),
    pruneLaunches: () => pruneLaunches(paths, supervisor.now.launch?.launchId ?? ''),
    usuallySeconds: () => times.usuallySeconds,
    weightsOf: async (spec) => (await import('./download-size.ts')).toDownloadBytes(spec),
    onPage: (page, run) => history.takePage(page, run),
  });
  const stamp = () => ({ at: new Date().toISOString(), deployment: name, run: supervisor.now.run });
  const onNote = (note: Message) => journal.append({ type: 'note', note }, stamp());
  const turn = new StartTurn({ directory: context.places.run, onNote });
  const notifier = new Notifier({
    now: () => supervisor.now,
    note: (note) => journal.append({ type: 'note', note }, stamp()),
    secrets: () => supervisor.secrets,
    env: context.env,
    toText,
  });
  journal.follow(journal.last, (event) => notifier.take(event));
  journal.append({ type: 'supervisor-started', pid: process.pid }, stamp());
  for (const note of found.notes) journal.append({ type: 'note', note }, stamp());
  if (found.isFirst) await endStrays(paths, { name, onLeftover: (survivors) => journal.append({ type: 'survivors', survivors }, stamp()) });
  const onProblem = (problem: string) =>
    journal.append({ type: 'note', note: say('life.work-failed', { work: 'memory', problem }) }, stamp());
  const times = new StartTimes(join(context.places.data, 'start-times.json'), {
    onProblem: (error) => onNote(say('life.work-failed', { work: 'start-times', problem: toProblem(error) })),
  });
  supervisor.observe((state) => times.observe(state));
  learnWhenReady(supervisor, { context, onProblem });
  supervisor.observe((state) => void turn.observe(state));
  const adapting = adaptUnderPressure(supervisor, { env: context.env, onNote, onProblem });
  const history = keepHistory({ now: () => supervisor.now, directory: paths.directory, onNote });
  await supervisor.recover();
  const logs = keepLogsShort({ now: () => supervisor.now, own: paths.supervisorLog, onNote });
  return { supervisor, journal, notifier, logs, history, turn, adapting, onNote };
}

/** Nothing but one look at the environment where nobody asks for more. */
async function readTestHooks({ QD_CRASH_AT: text }: NodeJS.ProcessEnv): Promise<Pick<SupervisorParts, 'onStep'>> {
  if (text === undefined) return {};
  const { parseCrashPoint } = await import('./crash-point.ts');
  const onStep = parseCrashPoint(text);
  return onStep ? { onStep } : {};
}

interface Learning {
  readonly context: Context;
  readonly onProblem: (problem: string) => void;
}

/** What its start told of the GPU's memory, once per launch. Nothing that goes wrong with it may end the supervisor. */
function learnWhenReady(supervisor: Supervisor, { context, onProblem }: Learning): void {
  let learned = 0;
  supervisor.observe((state) => {
    if (state.life !== 'ready' || state.run === learned) return;
    learned = state.run;
    import('./learn-memory.ts')
      .then(({ learnMemory }) => learnMemory(state, context))
      .catch((error: unknown) => onProblem(toProblem(error)));
  });
}

interface Ending {
  readonly signal: AbortSignal;
  readonly server: ControlServer | undefined;
  readonly record: RecordKeeping;
  readonly unaskedMs?: number;
}

async function end(
  { supervisor, journal, notifier, logs, history, turn, adapting }: Opened,
  { signal, server, record, ...options }: Ending,
): Promise<void> {
  await waitUntilIdle(supervisor, AbortSignal.any([signal, record.lost]), options.unaskedMs ?? unaskedMs);
  // In the same turn as the decision: a command is either still carried out by us or refused, never forgotten.
  server?.refuseCommands();
  adapting.end();
  await record.end();
  await server?.close();
  await notifier.release();
  await logs.end();
  await history.end();
  await turn.giveBack();
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

interface Found {
  readonly state: State;
  readonly isFirst: boolean;
  readonly notes: readonly Message[];
}

/** A state that cannot be read is kept aside once there is another one to begin with; before that it stays where it is. */
async function readStateSafely(paths: DeploymentPaths, { name, first }: Pick<Opening, 'name' | 'first'>): Promise<Found> {
  const begin = async () => {
    const wanted = await first();
    return wanted && toFirstState(name, wanted);
  };
  try {
    const known = await readState(paths.state, name);
    const state = known ?? (await begin());
    if (state === undefined) throw DeployError.of('deployment/unknown', { name, nearest: '' });
    return { state, isFirst: known === undefined, notes: [] };
  } catch (error) {
    if (!(error instanceof DeployError) || error.code !== 'state/corrupt') throw error;
    const state = await begin();
    if (state === undefined) throw error;
    const kept = await setAsideState(paths.state, Date.now());
    return { state, isFirst: true, notes: [say('life.state-lost', { kept })] };
  }
}

/** Without a record nothing can be adopted, and a second engine beside one that still runs must not be. */
async function endStrays(
  paths: DeploymentPaths,
  { name, onLeftover }: { readonly name: string; readonly onLeftover: (survivors: readonly Survivor[]) => void },
): Promise<void> {
  for (const { remains } of await findStrays(paths)) {
    onLeftover(await remains.members());
    const [survivor] = await remains.kill(strayLimitMs);
    if (survivor) throw DeployError.of('runtime/unkillable', { name, survivors: `${survivor.command} (process ${survivor.pid})` });
    await remains.tidy();
  }
}

async function readFirstDeployable(): Promise<Deployable | undefined> {
  const text = await readFile('/dev/stdin', 'utf8');
  return text.trim() === '' ? undefined : (JSON.parse(text) as Deployable);
}
