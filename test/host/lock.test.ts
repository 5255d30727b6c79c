import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { tryLock } from '../../src/host/lock.ts';

const lockFile = fileURLToPath(new URL('../../src/host/lock.ts', import.meta.url));

let directory: string;
let path: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'qd-lock-'));
  path = join(directory, 'lock');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

it('is held by one at a time, and says who', async () => {
  const first = await tryLock(path);
  await first?.describe('me\n');
  await first?.describe('myself\n');
  expect(await readFile(path, 'utf8')).toBe('myself\n');
  expect(await tryLock(path)).toBeUndefined();
  await first?.release();
  const second = await tryLock(path);
  expect(second).toBeDefined();
  await second?.release();
});

it('J1 is free again when its owner was killed', async () => {
  const program = join(directory, 'owner.cjs');
  buildSync({
    stdin: {
      contents: `import { tryLock } from ${JSON.stringify(lockFile)};
        tryLock(${JSON.stringify(path)}).then((lock) => {
          process.stdout.write(lock ? 'held' : 'not held');
          setInterval(() => lock, 1000);
        });`,
      resolveDir: directory,
    },
    bundle: true,
    platform: 'node',
    outfile: program,
  });
  const owner = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const said = await new Promise((resolve) => owner.stdout.once('data', (data) => resolve(String(data))));
  expect(said).toBe('held');
  expect(await tryLock(path)).toBeUndefined();
  const gone = new Promise((resolve) => owner.once('exit', resolve));
  owner.kill('SIGKILL');
  await gone;
  const lock = await tryLock(path);
  expect(lock).toBeDefined();
  await lock?.release();
});

it('is held even when there is no room to say who', async () => {
  const lock = await tryLock('/dev/full');
  await lock?.describe('me\n');
  expect(await tryLock('/dev/full')).toBeUndefined();
  await lock?.release();
});
