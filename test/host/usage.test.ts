import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readCpuTicks, readGroupMemoryPercent, readMemoryPercent } from '../../src/host/usage.ts';

let root = '';
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'usage-'));
  await mkdir(join(root, 'proc'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

it('counts the ticks of all CPUs, or of some; waiting for disks is idle', async () => {
  const lines = [
    'cpu  100 20 30 800 50 0 10 5 7 0',
    'cpu0 10 0 0 90 0 0 0 0 0 0',
    'cpu1 50 0 0 40 10 0 0 0 0 0',
    'cpu11 1 0 0 0 0 0 0 0 0 0',
  ];
  await writeFile(join(root, 'proc/stat'), `${lines.join('\n')}\nintr 5\n`);
  expect(await readCpuTicks(undefined, root)).toEqual({ busy: 165, all: 1015 });
  expect(await readCpuTicks([1], root)).toEqual({ busy: 50, all: 100 });
  expect(await readCpuTicks([0, 1], root)).toEqual({ busy: 60, all: 200 });
  expect(await readCpuTicks([7], root)).toBeUndefined();
});

it('tells the memory that is not available', async () => {
  await writeFile(join(root, 'proc/meminfo'), 'MemTotal:       1000 kB\nMemFree:          10 kB\nMemAvailable:    250 kB\n');
  expect(await readMemoryPercent(root)).toBe(75);
});

it.each([
  ['memory.current', 'anon 100\ninactive_file 300\n'],
  ['memory.usage_in_bytes', 'inactive_file 1\ntotal_inactive_file 300\n'],
])('of a cap by %s, without files that can be dropped', async (file, stat) => {
  await writeFile(join(root, file), '800\n');
  await writeFile(join(root, 'memory.stat'), stat);
  const percent = await readGroupMemoryPercent(root, 1000);
  expect(percent).toBe(file === 'memory.current' ? 50 : 79.9);
});

it('knows nothing of what cannot be read', async () => {
  expect(await readCpuTicks(undefined, root)).toBeUndefined();
  expect(await readMemoryPercent(root)).toBeUndefined();
  expect(await readGroupMemoryPercent(root, 1000)).toBeUndefined();
});
