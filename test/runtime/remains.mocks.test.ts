/** A process that hangs in the kernel while it holds its own memory: its maps and its command line never come. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { readBootId } from '../../src/host/proc.ts';
import { createProcessRuntime } from '../../src/runtime/process.ts';
import { makeRecord, makeSpec } from '../supervisor/make.ts';

let reads = 0;
vi.mock('node:fs/promises', async (importOriginal) => {
  const original = await importOriginal<typeof import('node:fs/promises')>();
  return {
    ...original,
    readFile: (path: string, ...rest: readonly [never]) => {
      if (!/^\/proc\/\d+\/(?:maps|cmdline)$/.test(String(path))) return original.readFile(path, ...rest);
      reads += 1;
      return new Promise(() => undefined);
    },
  };
});

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'qd-test-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

it('is killed all the same, and takes no more than two threads', async () => {
  const at = (name: string) => join(directory, name);
  const record = { ...makeRecord(1), bootId: await readBootId(), logFile: at('log'), exitFile: at('exit'), tmpDir: at('tmp') };
  const { process: _, keeper: __, ...before } = record;
  const spec = makeSpec({ program: '/bin/bash', args: ['-c', 'sleep 60 & sleep 60 & sleep 60 & wait'] });
  const instance = await createProcessRuntime(process.env).launch({ deployment: 'x', spec, record: before, secrets: {} });
  await expect.poll(async () => (await instance.members()).length, { timeout: 8000 }).toBe(4);
  const seen = await instance.members();
  expect(seen.map(({ command }) => command).sort()).toEqual(['bash', 'sleep', 'sleep', 'sleep']);
  const began = performance.now();
  expect(await instance.kill(5000)).toEqual([]);
  expect(performance.now() - began).toBeLessThan(3000);
  expect(reads).toBe(2);
  await instance.tidy();
}, 15_000);
