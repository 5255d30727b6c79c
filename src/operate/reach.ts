/** Commanding a deployment's supervisor, which is started or healed where a command may do that. */
import { open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type CommandReply, type SupervisorAddress, sendCommand } from '../control/client.ts';
import { type DeploymentPaths, ensureDeploymentPaths } from '../control/directory.ts';
import { waitFor } from '../core/clock.ts';
import { DeployError } from '../core/error.ts';
import { say } from '../core/message.ts';
import { startDetached } from '../host/exec.ts';
import { appendOwn, errnoOf, writeFileAtomic } from '../host/files.ts';
import { tryLock } from '../host/lock.ts';
import { openTail } from '../host/tail.ts';
import type { Command } from '../supervisor/signal.ts';
import type { Deployable } from '../supervisor/state.ts';
import type { Context } from './context.ts';
import { isExpectedAlive, type Running, readReadableState, readRunning } from './find.ts';

const supervisorLimitMs = 15_000;

export interface Ordered {
  readonly address: SupervisorAddress;
  readonly reply: CommandReply;
}

export interface Order {
  readonly command: Command;
  readonly secrets?: Readonly<Record<string, string>>;
  /** What a new deployment begins with. */
  readonly first?: Deployable;
}

/** A supervisor that is just ending takes no command; the next one is reached or started. */
const triesMost = 5;
const againMs = 200;

/** Sends a command to the deployment's supervisor, which is started when there is none. */
export async function commandSupervisor(name: string, { command, secrets, first }: Order, context: Context): Promise<Ordered> {
  for (let tries = 1; ; tries += 1) {
    const address = await reachSupervisor(name, context, first);
    const reply = await sendCommand(address, command, secrets);
    if (reply) return { address, reply };
    if (tries === triesMost) throw DeployError.of('supervisor/gone', { name });
    await waitFor(againMs);
  }
}

async function reachSupervisor(name: string, context: Context, first: Deployable | undefined): Promise<SupervisorAddress> {
  const paths = await ensureDeploymentPaths(context.places, name);
  const running = await readRunning(name, context);
  if (running) return running.address;
  const known = await readReadableState(name, context);
  // With a record nothing need be handed over, which would take room on a disk that may be full or read-only.
  const started = await startSupervisorProcess(paths, context, { name, ...(first && known === undefined ? { first } : {}) });
  const pid = started.document.supervisor?.pid ?? 0;
  if (known && isExpectedAlive(known)) context.emit({ type: 'said', level: 'warning', text: say('up.new-supervisor', { name, pid }) });
  return started.address;
}

async function startSupervisorProcess(
  paths: DeploymentPaths,
  context: Context,
  about: { readonly name: string; readonly first?: Deployable },
): Promise<Running> {
  const { name, first } = about;
  const [program, ...args] = context.programs.self;
  const firstFile = join(paths.directory, `first-${process.pid}.json`);
  const said = openTail(paths.supervisorLog, await readSize(paths.supervisorLog));
  try {
    if (first) await writeFileAtomic(firstFile, JSON.stringify(first));
    const input = first && (await open(firstFile, 'r'));
    // On a disk that takes nothing any more it goes without its log.
    const log = await open(paths.supervisorLog, appendOwn, 0o600).catch(() => undefined);
    try {
      const output = log?.fd ?? 'ignore';
      const stdio = [input?.fd ?? 'ignore', output, output] as const;
      const child = await startDetached(program, [...args, 'supervise', name], { env: context.env, stdio, cwd: '/' });
      const running = await waitUntilAnswering(paths, { name, exited: child.exited }, context);
      if (running) return running;
    } finally {
      await input?.close();
      await log?.close();
      await rm(firstFile, { force: true });
    }
  } catch (error) {
    if (error instanceof DeployError || errnoOf(error) === undefined) throw error;
    throw toNoStart(name, paths, String(error));
  }
  const [line] = await said.readLines();
  throw toNoStart(name, paths, line ?? 'it gave no reason');
}

function toNoStart(name: string, { supervisorLog }: DeploymentPaths, problem: string): DeployError {
  return DeployError.of('supervisor/no-start', { name, problem, log: supervisorLog });
}

const answerPollMs = 10;
const lockPollMs = 200;

/** Of two supervisors started at once one gets the lock, and the other's end is no failure as long as that one holds it. */
async function waitUntilAnswering(
  paths: DeploymentPaths,
  { name, exited }: { readonly name: string; readonly exited: Promise<unknown> },
  context: Context,
): Promise<Running | undefined> {
  let childGone = false;
  exited.then(() => {
    childGone = true;
  });
  const deadline = performance.now() + supervisorLimitMs;
  while (performance.now() < deadline) {
    const gone = childGone;
    const running = await readRunning(name, context);
    if (running) return running;
    if (gone && !(await isLocked(paths.lock))) return undefined;
    await waitFor(gone ? lockPollMs : answerPollMs);
  }
  return undefined;
}

/** Whether a supervisor lives, even if it does not answer yet. */
export async function isLocked(path: string): Promise<boolean> {
  try {
    const lock = await tryLock(path);
    await lock?.release();
    return lock === undefined;
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return false;
  }
}

async function readSize(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}
