/** Stops at bad moments, of things that do not want to, and of things that are not ours. */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isDead, readProcess } from '../../src/host/proc.ts';
import { eventually, fakeVllm, freePort, isPortOpen, killQuietly, toUpArgs, untilNothingIsLeft } from '../scenarios/sandbox.ts';
import { findEvent, openKit, quick } from './kit.ts';

const kit = openKit();
const timeout = 60_000;

describe('a stop while it waits for the next start', { timeout }, () => {
  it.each([
    ['backoff', ['restart.first-delay=60s']],
    ['crashloop', ['restart.first-delay=50ms', 'restart.max-failures=1']],
  ] as const)('D2 in %s: stopped at once, and it stays so', async (life, sets) => {
    await kit.up('', ...sets);
    await kit.setFaults({ exitNow: 1 });
    await kit.until(({ state }) => state === life);
    const startedAt = performance.now();
    expect((await kit.box.cli('down')).code).toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(3000);
    const after = await kit.status();
    expect(after).toMatchObject({ state: 'stopped', desired: 'down' });
    expect(after.nextStartAt).toBeUndefined();
    await untilNothingIsLeft(kit.box);
  });
});

describe('stops that meet', { timeout }, () => {
  it('D3 two at once are one; a start after them begins anew', async () => {
    const first = await kit.up('stopDelay=1s', 'stop.drain=3s');
    const codes = await Promise.all([kit.box.cli('down'), kit.box.cli('down')]);
    expect(codes.map(({ code }) => code)).toEqual([0, 0]);
    const events = await kit.events();
    expect(events.filter(({ type }) => type === 'stopped')).toHaveLength(1);
    const again = await kit.up();
    expect(again.run).toBe(first.run + 1);
  });
});

describe('Ctrl-C', { timeout }, () => {
  it('D4 twice in the foreground: the second one is force, and nothing is left', async () => {
    const running = kit.box.start(...toUpArgs(kit.port, 'stopDelay=60s', '--foreground', '--set', 'stop.drain=60s'));
    await eventually(
      async () => running.stderr(),
      (text) => /ready/.test(text),
    );
    killQuietly(running.pid, 'SIGINT');
    await kit.until(({ state }) => state === 'stopping' || state === 'draining');
    const startedAt = performance.now();
    killQuietly(running.pid, 'SIGINT');
    await running.result;
    expect(performance.now() - startedAt).toBeLessThan(15_000);
    await untilNothingIsLeft(kit.box);
  });
});

describe('processes that stay', { timeout }, () => {
  it('D5 a grandchild in a session of its own is found and ended', async () => {
    await kit.up('orphan', ...quick);
    const before = await kit.find('VLLM::Worker');
    expect(before).toHaveLength(2);
    expect((await kit.box.cli('down')).code).toBe(0);
    for (const { pid } of before) expect(isDead(await readProcess(pid))).toBe(true);
  });

  it('D6 a grandchild that keeps the port: stopped is not said before it is free', async () => {
    await kit.up('keepPort', ...quick);
    expect((await kit.box.cli('down')).code).toBe(0);
    expect(await isPortOpen(kit.port)).toBe(false);
    expect(findEvent(await kit.events(), 'survivors')).toBeDefined();
  });
});

describe('what is not ours', { timeout }, () => {
  it('D10 a vLLM that somebody else started is neither listed nor stopped', async () => {
    const port = await freePort();
    const stranger = spawn(fakeVllm, ['serve', 'Qwen/Qwen3-0.6B', '--port', String(port), '--host', '127.0.0.1'], { stdio: 'ignore' });
    await eventually(() => isPortOpen(port), Boolean);
    expect((await kit.box.cli('status')).stdout).not.toContain(String(port));
    expect((await kit.box.cli('down', 'tiny')).code).toBe(6);
    expect((await kit.box.cli('down', '--all', '--force')).code).toBe(0);
    expect(await isPortOpen(port)).toBe(true);
    stranger.kill('SIGTERM');
    await new Promise((resolve) => stranger.once('exit', resolve));
  });
});

describe('a supervisor that dies while it stops an engine', { timeout }, () => {
  it.each(['after:terminate#1', 'before:reclaim#1', 'after:reclaim#1'])('D11 %s: the next down finishes it', async (point) => {
    kit.box.env.QD_CRASH_AT = point;
    await kit.up('stopDelay=500ms', ...quick);
    await kit.box.cli('down', '--timeout', '10s');
    delete kit.box.env.QD_CRASH_AT;
    const log = await readFile(join(kit.box.home, 'qd/state/deployments/tiny/supervisor.log'), 'utf8');
    expect(log).toContain('QD_CRASH_AT');
    const result = await kit.box.cli('down');
    expect(result.code, result.stderr).toBe(0);
    expect(await kit.status()).toMatchObject({ state: 'stopped', desired: 'down' });
    await untilNothingIsLeft(kit.box);
  });
});

describe('down --all', { timeout }, () => {
  it('D12 with one that is stuck: the others stop, the stuck one is named', async () => {
    await kit.up('', ...quick);
    const { supervisor } = await kit.status();
    const other = await freePort();
    expect((await kit.box.cli('up', '-p', 'demo', '--set', `server.port=${other}`)).code).toBe(0);
    killQuietly(supervisor?.pid ?? 0, 'SIGSTOP');
    const result = await kit.box.cli('down', '--all');
    expect(result.code).not.toBe(0);
    expect(result.stderr).toContain('tiny');
    expect(await isPortOpen(other)).toBe(false);
    expect(await isPortOpen(kit.port)).toBe(true);
    killQuietly(supervisor?.pid ?? 0, 'SIGCONT');
    expect((await kit.box.cli('down', '--all')).code).toBe(0);
    await untilNothingIsLeft(kit.box);
  });
});
