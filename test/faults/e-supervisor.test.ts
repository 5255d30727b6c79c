/** The supervisor's own bad days. The engine must not notice any of them. */
import { spawn } from 'node:child_process';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { waitFor } from '../../src/core/clock.ts';
import { isDead, readProcess } from '../../src/host/proc.ts';
import { readState, writeState } from '../../src/supervisor/store.ts';
import { eventually, killQuietly, toUpArgs, untilNothingIsLeft } from '../scenarios/sandbox.ts';
import { openKit, quick, quickHangs } from './kit.ts';

const kit = openKit();
const timeout = 60_000;
const stateFile = () => join(kit.box.home, 'qd/state/deployments/tiny/state.json');
const toLog = (launchId: string) => join(kit.box.home, 'qd/state/deployments/tiny/launches', launchId, `engine-${launchId}.log`);
const logSize = async (launchId: string) => (await stat(toLog(launchId)).catch(() => ({ size: 0 }))).size;

async function killSupervisor(signal: NodeJS.Signals = 'SIGKILL'): Promise<number> {
  const pid = (await kit.status()).supervisor?.pid ?? 0;
  killQuietly(pid, signal);
  await eventually(
    () => readProcess(pid),
    (facts) => isDead(facts),
  );
  return pid;
}

describe('a supervisor that is killed', { timeout }, () => {
  it('E1 the engine serves on, is taken over within 5 s, ready, with its counts', async () => {
    const first = await kit.up('', ...quick);
    killQuietly(first.pid ?? 0);
    const before = await kit.untilReplaced(first);
    await killSupervisor();
    expect(await kit.complete('Hello')).toBe(200);
    const startedAt = performance.now();
    const other = kit.box.start('supervise', 'tiny');
    const after = await kit.until(({ supervised, state }) => supervised && state === 'ready', 5000);
    expect(performance.now() - startedAt).toBeLessThan(5000);
    expect(after).toMatchObject({ pid: before.pid, run: 2, restarts: { total: 1, sinceStable: 1 }, readyAt: before.readyAt });
    expect((await kit.box.cli('down')).code).toBe(0);
    await other.result;
  });

  it('E15 while it waits for the next start: the rest of the delay is waited for', async () => {
    await kit.up('', 'restart.first-delay=12s', 'stop.drain=1s');
    await kit.setFaults({ exitNow: 1 });
    const { nextStartAt = '' } = await kit.until(({ state }) => state === 'backoff');
    await killSupervisor();
    const other = kit.box.start('supervise', 'tiny');
    const waiting = await kit.until(({ supervised }) => supervised);
    expect(waiting).toMatchObject({ state: 'backoff', nextStartAt });
    const launched = await eventually(kit.events, (events) => events.filter(({ type }) => type === 'launched').length === 2);
    const at = Date.parse(launched.findLast(({ type }) => type === 'launched')?.at ?? '');
    expect(at - Date.parse(nextStartAt)).toBeGreaterThan(-50);
    expect(at - Date.parse(nextStartAt)).toBeLessThan(2000);
    expect((await kit.box.cli('down')).code).toBe(0);
    await other.result;
  });
});

describe('a supervisor that stands still', { timeout }, () => {
  it('E2 under a flood of log lines: the engine is as quick as before, and loses no line', async () => {
    const { supervisor, launchId = '' } = await kit.up('flood=2000', ...quick);
    const before = await timeOf(10);
    killQuietly(supervisor?.pid ?? 0, 'SIGSTOP');
    const size = await logSize(launchId);
    // Far more than a pipe would hold.
    await waitFor(3000);
    const during = await timeOf(10);
    expect(await logSize(launchId)).toBeGreaterThan(size + 300_000);
    expect(during).toBeLessThan(3 * before + 200);
    killQuietly(supervisor?.pid ?? 0, 'SIGCONT');
    const log = await readFile(toLog(launchId), 'utf8');
    const numbers = [...log.matchAll(/ flood (\d+) x/g)].map(([, number]) => Number(number));
    expect(numbers.length).toBeGreaterThan(4000);
    expect(numbers).toEqual(numbers.map((_, at) => at + 1));
  });

  it('E5 for longer than a hang may last: what it missed counts for nothing', async () => {
    const first = await kit.up('', ...quickHangs);
    killQuietly(first.supervisor?.pid ?? 0, 'SIGSTOP');
    await waitFor(4000);
    killQuietly(first.supervisor?.pid ?? 0, 'SIGCONT');
    await waitFor(1500);
    expect(await kit.status()).toMatchObject({ state: 'ready', launchId: first.launchId, restarts: { total: 0 } });
  });

  it('E13 with the engine, as in a suspended machine: looked at anew, no restart, no burst of events', async () => {
    const first = await kit.up('', ...quickHangs);
    const all = (await kit.box.processes()).map(({ pid }) => pid);
    const seq = (await kit.events()).length;
    for (const pid of all) killQuietly(pid, 'SIGSTOP');
    await waitFor(5000);
    for (const pid of all) killQuietly(pid, 'SIGCONT');
    await waitFor(2000);
    const after = await kit.until(({ state }) => state === 'ready');
    expect(after).toMatchObject({ launchId: first.launchId, restarts: { total: 0 } });
    expect((await kit.events()).length - seq).toBeLessThan(6);
  });
});

/** Milliseconds for so many requests, one after the other. */
async function timeOf(requests: number): Promise<number> {
  const startedAt = performance.now();
  for (let n = 0; n < requests; n += 1) expect(await kit.complete('Hello')).toBe(200);
  return performance.now() - startedAt;
}

describe('an error that nobody caught', { timeout }, () => {
  it.each(['throw', 'reject'])('E4 (%s): said, exit status not 0, state whole, the engine untouched', async (how) => {
    const first = await kit.up('', ...quick);
    await killSupervisor();
    kit.box.env.QD_CRASH_AT = `${how}:recover#1`;
    const result = await kit.box.start('supervise', 'tiny').result;
    delete kit.box.env.QD_CRASH_AT;
    expect(result.code).not.toBe(0);
    expect(result.stderr).toContain('QD_CRASH_AT');
    expect(await readState(stateFile(), 'tiny')).toMatchObject({ launch: { launchId: first.launchId }, desired: 'up' });
    expect(await kit.complete('Hello')).toBe(200);
    expect(await kit.up('', ...quick)).toMatchObject({ state: 'ready', pid: first.pid });
  });
});

describe('a second supervisor', { timeout }, () => {
  it('E6 is refused with the pid of the first, which goes on', async () => {
    const { supervisor } = await kit.up('', ...quick);
    const result = await kit.box.cli('supervise', 'tiny');
    expect(result.code).toBe(4);
    expect(result.stderr).toContain(String(supervisor?.pid));
    expect(await kit.status()).toMatchObject({ state: 'ready', supervisor: { pid: supervisor?.pid } });
  });
});

describe('a state of another schema', { timeout }, () => {
  it('E7 newer: refused, left whole, the engine untouched', async () => {
    const first = await kit.up('', ...quick);
    await killSupervisor();
    const state = await readState(stateFile(), 'tiny');
    const newer = JSON.parse(JSON.stringify({ ...state, schema: 99 }));
    await writeState(stateFile(), newer);
    const text = await readFile(stateFile(), 'utf8');
    const result = await kit.box.cli(...toUpArgs(kit.port));
    expect(result.code).toBe(4);
    expect(result.stderr).toMatch(/state\/newer/);
    expect(await readFile(stateFile(), 'utf8')).toBe(text);
    expect(isDead(await readProcess(first.pid ?? 0))).toBe(false);
    await writeState(stateFile(), JSON.parse(JSON.stringify(state)));
  });

  it('E7 older, without what came later: taken over', async () => {
    const first = await kit.up('', ...quick);
    await killSupervisor();
    const state = await readState(stateFile(), 'tiny');
    const { termsSent: _, ...older } = JSON.parse(JSON.stringify(state));
    await writeState(stateFile(), older);
    expect(await kit.up('', ...quick)).toMatchObject({ state: 'ready', pid: first.pid });
    expect((await kit.box.cli('down')).code).toBe(0);
    await untilNothingIsLeft(kit.box);
  });
});

describe('signals to the supervisor', { timeout }, () => {
  it('E8 SIGHUP, as of a terminal that closes, to all that runs: both live', async () => {
    const first = await kit.up('', ...quick);
    const all = (await kit.box.processes()).map(({ pid }) => pid);
    for (const pid of all) killQuietly(pid, 'SIGHUP');
    await waitFor(1000);
    expect(await kit.status()).toMatchObject({ state: 'ready', pid: first.pid, supervisor: { pid: first.supervisor?.pid } });
  });

  it('E9 SIGTERM: the engine stays, and is taken over', async () => {
    const first = await kit.up('', ...quick);
    await killSupervisor('SIGTERM');
    expect(await kit.complete('Hello')).toBe(200);
    expect(await kit.status()).toMatchObject({ state: 'ready', supervised: false });
    expect(await kit.up('', ...quick)).toMatchObject({ state: 'ready', pid: first.pid, supervised: true });
  });
});

describe('a machine that was restarted', { timeout }, () => {
  it('E10 no pid of before counts: who has it now is not touched, and what was wanted up is started', async () => {
    const first = await kit.up('', ...quick);
    for (const { pid } of await kit.box.processes()) killQuietly(pid);
    const stranger = spawn('sleep', ['60'], { stdio: 'ignore', detached: true });
    const identity = { pid: stranger.pid ?? 0, startTicks: (await readProcess(stranger.pid ?? 0))?.startTicks ?? 0 };
    const state = await readState(stateFile(), 'tiny');
    if (state?.launch === undefined) throw new Error('no launch on record');
    const launch = { ...state.launch, bootId: 'another', process: identity, keeper: identity };
    await writeState(stateFile(), { ...state, launch });
    const other = kit.box.start('supervise', 'tiny');
    const after = await kit.untilReplaced(first);
    expect(after.run).toBe(2);
    expect((await kit.box.cli('down')).code).toBe(0);
    expect(isDead(await readProcess(identity.pid))).toBe(false);
    stranger.kill('SIGKILL');
    await other.result;
  });
});

describe('no descriptors left', { timeout }, () => {
  it('E11 the engine serves, and the supervisor goes on when there are some again', async () => {
    const first = await kit.up('', ...quick, 'health.interval=300ms');
    const pid = String(first.supervisor?.pid);
    expect(await run('prlimit', ['--pid', pid, '--nofile=5:4096'])).toBe(0);
    await waitFor(3000);
    expect(await kit.complete('Hello')).toBe(200);
    expect(await run('prlimit', ['--pid', pid, '--nofile=4096:4096'])).toBe(0);
    const after = await kit.until(({ state, supervised }) => state === 'ready' && supervised);
    expect(after).toMatchObject({ pid: first.pid, supervisor: { pid: first.supervisor?.pid }, restarts: { total: 0 } });
    expect((await kit.box.cli('events', 'tiny')).stdout).toContain('EMFILE');
    expect((await kit.box.cli('down')).code).toBe(0);
    await untilNothingIsLeft(kit.box);
  });
});

function run(program: string, args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    spawn(program, args, { stdio: 'ignore' })
      .once('error', reject)
      .once('close', (code) => resolve(code ?? -1));
  });
}

describe('a supervisor that the kernel ends for want of memory', { timeout }, () => {
  it('E16 is as one that was killed: the engine serves on and is taken over', async () => {
    const first = await kit.up('', ...quick);
    const pid = first.supervisor?.pid ?? 0;
    const group = await squeeze(pid);
    // Without control groups of ours only the signal is left, which is what the kernel would send.
    if (group === undefined) killQuietly(pid);
    await eventually(
      async () => {
        await kit.box.cli('status', 'tiny');
        return readProcess(pid);
      },
      (facts) => isDead(facts),
    );
    expect(await kit.complete('Hello')).toBe(200);
    expect(await kit.up('', ...quick)).toMatchObject({ state: 'ready', pid: first.pid, restarts: { total: 0 } });
    if (group !== undefined) await run('rmdir', [group]);
  });
});

/** Moves a process into a group with next to no memory, where this machine allows it. */
async function squeeze(pid: number): Promise<string | undefined> {
  const group = `/sys/fs/cgroup/memory/qd-test-${pid}`;
  if ((await run('mkdir', [group])) !== 0) return undefined;
  try {
    await writeFile(join(group, 'memory.limit_in_bytes'), String(2 * 2 ** 20));
    await writeFile(join(group, 'cgroup.procs'), String(pid));
    return group;
  } catch {
    // not ours to write
    await run('rmdir', [group]);
    return undefined;
  }
}
