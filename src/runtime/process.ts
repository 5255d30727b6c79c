/** Runs an engine as a local process tree: own session, own log descriptor, own temporary directory. */
import { constants } from 'node:fs';
import { access, type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { waitFor } from '../core/clock.ts';
import { DeployError } from '../core/error.ts';
import { toEngineEnvironment } from '../host/environment.ts';
import { type DetachedExit, startDetached } from '../host/exec.ts';
import { errnoOf, readTextFile } from '../host/files.ts';
import { isAlive, isDead, type ProcessFacts, readBootId, readProcess, readUptimeTicks } from '../host/proc.ts';
import type { LaunchSpec } from '../plan/launch-spec.ts';
import { applyCaps, checkLimits, toGroupsNoted } from './caps.ts';
import { keeperScript, parseExitFile } from './keeper.ts';
import { ProcessRemains, signalVerified } from './remains.ts';
import type { Exit, Instance, LaunchOrder, LaunchRecord, ProcessIdentity, Runtime } from './runtime.ts';

const ourPid = process.pid;
/** A tick is 10 ms. */
const lookMs = 3;
const looksMost = 100;
/** How long the keeper's shell may take to become the engine; it takes about 2 ms. */
const spawnLimitMs = 10_000;
/** How often an engine is looked at whose keeper is not our child. */
const watchMs = 500;
/** How long after the engine's end its keeper may take to write the exit file. */
const exitFileLimitMs = 2000;

export function createProcessRuntime(env: NodeJS.ProcessEnv): Runtime {
  return {
    launch: (order) => launch(order, env),
    adopt,
    remains: (record) => new ProcessRemains(record),
  };
}

async function launch(order: LaunchOrder, env: NodeJS.ProcessEnv): Promise<Instance> {
  const { spec, record } = order;
  await checkExecutable(spec.program);
  const undo = new Undo(record);
  try {
    await mkdir(dirname(record.logFile), { recursive: true, mode: 0o700 });
    await mkdir(record.tmpDir, { recursive: true, mode: 0o700 });
    const log = await open(record.logFile, 'a', 0o600);
    try {
      return await start(order, { env, log, undo });
    } finally {
      await log.close();
    }
  } catch (error) {
    await undo.run();
    if (error instanceof DeployError || errnoOf(error) === undefined) throw error;
    const path = dirname(record.logFile);
    throw DeployError.of('runtime/launch-files', { path, problem: errnoOf(error) ?? '' }, { cause: error });
  }
}

/** Takes back a launch that went wrong half-way: whoever is told that nothing was started must be able to rely on it. */
class Undo {
  private record: LaunchRecord;

  constructor(record: LaunchRecord) {
    this.record = record;
  }

  note(made: Partial<LaunchRecord>): void {
    this.record = { ...this.record, ...made };
  }

  async run(): Promise<void> {
    const remains = new ProcessRemains(this.record);
    if (this.record.keeper) {
      // First the keeper, which may be about to start the engine at last; it does not count as a member.
      await signalVerified(this.record.keeper, 'SIGKILL');
      await remains.kill(spawnLimitMs);
    }
    await remains.tidy();
  }
}

interface Start {
  readonly env: NodeJS.ProcessEnv;
  readonly log: FileHandle;
  readonly undo: Undo;
}

async function start(order: LaunchOrder, { env, log, undo }: Start): Promise<Instance> {
  const { spec } = order;
  const { exitFile, launchId } = order.record;
  const caps = await applyCaps(spec.resources, launchId);
  const groups = toGroupsNoted(caps);
  undo.note(groups);
  const joined = caps.groups.map(({ procsFile }) => procsFile).join('\n');
  const files = String(spec.resources.nofile ?? '');
  const startFile = `${exitFile}.pid`;
  const args = [
    '-c',
    keeperScript,
    'qwen-deploy-keeper',
    exitFile,
    startFile,
    joined,
    files,
    env.QWEN_DEPLOY_UMASK ?? '',
    ...toCommand(spec),
  ];
  const spawned = await startKeeper(args, { env: toEnvironment(order, env), log });
  const keeper = await identify(spawned.pid, ({ ppid }) => ppid === ourPid);
  undo.note({ keeper });
  const process = await waitUntilStarted(startFile, { keeper, exited: spawned.exited });
  const problems = await checkLimits(process.pid, spec.resources, caps);
  const record: LaunchRecord = { ...order.record, keeper, process, ...groups, ...problems };
  return new ProcessInstance(record, spawned.exited);
}

/** The same engine again after the supervisor was replaced: only if pid, start time and boot are the recorded ones. */
async function adopt(record: LaunchRecord): Promise<Instance | undefined> {
  if (record.process === undefined || record.bootId !== (await readBootId())) return undefined;
  const facts = await readProcess(record.process.pid);
  if (facts === undefined && isHidden(record.process.pid)) {
    throw DeployError.of('runtime/hidden', { pid: record.process.pid, problem: 'it is there, and /proc does not show it' });
  }
  if (isDead(facts) || facts.startTicks !== record.process.startTicks) return undefined;
  return new ProcessInstance(record, undefined);
}

/** There is such a process, and /proc does not show it to us (mounted with hidepid): neither dead nor known to be ours. */
function isHidden(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errnoOf(error) === 'EPERM';
  }
}

class ProcessInstance extends ProcessRemains implements Instance {
  readonly exited: Promise<Exit>;
  private readonly watching = new AbortController();

  /** `keeperExited`: only while the keeper is our own child. */
  constructor(record: LaunchRecord, keeperExited: Promise<DetachedExit> | undefined) {
    super(record);
    this.exited = this.watch(keeperExited);
  }

  async terminate(): Promise<void> {
    const { process } = this.record;
    if (process === undefined) return;
    await this.sample();
    // The main process alone: a signal to the group also hits EngineCore and turns a drain into a crash.
    await signalVerified(process, 'SIGTERM');
    // A stopped process takes no notice of SIGTERM until it goes on.
    await signalVerified(process, 'SIGCONT');
  }

  release(): void {
    this.watching.abort();
  }

  private async watch(keeperExited: Promise<DetachedExit> | undefined): Promise<Exit> {
    // A keeper that is our child says it at once. But it may be stopped, or killed before its engine (as is none where
    // the engine was adopted): so the engine is looked at as well, and one that nobody has reaped counts as gone.
    let pause = new AbortController();
    const wake = () => pause.abort();
    void keeperExited?.then(wake);
    this.watching.signal.addEventListener('abort', wake, { once: true });
    while (await this.look(() => this.lives('process'))) {
      await waitFor(watchMs, pause.signal);
      if (pause.signal.aborted) pause = new AbortController();
    }
    const deadline = performance.now() + exitFileLimitMs;
    for (;;) {
      // Asked before the file is read: a keeper that has gone has written what it will ever write.
      const keeperLives = await this.look(() => this.lives('keeper'));
      const exit = await this.look(async () => parseExitFile((await readTextFile(this.record.exitFile)) ?? ''));
      if (exit) return exit;
      if (!keeperLives || performance.now() > deadline) return {};
      await waitFor(20, this.watching.signal);
    }
  }

  private async lives(whose: 'process' | 'keeper'): Promise<boolean> {
    const identity = this.record[whose];
    return identity !== undefined && (await isAlive(identity));
  }

  /** Looking may fail for reasons of ours (no descriptor left), which says nothing about the engine: looked again later. */
  private async look<T>(once: () => Promise<T>): Promise<T> {
    for (;;) {
      if (this.watching.signal.aborted) return new Promise(() => undefined);
      try {
        return await once();
      } catch (error) {
        if (errnoOf(error) === undefined) throw error;
      }
      await waitFor(watchMs, this.watching.signal);
    }
  }
}

async function checkExecutable(program: string): Promise<void> {
  try {
    await access(program, constants.X_OK);
  } catch (cause) {
    throw DeployError.of('runtime/spawn-failed', { program, problem: errnoOf(cause) ?? String(cause) }, { cause });
  }
}

/** Pinning and niceness are inherited, so they wrap the command; each `exec`s the next and keeps the pid. */
function toCommand(spec: LaunchSpec): readonly string[] {
  const { cpus, nice } = spec.resources;
  return [
    ...(cpus === undefined ? [] : ['taskset', '-c', cpus]),
    ...(nice === undefined ? [] : ['nice', '-n', String(nice)]),
    spec.program,
    ...spec.args,
  ];
}

function toEnvironment(order: LaunchOrder, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return {
    ...toEngineEnvironment(env, { offline: order.spec.env.HF_HUB_OFFLINE === '1' }),
    ...order.spec.env,
    ...order.secrets,
    TMPDIR: order.record.tmpDir,
    QWEN_DEPLOY_LAUNCH_ID: order.record.launchId,
  };
}

async function startKeeper(args: readonly string[], options: { readonly env: NodeJS.ProcessEnv; readonly log: FileHandle }) {
  try {
    return await startDetached('sh', args, { env: options.env, stdio: ['ignore', options.log.fd, options.log.fd], cwd: '/' });
  } catch (cause) {
    throw DeployError.of('runtime/spawn-failed', { program: 'sh', problem: errnoOf(cause) ?? String(cause) }, { cause });
  }
}

async function waitUntilStarted(
  startFile: string,
  { keeper, exited }: { readonly keeper: ProcessIdentity; readonly exited: Promise<DetachedExit> },
): Promise<ProcessIdentity> {
  let keeperGone = false;
  exited.then(() => {
    keeperGone = true;
  });
  const deadline = performance.now() + spawnLimitMs;
  while (performance.now() < deadline) {
    const pid = Number((await readTextFile(startFile)) ?? Number.NaN);
    // An engine that is already gone again still counts as started: its exit is on record.
    if (Number.isInteger(pid) && pid > 0) return identify(pid, ({ session }) => session === keeper.pid);
    if (keeperGone) break;
    await waitFor(2);
  }
  throw DeployError.of('runtime/spawn-failed', { program: 'sh', problem: 'the keeper did not start the engine' });
}

/**
 * Seen alive, and ours, after the tick in which it began: whoever gets its number later has another start time then.
 * One that is gone before has an identity that nobody has.
 */
async function identify(pid: number, isOurs: (facts: ProcessFacts) => boolean): Promise<ProcessIdentity> {
  for (let looks = 0; looks < looksMost; looks += 1) {
    const facts = await readProcess(pid);
    if (isDead(facts) || !isOurs(facts)) break;
    if (readUptimeTicks() > facts.startTicks) return { pid, startTicks: facts.startTicks };
    await waitFor(lookMs);
  }
  return { pid, startTicks: -1 };
}
