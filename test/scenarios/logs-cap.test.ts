/** An engine that writes without end: its log stays within its limits, and whoever reads it misses nothing. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Deployment } from '../../src/supervisor/deployment.ts';
import { eachInSandbox, eventually, killQuietly, type Sandbox, toUpArgs, untilNothingIsLeft } from './sandbox.ts';

let box: Sandbox;
let port: number;
eachInSandbox((made) => {
  ({ box, port } = made);
});

const limit = 300_000;
const upArgs = (faults: string, ...more: string[]) =>
  toUpArgs(port, faults, '--set', `logs.max-size=${limit}B`, '--set', 'logs.keep=3', ...more);
const status = async () => (await box.cli('status', 'tiny', '-o', 'json')).json<Deployment>();

async function listLogs(launchId: string): Promise<readonly { name: string; size: number }[]> {
  const directory = join(box.home, 'qd/state/deployments/tiny/launches', launchId);
  const names = (await readdir(directory)).filter((name) => /\.log(\.\d+)?$/.test(name)).sort();
  return Promise.all(
    names.map(async (name) => ({ name: name.slice(`engine-${launchId}`.length), size: await readSize(join(directory, name)) })),
  );
}

/** It may be moving up just now. */
const readSize = (path: string) =>
  stat(path).then(
    ({ size }) => size,
    () => 0,
  );

const toNumbers = (text: string) => [...text.matchAll(/ flood (\d+) x/g)].map(([, number]) => Number(number));

function expectNoGap(numbers: readonly number[]): void {
  const [first = 0] = numbers;
  expect(numbers).toEqual(numbers.map((_, at) => first + at));
}

describe('K1 K7 a flood of log lines', { timeout: 60_000 }, () => {
  it('stays within the cap; a follower sees each line once, logs shows the pieces as one', async () => {
    const up = await box.cli(...upArgs('flood=3000'), '-o', 'json');
    expect(up.code, up.stderr).toBe(0);
    const { launchId = '' } = up.json<Deployment>();
    const following = box.start('logs', '-f');
    const logs = await eventually(
      () => listLogs(launchId),
      // What was written before the first look is in one piece, which soon is none of the last three.
      (seen) => seen.some(({ name }) => name === '.log.3') && seen.every(({ size }) => size < limit * 1.7),
      30_000,
    );
    expect(logs.map(({ name }) => name)).toEqual(['.log', '.log.1', '.log.2', '.log.3']);
    const shown = toNumbers((await box.cli('logs')).stdout);
    expectNoGap(shown);
    expect(shown.length).toBeGreaterThan(4000);
    // And what is written while they are read.
    const last = toNumbers((await box.cli('logs', '--tail', '5000')).stdout);
    expectNoGap(last);
    expect(last.length).toBeGreaterThanOrEqual(5000);
    expect(await status()).toMatchObject({ state: 'ready', restarts: { total: 0 } });
    expect((await box.cli('down')).code).toBe(0);
    const followed = toNumbers((await following.result).stdout);
    expectNoGap(followed);
    expect(followed.at(0)).toBe(1);
    expect(followed.length).toBeGreaterThan(shown.length);
    expect((await box.cli('events')).stdout).not.toMatch(/cannot be cut|may have been lost/);
    await untilNothingIsLeft(box);
  });

  it('is cut by the next supervisor too, and a crash in the middle of it is understood', async () => {
    const up = await box.cli(...upArgs('flood=3000'), '-o', 'json');
    expect(up.code, up.stderr).toBe(0);
    const before = up.json<Deployment>();
    killQuietly(before.supervisor?.pid ?? -1);
    const again = await box.cli(...upArgs('flood=3000'), '-o', 'json');
    expect(again.code, again.stderr).toBe(0);
    expect(again.json<Deployment>().pid).toBe(before.pid);
    await eventually(
      () => listLogs(before.launchId ?? ''),
      (seen) => seen.some(({ name }) => name === '.log.2'),
      30_000,
    );
    killQuietly(before.pid ?? -1);
    const after = await eventually(status, ({ state, run }) => state === 'ready' && run === 2, 30_000);
    expect(after.lastExit).toMatchObject({ cause: 'exit', signal: 'SIGKILL' });
    expect((await box.cli('down')).code).toBe(0);
    await untilNothingIsLeft(box);
  });
});

it('other limits are taken over by a running engine, which is not restarted', { timeout: 60_000 }, async () => {
  const up = await box.cli(...upArgs('flood=2000', '--set', 'logs.max-size=1GB'), '-o', 'json');
  expect(up.code, up.stderr).toBe(0);
  const before = up.json<Deployment>();
  const again = await box.cli(...upArgs('flood=2000'), '-o', 'json');
  expect(again.code, again.stderr).toBe(0);
  expect(again.json()).toMatchObject({ state: 'ready', launchId: before.launchId, run: 1 });
  await eventually(
    () => listLogs(before.launchId ?? ''),
    (seen) => seen.some(({ name }) => name === '.log.1'),
    30_000,
  );
  expect((await box.cli('down')).code).toBe(0);
});
