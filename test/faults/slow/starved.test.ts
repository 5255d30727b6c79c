/** Minutes of what would make a hasty supervisor restart a healthy engine. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { setPriority } from 'node:os';
import { afterEach, expect, it } from 'vitest';
import { waitFor } from '../../../src/core/clock.ts';
import { openKit, quick } from '../kit.ts';

const kit = openKit();
const hogs: ChildProcess[] = [];
afterEach(() => {
  for (const hog of hogs.splice(0)) hog.kill('SIGKILL');
});

it('B12 a supervisor without processor time for a minute, the engine busy: no restart', { timeout: 180_000 }, async () => {
  const sets = [...quick, 'health.stall-after=10s', 'health.canary-interval=2s', 'health.interval=500ms', 'health.timeout=1s'];
  const first = await kit.up('', ...sets);
  setPriority(first.supervisor?.pid ?? 0, 19);
  for (let n = 0; n < 6; n += 1) hogs.push(spawn('sh', ['-c', 'while :; do :; done'], { stdio: 'ignore' }));
  const until = performance.now() + 60_000;
  let answered = 0;
  while (performance.now() < until) {
    if ((await kit.complete('Hello', { tokens: 20 })) === 200) answered += 1;
    await waitFor(100);
  }
  expect(answered).toBeGreaterThan(10);
  expect(await kit.status()).toMatchObject({ launchId: first.launchId, restarts: { total: 0 } });
  expect((await kit.events()).filter(({ type }) => type === 'unhealthy')).toEqual([]);
});

it('E12 two minutes of a flood of log lines: memory and descriptors stay where they were', { timeout: 240_000 }, async () => {
  const first = await kit.up('flood=5000', ...quick, 'logs.max-size=8MiB', 'health.interval=200ms');
  const pid = first.supervisor?.pid ?? 0;
  await waitFor(20_000);
  const before = await observe(pid);
  const until = performance.now() + 100_000;
  while (performance.now() < until) {
    await kit.complete('Hello');
    await waitFor(500);
  }
  const after = await observe(pid);
  expect(after.rssMiB).toBeLessThan(150);
  expect(after.rssMiB - before.rssMiB).toBeLessThan(20);
  expect(Math.abs(after.descriptors - before.descriptors)).toBeLessThanOrEqual(5);
  expect(await kit.status()).toMatchObject({ launchId: first.launchId, restarts: { total: 0 } });
});

async function observe(pid: number): Promise<{ readonly rssMiB: number; readonly descriptors: number }> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const rssKiB = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
  return { rssMiB: rssKiB / 1024, descriptors: (await readdir(`/proc/${pid}/fd`)).length };
}
