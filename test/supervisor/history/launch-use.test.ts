import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, expect, it } from 'vitest';
import { readProcess } from '../../../src/host/proc.ts';
import { LaunchUse } from '../../../src/supervisor/history/launch-use.ts';
import { makeRecord } from '../make.ts';

const children: ChildProcess[] = [];

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    process.kill(-(child.pid ?? 0), 'SIGKILL');
    await once(child, 'close');
  }
});

/** A session with two processes beside its leader: one works, one sleeps. */
async function launch() {
  const child = spawn('bash', ['-c', 'sleep 30 & while :; do :; done & echo up; wait'], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  children.push(child);
  await once(child.stdout, 'data');
  const { pid = 0 } = child;
  const keeper = { pid, startTicks: (await readProcess(pid))?.startTicks ?? 0 };
  return { child, record: { ...makeRecord(1), keeper, logFile: '/nowhere/engine.log' } };
}

it('a launch takes what its processes take together, and CPU time from the second look on', async () => {
  const { child, record } = await launch();
  const use = new LaunchUse();
  const first = await use.read(record, 0);
  expect(first.rssBytes).toBeGreaterThan(500_000);
  expect(first).not.toHaveProperty('cpuPercent');
  // The clock is ours, what it works meanwhile is real.
  await expect.poll(async () => (await use.read(record, performance.now())).cpuPercent, { timeout: 5000 }).toBeGreaterThan(5);
  process.kill(-(child.pid ?? 0), 'SIGKILL');
  await once(child, 'close');
  expect(await use.read(record, 1e9)).toEqual({});
});

it('a launch of which nothing can be seen takes nothing that could be told', async () => {
  expect(await new LaunchUse().read({ ...makeRecord(1), logFile: '/nowhere/engine.log' }, 0)).toEqual({});
});
