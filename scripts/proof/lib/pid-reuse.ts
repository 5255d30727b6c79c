/** Inside of a pid namespace: engines that end, and strangers that get their numbers. */
import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitFor } from '../../../src/core/clock.ts';
import { readBootId, readProcess } from '../../../src/host/proc.ts';
import { createProcessRuntime } from '../../../src/runtime/process.ts';
import type { LaunchRecord, Runtime } from '../../../src/runtime/runtime.ts';
import { killQuietly } from '../../../test/scenarios/sandbox.ts';
import { makeRecord, makeSpec } from '../../../test/supervisor/make.ts';
import { findEngines } from './outside.ts';
import { openStand, readQuietly } from './stand.ts';

export interface Reused {
  /** Strangers that had the number of a process of ours. */
  readonly forced: number;
  /** Of them: those that the built program met. */
  readonly program: number;
  readonly signalled: number;
  readonly problems: readonly string[];
}

interface Count {
  forced: number;
  program: number;
  signalled: number;
  readonly problems: string[];
}

const tries = 50;
const goneWithinMs = 10_000;

export async function reusePids(forced: number, programRounds: number): Promise<Reused> {
  const count: Count = { forced: 0, program: 0, signalled: 0, problems: [] };
  await checkDetector(count);
  for (let round = 1; round <= programRounds; round += 1) await meetProgram(count);
  count.program = count.forced;
  const runtime = createProcessRuntime({ PATH: process.env['PATH'] });
  while (count.forced < forced + count.program && count.problems.length < tries) await meetRuntime(runtime, count);
  return count;
}

/** A stranger that is signalled must be noticed, or nothing here means anything. */
async function checkDetector(count: Count): Promise<void> {
  const stranger = await openStranger({});
  killQuietly(stranger.pid, 'SIGTERM');
  if (!wasSignalled(stranger)) count.problems.push('a signal to a stranger goes unnoticed: the proof is blind');
  await stranger.end();
}

/** Everything of the runtime that could signal somebody, with the record of a launch that is over. */
async function meetRuntime(runtime: Runtime, count: Count): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'qd-reuse-'));
  const record = await toRecord(directory, count.forced + 1);
  const spec = makeSpec({ program: '/bin/sleep', args: ['600'] });
  const instance = await runtime.launch({ deployment: 'tiny', spec, record, secrets: {} });
  const { process: engine, keeper } = instance.record;
  // Known by an earlier look, as after a readiness gate.
  await instance.sample();
  killQuietly(engine?.pid ?? 0);
  await untilGone([engine?.pid, keeper?.pid]);
  const strangers = await takeNumbers([engine?.pid, keeper?.pid], count);
  const adopted = await runtime.adopt(instance.record);
  if (adopted) count.problems.push('a stranger was adopted');
  adopted?.release();
  const { keeper: _, ...withoutKeeper } = instance.record;
  for (const remains of [instance, runtime.remains(instance.record), runtime.remains(withoutKeeper)]) {
    const members = await remains.members();
    if (members.length > 0) count.problems.push(`a stranger was taken for a member: ${JSON.stringify(members)}`);
    await remains.kill(20);
  }
  await instance.terminate();
  instance.release();
  await endStrangers(strangers, count);
  await rm(directory, { recursive: true, force: true });
}

async function toRecord(directory: string, run: number): Promise<LaunchRecord> {
  const { process: _process, keeper: _keeper, ...record } = makeRecord(run);
  const place = (name: string) => join(directory, name);
  return { ...record, bootId: await readBootId(), logFile: place('engine.log'), exitFile: place('exit.json'), tmpDir: place('tmp') };
}

/** Supervisor and engine are killed, and strangers have their numbers when the next commands come. */
async function meetProgram(count: Count): Promise<void> {
  const stand = await openStand();
  try {
    await stand.up();
    const supervisor = stand.killSupervisor();
    const engines = findEngines(stand.box.home).map(({ pid }) => pid);
    const keeper = Number((await readProcess(Math.min(...engines)))?.ppid);
    for (const pid of engines) killQuietly(pid);
    const numbers = [supervisor, keeper, ...engines];
    await untilGone(numbers);
    const strangers = await takeNumbers(numbers, count);
    await stand.box.cli('status', 'tiny', '-o', 'json');
    const down = await stand.down();
    if (down.code !== 0) count.problems.push(`down among strangers: exit ${down.code}: ${down.stderr}`);
    await stand.up();
    await stand.box.cli('down', 'tiny', '--force');
    await endStrangers(strangers, count);
  } finally {
    await stand.dispose();
  }
}

interface Stranger {
  readonly pid: number;
  readonly startTicks: number;
  end(): Promise<void>;
}

async function takeNumbers(numbers: readonly (number | undefined)[], count: Count): Promise<readonly Stranger[]> {
  const strangers: Stranger[] = [];
  for (const [at, pid] of numbers.entries()) {
    if (pid === undefined) continue;
    // Every other one is the leader of a session with that number too.
    strangers.push(await openStranger({ pid, leads: (count.forced + at) % 2 === 0 }));
  }
  count.forced += strangers.length;
  return strangers;
}

async function endStrangers(strangers: readonly Stranger[], count: Count): Promise<void> {
  for (const stranger of strangers) {
    const damage = toDamage(stranger);
    if (damage === undefined) continue;
    count.signalled += 1;
    count.problems.push(`the stranger ${stranger.pid} was signalled: ${damage}`);
  }
  await Promise.all(strangers.map((stranger) => stranger.end()));
}

/** Sleeps, and blocks every signal that can be blocked, so that one that came stays to be seen. */
async function openStranger({ pid, leads = false }: { readonly pid?: number; readonly leads?: boolean }): Promise<Stranger> {
  for (let turn = 0; turn < tries; turn += 1) {
    if (pid !== undefined) writeFileSync('/proc/sys/kernel/ns_last_pid', `${pid - 1}`);
    const child = spawn('/usr/bin/env', ['--block-signal', '/bin/sleep', '600'], { detached: leads, stdio: 'ignore', env: {} });
    if (child.pid !== undefined && (pid === undefined || child.pid === pid)) return identify(child, child.pid);
    await endChild(child);
  }
  throw new Error(`the number ${pid} could not be had`);
}

async function identify(child: ChildProcess, pid: number): Promise<Stranger> {
  while (readQuietly(`/proc/${pid}/comm`).trim() !== 'sleep') await waitFor(1);
  const facts = await readProcess(pid);
  return { pid, startTicks: facts?.startTicks ?? -1, end: () => endChild(child) };
}

function endChild(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}

function wasSignalled(stranger: Stranger): boolean {
  return toDamage(stranger) !== undefined;
}

/** What a signal has done to it: ended, stopped, or waiting to be taken. It may run or wait for the disk just as well as sleep. */
function toDamage({ pid, startTicks }: Pick<Stranger, 'pid' | 'startTicks'>): string | undefined {
  const status = readQuietly(`/proc/${pid}/status`);
  const state = /^State:\s+(\S)/m.exec(status)?.[1];
  if (state === undefined || !'SRD'.includes(state)) return `state ${state ?? 'gone'}`;
  const ticks = readQuietly(`/proc/${pid}/stat`).split(' ')[21];
  if (ticks !== `${startTicks}`) return `began at ${ticks}, not ${startTicks}`;
  const waiting = [...status.matchAll(/^((?:SigPnd|ShdPnd):\s+0*[1-9a-f][0-9a-f]*)$/gm)].map(([line]) => line);
  return waiting.length > 0 ? waiting.join(', ') : undefined;
}

async function untilGone(pids: readonly (number | undefined)[]): Promise<void> {
  const deadline = performance.now() + goneWithinMs;
  for (const pid of pids) {
    while (pid !== undefined && readQuietly(`/proc/${pid}/stat`) !== '') {
      if (performance.now() > deadline) throw new Error(`${pid} is still there`);
      await waitFor(2);
    }
  }
}
