import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sendCommand } from '../../src/control/client.ts';
import { type DeploymentPaths, ensureDeploymentPaths, toLaunchPaths } from '../../src/control/directory.ts';
import { waitFor } from '../../src/core/clock.ts';
import { probePort } from '../../src/host/net.ts';
import { isDead, readBootId, readProcess } from '../../src/host/proc.ts';
import { readRunning } from '../../src/operate/find.ts';
import { forget } from '../../src/operate/forget.ts';
import { readStatus } from '../../src/operate/status.ts';
import { readStatusList } from '../../src/operate/status-list.ts';
import { type RunningSupervisor, startSupervisor } from '../../src/operate/supervise.ts';
import { createProcessRuntime } from '../../src/runtime/process.ts';
import type { Instance } from '../../src/runtime/runtime.ts';
import type { Deployable } from '../../src/supervisor/state.ts';
import { readState, writeState } from '../../src/supervisor/store.ts';
import { makeSpec, makeState, makeWanted } from '../supervisor/make.ts';
import { createTestContext, type TestContext } from './context.ts';

let home: string;
let context: TestContext;
let paths: DeploymentPaths;
let wanted: Deployable;
const running: RunningSupervisor[] = [];
const strays: Instance[] = [];

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'qd-op-'));
  context = createTestContext(home);
  paths = await ensureDeploymentPaths(context.places, 'tiny');
  const free = await probePort('127.0.0.1', 0);
  const endpoint = { host: '127.0.0.1', port: free.is === 'free' ? free.port : 0 };
  wanted = makeWanted('a', { program: '/bin/bash', args: ['-c', 'echo started; exec sleep 81'], model: 'Qwen/Qwen3-0.6B', endpoint });
});
afterEach(async () => {
  for (const one of running.splice(0)) {
    await one.supervisor.send({ type: 'down', force: true });
    await one.ended(new AbortController().signal);
  }
  for (const stray of strays.splice(0)) {
    await stray.kill(5000);
    await stray.tidy();
  }
  await rm(home, { recursive: true, force: true, maxRetries: 5 });
});

async function start(first: Deployable | undefined = wanted, unaskedMs = 300): Promise<RunningSupervisor> {
  const one = await startSupervisor('tiny', context, { first: async () => first, serve: true, unaskedMs });
  running.push(one);
  return one;
}

const up = (one: RunningSupervisor) => one.supervisor.send({ type: 'up', wanted, rollback: true, by: 'up' });
const life = (one: RunningSupervisor) => expect.poll(() => one.supervisor.now.life, { timeout: 5000 });

/** An engine that runs without a supervisor and, as far as the files say, without a record. */
async function startStray(): Promise<Instance> {
  const launchId = '01900000-0000-7000-8000-000000000001';
  const files = toLaunchPaths(paths, launchId);
  const record = { launchId, run: 1, backend: 'process', createdAt: '', bootId: await readBootId(), port: 1, host: '127.0.0.1' } as const;
  const spec = makeSpec({ program: '/bin/bash', args: ['-c', 'echo stray; exec sleep 82'] });
  const order = { deployment: 'tiny', spec, record: { ...record, ...files }, secrets: {} };
  const stray = await createProcessRuntime(process.env).launch(order);
  strays.push(stray);
  return stray;
}

describe('a supervisor', () => {
  it('that nobody asks for anything ends by itself', async () => {
    const one = await startSupervisor('tiny', context, { first: async () => wanted, serve: true, unaskedMs: 100 });
    await one.ended(new AbortController().signal);
    expect(await readRunning('tiny', context)).toBeUndefined();
    expect(await readState(paths.state, 'tiny')).toMatchObject({ life: 'stopped', run: 0 });
  });

  it('does not end while a command waits for a slow disk, whatever the state says', async () => {
    const one = await startSupervisor('tiny', context, { first: async () => wanted, serve: true, unaskedMs: 100 });
    let isBusy = true;
    Object.defineProperty(one.supervisor, 'isBusy', { get: () => isBusy });
    const ended = one.ended(new AbortController().signal).then(() => 'ended');
    expect(await Promise.race([ended, waitFor(600).then(() => 'waits')])).toBe('waits');
    isBusy = false;
    expect(await ended).toBe('ended');
  });

  it('waits for the one who started it', async () => {
    const one = await start(wanted, 2000);
    const ended = one.ended(new AbortController().signal);
    await waitFor(600);
    expect(await sendCommand({ name: 'tiny', socket: paths.socket }, { type: 'down', force: false })).toBeDefined();
    await ended;
    running.pop();
  });

  it('E6 is one at a time, and says which', async () => {
    await start();
    await expect(startSupervisor('tiny', context, { first: async () => wanted, serve: true, lockMs: 200 })).rejects.toMatchObject({
      code: 'supervisor/running',
      params: { pid: String(process.pid) },
    });
  });

  it('is found by its lock file, also by a shell with other variables', async () => {
    await start();
    const other = createTestContext(home, { env: { PATH: process.env.PATH, HOME: home, QWEN_DEPLOY_HOME: home } });
    const elsewhere = { ...other, places: { ...other.places, run: join(home, 'another/run') } };
    expect((await readRunning('tiny', elsewhere))?.document.name).toBe('tiny');
  });

  it('leaves no lock behind when it cannot start', async () => {
    await mkdir(paths.socket, { recursive: true });
    await expect(start()).rejects.toThrow();
    await rm(paths.socket, { recursive: true });
    await start();
  });

  it('starts on a disk where its state cannot be written, and says so', async () => {
    await writeState(paths.state, makeState({ wanted }));
    await mkdir(`${paths.state}.prev`);
    const one = await start();
    await up(one);
    await life(one).toBe('starting');
    await one.journal.flush();
    expect(await readFile(paths.events, 'utf8')).toContain('life.persistence-degraded');
    await rm(`${paths.state}.prev`, { recursive: true });
  });

  it('without a record and without anything to begin with is of an unknown deployment', async () => {
    await expect(startSupervisor('tiny', context, { first: async () => undefined, serve: false })).rejects.toMatchObject({
      code: 'deployment/unknown',
    });
  });

  it('takes over the engine of the one before, which goes on serving', async () => {
    const one = await start();
    await up(one);
    await life(one).toBe('starting');
    await expect.poll(() => one.supervisor.now.launch?.process).toBeDefined();
    const pid = one.supervisor.now.launch?.process?.pid ?? 0;
    const leave = new AbortController();
    leave.abort();
    await one.ended(leave.signal);
    running.pop();
    expect(isDead(await readProcess(pid))).toBe(false);
    const next = await start();
    expect(next.supervisor.now).toMatchObject({ life: 'starting', run: 1, launch: { process: { pid } } });
    expect(isDead(await readProcess(pid))).toBe(false);
  });

  it('that died between starting an engine and writing down which one: the next one ends that engine before its own', async () => {
    const stray = await startStray();
    const { keeper: _, process: engine, ...launch } = stray.record;
    await writeState(paths.state, makeState({ wanted, life: 'starting', desired: 'up', run: 1, launch }));
    const one = await start();
    await life(one).toBe('backoff');
    expect(isDead(await readProcess(engine?.pid ?? 0))).toBe(true);
  });
});

describe('a record that was lost', () => {
  it('F4 is kept for a look, what still runs is ended, and a new one begins', async () => {
    const stray = await startStray();
    await writeFile(paths.state, 'rotten');
    const one = await start();
    expect(isDead(await readProcess(stray.record.process?.pid ?? 0))).toBe(true);
    expect((await readdir(paths.directory)).some((name) => name.startsWith('state.corrupt-'))).toBe(true);
    await one.journal.flush();
    const events = await readFile(paths.events, 'utf8');
    expect(events).toMatch(/life\.state-lost/);
    expect(events).toMatch(/"survivors".*sleep 82/);
  });

  it('stays where it is when there is nothing to begin with', async () => {
    await writeFile(paths.state, 'rotten');
    await expect(startSupervisor('tiny', context, { first: async () => undefined, serve: false })).rejects.toMatchObject({
      code: 'state/corrupt',
    });
    expect(await readFile(paths.state, 'utf8')).toBe('rotten');
  });

  it('does not hide the other deployments from status', async () => {
    const other = await ensureDeploymentPaths(context.places, 'other');
    await writeState(other.state, makeState({ name: 'other' }));
    await writeFile(paths.state, 'rotten');
    const { deployments } = await readStatusList(context);
    expect(deployments.map(({ name }) => name)).toEqual(['other']);
    expect(context.words()).toEqual(['status.unreadable']);
    await expect(readStatus('tiny', context)).rejects.toMatchObject({ code: 'state/corrupt' });
  });

  it('does not hide what its supervisor says', async () => {
    const one = await start();
    await up(one);
    await life(one).toBe('starting');
    await writeFile(paths.state, 'rotten');
    await rm(`${paths.state}.prev`, { force: true });
    expect(await readStatus('tiny', context)).toMatchObject({ state: 'starting', supervised: true });
    expect((await readStatusList(context)).deployments).toMatchObject([{ name: 'tiny', supervised: true }]);
  });

  it('can be forgotten, but not while something of it runs', async () => {
    const stray = await startStray();
    await writeFile(paths.state, 'rotten');
    await expect(forget({ name: 'tiny' }, context)).rejects.toMatchObject({ code: 'deployment/is-up' });
    await stray.kill(5000);
    expect(await forget({ name: 'tiny' }, context)).toMatchObject({ name: 'tiny' });
    await expect(forget({ name: 'tiny' }, context)).rejects.toMatchObject({ code: 'deployment/unknown' });
  });
});

it('F11 events of before a cut line are not lost', async () => {
  const one = await start();
  await one.journal.flush();
  await appendFile(paths.events, '{"seq":99,"ty');
  await one.supervisor.send({ type: 'down', force: false });
  await one.ended(new AbortController().signal);
  running.pop();
  const next = await start();
  await next.journal.flush();
  const seqs = (await readFile(paths.events, 'utf8')).split('\n').flatMap((line) => /^\{.*"seq":(\d+).*\}$/.exec(line)?.[1] ?? []);
  expect(new Set(seqs).size).toBe(seqs.length);
});
