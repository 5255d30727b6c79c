import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { readSecretFile } from '../../src/host/secret-file.ts';

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'qd-secret-'));
  path = join(directory, 'key');
  writeFileSync(path, 'the-key\n', { mode: 0o600 });
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(directory, { recursive: true, force: true });
});

it('is read when it is ours alone', async () => {
  expect(await readSecretFile(path)).toBe('the-key\n');
  chmodSync(path, 0o400);
  expect(await readSecretFile(path)).toBe('the-key\n');
});

it('is absent when it is not there', async () => {
  expect(await readSecretFile(join(directory, 'other'))).toBeUndefined();
  expect(await readSecretFile(join(path, 'below'))).toBeUndefined();
});

it.each([0o640, 0o604, 0o620, 0o602, 0o666])('is refused when others can reach it: mode %o', async (mode) => {
  chmodSync(path, mode);
  await expect(readSecretFile(path)).rejects.toMatchObject({
    code: 'runtime/secret-file',
    params: { path, problem: `others can reach it (mode ${mode.toString(8)})` },
  });
});

it('is refused when it is a link, even to one that would do', async () => {
  const link = join(directory, 'link');
  symlinkSync(path, link);
  await expect(readSecretFile(link)).rejects.toMatchObject({ code: 'runtime/secret-file', params: { problem: 'it is a symbolic link' } });
});

it('is refused when it belongs to somebody else', async () => {
  const own = process.getuid?.() ?? 0;
  vi.spyOn(process, 'getuid').mockReturnValue(own + 1);
  await expect(readSecretFile(path)).rejects.toMatchObject({
    code: 'runtime/secret-file',
    params: { problem: `it belongs to uid ${own}` },
  });
});

it('is refused when it is no file, and a pipe is not waited for', async () => {
  mkdirSync(join(directory, 'inner'));
  execFileSync('mkfifo', ['-m', '600', join(directory, 'pipe')]);
  for (const name of ['inner', 'pipe'])
    await expect(readSecretFile(join(directory, name))).rejects.toMatchObject({ params: { problem: 'it is no plain file' } });
});

it('is read whatever it is when its value is only taken out of a text', async () => {
  chmodSync(path, 0o644);
  const link = join(directory, 'link');
  symlinkSync(path, link);
  expect(await readSecretFile(link, { trusting: true })).toBe('the-key\n');
});
