/** Numbers that are given out again, processes that only look like ours, and those that cannot be seen. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { waitFor } from '../../src/core/clock.ts';
import { isDead, readBootId, readProcess } from '../../src/host/proc.ts';
import { createProcessRuntime } from '../../src/runtime/process.ts';
import type { Instance } from '../../src/runtime/runtime.ts';
import { fakeVllm, freePort, isPortOpen, killQuietly, toUpArgs, untilNothingIsLeft } from '../scenarios/sandbox.ts';
import { makeSpec } from '../supervisor/make.ts';
import { openKit, quick } from './kit.ts';
import { runApart } from './machine.ts';

const kit = openKit();
const timeout = 60_000;
const runtime = createProcessRuntime(process.env);

let directory: string;
const children: ChildProcess[] = [];
const instances: Instance[] = [];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'qd-identity-'));
});
afterEach(async () => {
  for (const { pid } of children.splice(0)) killQuietly(pid ?? 0);
  for (const instance of instances.splice(0)) {
    killQuietly(instance.record.keeper?.pid ?? 0, 'SIGCONT');
    await instance.kill(5000);
    await instance.tidy();
  }
  await rm(directory, { recursive: true, force: true });
});

async function launch(script: string): Promise<Instance> {
  const files = { logFile: join(directory, 'log'), exitFile: join(directory, 'exit.json'), tmpDir: join(directory, 'tmp') };
  const about = { launchId: '0190-identity', run: 1, backend: 'process', createdAt: '', port: 1, host: '127.0.0.1' } as const;
  const spec = makeSpec({ program: '/bin/sh', args: ['-c', script] });
  const order = { deployment: 'x', spec, record: { ...about, ...files, bootId: await readBootId() }, secrets: {} };
  const instance = await runtime.launch(order);
  instances.push(instance);
  return instance;
}

/** Somebody else's process with exactly this number, leader of its own session: the kernel is told where to go on counting. */
async function startStranger(pid: number): Promise<ChildProcess> {
  for (let tries = 0; tries < 500; tries += 1) {
    await writeFile('/proc/sys/kernel/ns_last_pid', String(pid - 1));
    const child = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' });
    if (child.pid === pid) {
      children.push(child);
      return child;
    }
    child.kill('SIGKILL');
  }
  throw new Error(`the number ${pid} was not to be had`);
}

describe('a number that was given out again', { timeout }, () => {
  it.each(['process', 'keeper'] as const)(
    'G1 that of the %s: its new owner is no member, not adopted, and never signalled',
    async (which) => {
      const instance = await launch('exec sleep 601');
      const { record } = instance;
      const pid = record[which]?.pid ?? 0;
      killQuietly(record.process?.pid ?? 0);
      await instance.exited;
      await expect.poll(() => readProcess(pid)).toBeUndefined();
      const stranger = await startStranger(pid);
      expect(await instance.members()).toEqual([]);
      await instance.terminate();
      expect(await instance.kill(200)).toEqual([]);
      const remains = runtime.remains(record);
      expect(await remains.kill(200)).toEqual([]);
      expect(await runtime.adopt(record)).toBeUndefined();
      await waitFor(50);
      expect(stranger.exitCode).toBeNull();
      expect(stranger.signalCode).toBeNull();
      expect(isDead(await readProcess(pid))).toBe(false);
    },
  );
});

it('G2 a main process that nobody reaps counts as gone', { timeout }, async () => {
  const instance = await launch('exec sleep 602');
  const [pid, keeper] = [instance.record.process?.pid ?? 0, instance.record.keeper?.pid ?? 0];
  process.kill(keeper, 'SIGSTOP');
  await expect.poll(async () => (await readProcess(keeper))?.state).toBe('T');
  killQuietly(pid);
  await expect.poll(async () => (await readProcess(pid))?.state).toBe('Z');
  // Its keeper, which would say how it ended, stands still: that it ended is known all the same.
  expect(await Promise.race([instance.exited, waitFor(8000).then(() => 'nothing')])).toEqual({});
  expect((await instance.members()).map((member) => member.pid)).not.toContain(pid);
});

it('G3 a wrapper that ends at once and leaves the engine behind: what it left is ended before each start, and it does not go on for ever', {
  timeout,
}, async () => {
  const wrapper = join(kit.box.home, 'wrapper.sh');
  await writeFile(wrapper, `#!/bin/sh\ncase "$1" in serve) ${fakeVllm} "$@" & exit 0;; esac\nexec ${fakeVllm} "$@"\n`, { mode: 0o755 });
  const sets = [...quick, `engine.executable=${wrapper}`, 'restart.max-failures=3'].flatMap((set) => ['--set', set]);
  const result = await kit.box.cli(...toUpArgs(kit.port, '', ...sets, '--timeout', '15s'));
  expect(result.code).not.toBe(0);
  const events = await kit.events();
  const left = events.filter(({ type }) => type === 'survivors');
  expect(left.length).toBeGreaterThan(0);
  const launches = events.filter(({ type }) => type === 'launching');
  expect(launches.length).toBeLessThanOrEqual(4);
  // Each one was cleared away before the next.
  for (const [index, { seq }] of launches.slice(1).entries()) expect(left[index]?.seq).toBeLessThan(seq);
  expect(events.map(({ type }) => type)).not.toContain('ready');
  expect((await kit.box.cli('down')).code).toBe(0);
  expect(await isPortOpen(kit.port)).toBe(false);
});

it('G7 somebody else’s vLLM is never listed, never ended', { timeout }, async () => {
  const port = await freePort();
  const args = ['serve', 'Qwen/Qwen3-0.6B', '--port', String(port), '--served-model-name', 'Qwen3-0.6B'];
  const foreign = spawn(fakeVllm, args, { stdio: 'ignore', env: { PATH: process.env['PATH'] } });
  children.push(foreign);
  await expect.poll(() => isPortOpen(port), { timeout: 10_000 }).toBe(true);
  expect((await kit.box.cli('status', '-o', 'json')).json()).toMatchObject({ deployments: [] });
  const mine = await kit.up('', ...quick);
  expect(mine.pid).not.toBe(foreign.pid);
  killQuietly(mine.pid ?? 0);
  await kit.untilReplaced(mine);
  expect((await kit.box.cli('status', '-o', 'json')).json<{ deployments: readonly { name: string }[] }>().deployments).toHaveLength(1);
  expect((await kit.box.cli('down', '--all', '--force')).code).toBe(0);
  expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200);
  const taken = await kit.box.cli(...toUpArgs(port));
  expect(taken.code).toBe(4);
  expect(taken.stderr).toContain(String(foreign.pid));
  expect(foreign.exitCode ?? foreign.signalCode).toBeNull();
});

describe('a /proc that hides processes', { timeout }, () => {
  /** Without this capability root sees no more than others: those whose capabilities are more than its own are hidden. */
  const weak = ['setpriv', '--bounding-set', '-sys_ptrace', '--inh-caps', '-sys_ptrace'];
  const apart = { prepare: 'mount -t proc -o hidepid=2,gid=54321 proc /proc', prefix: weak };

  it('G8 of others: all works with what is ours', async () => {
    const up = await runApart(kit.box, apart, ...toUpArgs(kit.port), '-o', 'json');
    expect(up.code, up.stderr).toBe(0);
    const first = await kit.status();
    killQuietly(first.pid ?? 0);
    await kit.untilReplaced(first);
    const down = await runApart(kit.box, apart, 'down');
    expect(down.code, down.stderr).toBe(0);
    await untilNothingIsLeft(kit.box);
  });

  it('G8 and our own engine too: it is said that it cannot be seen, and nobody is signalled', async () => {
    const before = await kit.up();
    killQuietly(before.supervisor?.pid ?? 0);
    await waitFor(50);
    await runApart(kit.box, apart, ...toUpArgs(kit.port), '--timeout', '3s', '-o', 'json');
    const seen = await kit.status();
    expect(seen.supervisor?.pid).not.toBe(before.supervisor?.pid);
    expect(seen).toMatchObject({ state: 'unknown', launchId: before.launchId, pid: before.pid });
    const told = (await kit.events()).find(({ type }) => type === 'unknown');
    expect(JSON.stringify(told)).toContain('/proc does not show it');
    expect(await kit.complete('Hello')).toBe(200);
    expect(await readFile(`/proc/${before.pid}/cmdline`, 'utf8')).toContain('serve');
    // Somebody who sees it again goes on with it.
    killQuietly(seen.supervisor?.pid ?? 0);
    await waitFor(50);
    expect(await kit.up()).toMatchObject({ state: 'ready', launchId: before.launchId, pid: before.pid });
  });
});
