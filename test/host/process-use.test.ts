import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { readProcess } from '../../src/host/proc.ts';
import { readKernelUnits, readProcessUse } from '../../src/host/process-use.ts';

describe('what a process takes', () => {
  it('is what Node says of itself', async () => {
    const { pageBytes, ticksPerSecond } = await readKernelUnits();
    expect(pageBytes).toBe(Number(execFileSync('getconf', ['PAGESIZE'], { encoding: 'utf8' })));
    expect(ticksPerSecond).toBe(Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' })));
    const use = readProcessUse(process.pid);
    const rss = (use?.rssPages ?? 0) * pageBytes;
    expect(rss / process.memoryUsage.rss()).toBeGreaterThan(0.5);
    expect(rss / process.memoryUsage.rss()).toBeLessThan(2);
    const { user, system } = process.cpuUsage();
    expect(Math.abs((use?.cpuTicks ?? 0) / ticksPerSecond - (user + system) / 1e6)).toBeLessThan(1);
    expect(use?.startTicks).toBe((await readProcess(process.pid))?.startTicks);
  });

  it('is that of a process with any name', async () => {
    const child = spawn('bash', ['-c', 'exec -a "a) b (c" sleep 20']);
    try {
      await once(child, 'spawn');
      await expect.poll(() => readProcessUse(child.pid ?? 0)?.rssPages).toBeGreaterThan(0);
    } finally {
      child.kill('SIGKILL');
      await once(child, 'close');
    }
    expect(readProcessUse(child.pid ?? 0)).toBeUndefined();
  });
});
