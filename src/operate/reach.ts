/** Reaching a deployment: its name, its supervisor (started or healed where a command may do that), its document. */
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readSupervised } from '../control/client.ts';
import { type DeploymentPaths, ensureDeploymentPaths, listDeployments, toDeploymentPaths } from '../control/directory.ts';
import { waitFor } from '../core/clock.ts';
import { DeployError } from '../core/error.ts';
import { say } from '../core/message.ts';
import { toNearest } from '../core/nearest.ts';
import { startDetached } from '../host/exec.ts';
import { writeFileAtomic } from '../host/files.ts';
import { readLastLines } from '../host/tail.ts';
import type { Deployable, State } from '../supervisor/state.ts';
import { readState } from '../supervisor/store.ts';
import type { Context } from './context.ts';

const supervisorLimitMs = 15_000;

export interface Known {
  readonly name: string;
  readonly paths: DeploymentPaths;
  readonly state: State;
}

/** The deployment meant: the named one, or the only one that can be. */
export async function findDeployment(name: string | undefined, command: string, context: Context): Promise<Known> {
  const names = await listDeployments(context.places);
  const chosen = name ?? (await chooseOnly(names, command, context));
  const paths = toDeploymentPaths(context.places, chosen);
  const state = names.includes(chosen) ? await readState(paths.state, chosen) : undefined;
  if (state === undefined) {
    const near = toNearest(chosen, names);
    throw DeployError.of('deployment/unknown', { name: chosen, nearest: near.length > 0 ? ` Did you mean ${near.join(' or ')}?` : '' });
  }
  return { name: chosen, paths, state };
}

/** The only deployment; among several, the only one that is not down. */
async function chooseOnly(names: readonly string[], command: string, context: Context): Promise<string> {
  const [first, ...others] = names;
  if (first === undefined) throw DeployError.of('deployment/none', {});
  if (others.length === 0) return first;
  const states = await Promise.all(names.map((name) => readState(toDeploymentPaths(context.places, name).state, name)));
  const [live, ...more] = states.filter((state) => state !== undefined && isExpectedAlive(state));
  if (live === undefined || more.length > 0) throw DeployError.of('deployment/several', { names: names.join(', '), command });
  return live.name;
}

export interface Reached {
  readonly name: string;
  readonly socket: string;
  readonly pid: number;
  /** True when this call started the supervisor. */
  readonly started: boolean;
}

/** The supervisor of a deployment; started when there is none. `first` is what a new deployment begins with. */
export async function reachSupervisor(name: string, context: Context, first?: Deployable): Promise<Reached> {
  const paths = await ensureDeploymentPaths(context.places, name);
  const address = { name, socket: paths.socket };
  const running = await readSupervised(address);
  if (running?.supervisor) return { ...address, pid: running.supervisor.pid, started: false };
  const known = await readState(paths.state, name);
  const pid = await startSupervisorProcess(paths, context, { name, ...(first ? { first } : {}) });
  if (known && isExpectedAlive(known)) context.emit({ type: 'said', level: 'warning', text: say('up.new-supervisor', { name, pid }) });
  return { ...address, pid, started: true };
}

/** Whether a supervisor ought to be there: its absence is then worth a word. */
export function isExpectedAlive(state: State): boolean {
  return state.life !== 'stopped' && state.life !== 'failed';
}

async function startSupervisorProcess(
  paths: DeploymentPaths,
  context: Context,
  about: { name: string; first?: Deployable },
): Promise<number> {
  const [program, ...args] = context.programs.self;
  const firstFile = join(paths.directory, `first-${process.pid}.json`);
  await writeFileAtomic(firstFile, JSON.stringify(about.first ?? null));
  const input = await open(firstFile, 'r');
  const log = await open(paths.supervisorLog, 'a', 0o600);
  try {
    const child = await startDetached(program, [...args, 'supervise', about.name], {
      env: context.env,
      stdio: [input.fd, log.fd, log.fd],
      cwd: '/',
    });
    return await waitUntilAnswering(paths, about.name, child.exited);
  } finally {
    await input.close();
    await log.close();
    await rm(firstFile, { force: true });
  }
}

/** Of two supervisors started at once one wins the lock; then the other's end is no failure of ours. */
async function waitUntilAnswering(paths: DeploymentPaths, name: string, exited: Promise<unknown>): Promise<number> {
  let childGone = false;
  exited.then(() => {
    childGone = true;
  });
  const deadline = performance.now() + supervisorLimitMs;
  while (performance.now() < deadline) {
    const document = await readSupervised({ name, socket: paths.socket });
    if (document?.supervisor) return document.supervisor.pid;
    if (childGone) break;
    await waitFor(10);
  }
  const { lines } = await readLastLines(paths.supervisorLog, 1);
  throw DeployError.of('supervisor/no-start', { name, problem: lines[0] ?? 'it gave no reason', log: paths.supervisorLog });
}
