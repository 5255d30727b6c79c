/**
 * A deployment of the real vLLM, what the scenarios do with it, and what can be seen of a launch from outside: its
 * processes by session and log descriptor, its temporary directory, its shared memory, its port.
 */
import { existsSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { waitFor } from '../../src/core/clock.ts';
import type { DeploymentEvent, StartPhase } from '../../src/core/event.ts';
import { inTurns, isDead, listProcesses, type ProcessFacts, readCommandLine, readDescriptor, readProcess } from '../../src/host/proc.ts';
import type { LaunchRecord } from '../../src/runtime/runtime.ts';
import type { Deployment } from '../../src/supervisor/deployment.ts';
import type { State } from '../../src/supervisor/state.ts';
import { createSandbox, eventually, freePort, isPortOpen, killQuietly, type Sandbox } from '../scenarios/sandbox.ts';
import { engines } from './engine-home.ts';

/** One start of the engine on a slow and busy machine. */
export const startMs = 480_000;

export interface Stage {
  readonly box: Sandbox;
  readonly port: number;
  /** What `up` sets on top of profile `tiny`. */
  readonly sets: readonly string[];
  /** Files in /dev/shm from before the first start, and those that were found left over. */
  readonly sharedMemory: Set<string>;
  /** Every launch that was looked at: all of them must be gone at the end. */
  readonly launches: Map<string, Launch>;
}

export interface Launch {
  readonly record: LaunchRecord;
  readonly members: readonly Member[];
}

export interface Member extends ProcessFacts {
  /** vLLM's own titles: VLLM::EngineCore, VLLM::Worker. */
  readonly command: string;
}

/** Milliseconds, by what took them. */
export type Times = Readonly<Record<string, number>>;

export async function openStage(sets: readonly string[]): Promise<Stage> {
  const box = await createSandbox({ engines });
  const sharedMemory = new Set(await readdir('/dev/shm'));
  return { box, port: await freePort(), sets, sharedMemory, launches: new Map() };
}

export async function readStatus({ box }: Stage): Promise<Deployment> {
  return (await box.cli('status', 'tiny', '-o', 'json')).json<Deployment>();
}

export async function readEvents({ box }: Stage): Promise<readonly DeploymentEvent[]> {
  return (await box.cli('events', 'tiny', '-o', 'json')).json<{ events: readonly DeploymentEvent[] }>().events;
}

export function toUpArgs({ port, sets }: Stage, ...more: string[]): readonly string[] {
  return ['up', '-p', 'tiny', ...[...sets, `server.port=${port}`, ...more].flatMap((set) => ['--set', set])];
}

/** Ready, by what is there or by a start; what an earlier scenario may have left broken goes first. */
export async function ensureReady(stage: Stage): Promise<Deployment> {
  const shown = await stage.box.cli('status', 'tiny', '-o', 'json');
  const seen = shown.code === 6 ? undefined : shown.json<Deployment>();
  if (seen?.state === 'ready' && seen.supervised) return seen;
  if (seen !== undefined && seen.state !== 'stopped') await stage.box.cli('down', 'tiny', '--force');
  return startReady(stage);
}

/** From nothing; `sets` for this launch alone. */
export async function startReady(stage: Stage, ...sets: string[]): Promise<Deployment> {
  const result = await stage.box.cli(...toUpArgs(stage, ...sets), '--yes', '-o', 'json');
  expect(result.code, result.stderr + result.stdout).toBe(0);
  return result.json<Deployment>();
}

export async function ensureStopped({ box }: Stage): Promise<void> {
  const shown = await box.cli('status', 'tiny', '-o', 'json');
  if (shown.code === 6 || shown.json<Deployment>().state === 'stopped') return;
  const result = await box.cli('down', 'tiny', '--force');
  expect(result.code, result.stderr).toBe(0);
}

/** `down`, which returns when it has proof; how long that took. */
export async function stop({ box }: Stage, ...args: string[]): Promise<number> {
  const from = performance.now();
  const result = await box.cli('down', 'tiny', ...args, '-o', 'json');
  const took = performance.now() - from;
  expect(result.code, result.stderr + result.stdout).toBe(0);
  expect(result.json()).toMatchObject({ state: 'stopped', desired: 'down' });
  return took;
}

/** The current launch, by the supervisor's own record, and all its processes. */
export async function observeLaunch(stage: Stage): Promise<Launch> {
  const { launch: record } = await readState(stage);
  if (record === undefined) throw new Error('there was no launch');
  const launch = { record, members: await findMembers(record) };
  stage.launches.set(record.launchId, launch);
  return launch;
}

export function findMember({ members }: Launch, title: string): Member {
  const found = members.find(({ command }) => command.startsWith(title));
  if (found === undefined) throw new Error(`no ${title} among ${members.map(({ command }) => command).join(', ')}`);
  return found;
}

export function signalMember(launch: Launch, title: string, signal: NodeJS.Signals = 'SIGKILL'): void {
  killQuietly(findMember(launch, title).pid, signal);
}

/** Looks at the file, not by `status`: a process every few milliseconds would slow down what is waited for. */
export async function untilState(stage: Stage, check: (state: State) => boolean, withinMs = startMs): Promise<State> {
  // There is none before the first start.
  const look = () => readState(stage).catch(() => undefined);
  const state = await eventually(look, (seen) => seen !== undefined && check(seen), withinMs);
  if (state === undefined) throw new Error('there is no state');
  return state;
}

/** How far a start is: in the events, since the state on disk is not written for a phase. */
export async function untilPhase(stage: Stage, phases: readonly StartPhase[]): Promise<void> {
  const look = async () => {
    const events = await readEvents(stage).catch(() => []);
    return events
      .slice(events.findLastIndex(({ type }) => type === 'launched'))
      .findLast((event) => event.type === 'phase' || event.type === 'launched');
  };
  await eventually(
    look,
    (event) => (event?.type === 'phase' ? phases.includes(event.phase) : phases.includes('spawned') && event !== undefined),
    startMs,
  );
}

/** Ready again by itself with another launch. Times count from `since`, ms since the epoch. */
export async function untilReplaced(stage: Stage, before: Launch, since: number): Promise<Times> {
  const { launchId } = before.record;
  const { launch } = await untilState(stage, (state) => state.life === 'ready' && state.launch?.launchId !== launchId);
  await observeLaunch(stage);
  const events = await readEvents(stage);
  const found = events.find((event) => event.launchId === launchId && (event.type === 'exited' || event.type === 'unhealthy'));
  const ready = events.findLast((event) => event.type === 'ready' && event.launchId === launch?.launchId);
  return { found: toWall(found) - since, ready: toWall(ready) - since };
}

function toWall(event: DeploymentEvent | undefined): number {
  return Date.parse(event?.at ?? '');
}

/** What is left of a launch that is said to be over, in words: nothing is what it must be. */
export async function findLeftovers(stage: Stage, { record, members }: Launch): Promise<readonly string[]> {
  const found = await findMembers(record);
  const known = await Promise.all(members.map(async (member) => ({ ...member, now: await readProcess(member.pid) })));
  const alive = known.filter(({ now, startTicks }) => !isDead(now) && now.startTicks === startTicks);
  return [
    ...new Set([...found, ...alive].map(({ pid, command }) => `process ${pid} ${command}`)),
    ...(existsSync(record.tmpDir) ? [`file ${record.tmpDir}`] : []),
    ...(await findOwnerlessMemory(stage)),
  ];
}

/** The same of a deployment that is said to be stopped: its port is free, and its state can be read. */
export async function findLeftoversStopped(stage: Stage, launch: Launch): Promise<readonly string[]> {
  expect(await readState(stage)).toMatchObject({ name: 'tiny', life: 'stopped', desired: 'down' });
  return [...((await isPortOpen(stage.port)) ? [`port ${stage.port}`] : []), ...(await findLeftovers(stage, launch))];
}

/** The file itself, not its previous copy. */
async function readState({ box }: Stage): Promise<State> {
  return JSON.parse(await readFile(join(box.home, 'qd/state/deployments/tiny/state.json'), 'utf8')).state;
}

/** Never by environment or command line, which vLLM's children overwrite. */
async function findMembers({ keeper, logFile }: LaunchRecord): Promise<readonly Member[]> {
  const all = (await listProcesses()).filter((facts) => !isDead(facts));
  const found = await inTurns(all, async (facts): Promise<readonly Member[]> => {
    const links = await Promise.all([1, 2].map((descriptor) => readDescriptor(facts.pid, descriptor)));
    const isMember = facts.session === keeper?.pid || links.includes(logFile);
    return isMember ? [{ ...facts, command: (await readCommandLine(facts.pid)) || facts.comm }] : [];
  });
  return found.flat();
}

/** How long the engines of other files may take to clear away what they left when they were killed. */
const othersMs = 20_000;

/**
 * Shared memory of Python's and vLLM's that came since and that nobody will ever delete. What the engine of another file
 * leaves when it ends at this moment is deleted by its own resource tracker or supervisor soon; of ours nobody lives who could. Said once.
 */
async function findOwnerlessMemory({ sharedMemory }: Stage): Promise<readonly string[]> {
  const deadline = performance.now() + othersMs;
  let left = await listUnmapped(sharedMemory);
  while (left.length > 0 && performance.now() < deadline) {
    await waitFor(500);
    const now = new Set(await listUnmapped(sharedMemory));
    left = left.filter((name) => now.has(name));
  }
  for (const name of left) sharedMemory.add(name);
  return left.map((name) => `file /dev/shm/${name}`);
}

/** By name, without those that are `known`: what no living process has mapped. */
async function listUnmapped(known: ReadonlySet<string>): Promise<readonly string[]> {
  const isNew = (name: string) => /^(psm_|sem\.mp-|vllm_dist_)/.test(name) && !known.has(name);
  const fresh = (await readdir('/dev/shm')).filter(isNew);
  if (fresh.length === 0) return [];
  const pids = (await listProcesses()).map(({ pid }) => pid);
  const maps = await inTurns(pids, (pid) => readFile(`/proc/${pid}/maps`, 'utf8').catch(() => ''));
  // A semaphore's maker has it mapped under another name: the same file is the one with the same inode.
  const mapped = new Set(maps.flatMap((text) => [...text.matchAll(/ (\d+) +\/dev\/shm\//g)].map(([, inode]) => Number(inode))));
  const inodes = await Promise.all(fresh.map(async (name) => (await stat(join('/dev/shm', name)).catch(() => undefined))?.ino));
  return fresh.filter((_, index) => inodes[index] !== undefined && !mapped.has(inodes[index]));
}
