import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ensurePrivateDirectory, readFreeBytes, readTextFile, writeFileAtomic } from '../../src/host/files.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'qd-files-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe('writeFileAtomic', () => {
  it('replaces the file as a whole, readable by nobody else, and leaves nothing beside it', async () => {
    const path = join(directory, 'state');
    await writeFileAtomic(path, 'a long first content');
    await writeFileAtomic(path, 'second');
    expect(await readFile(path, 'utf8')).toBe('second');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(directory)).toEqual(['state']);
  });

  it('leaves the old one and no temporary file when it fails', async () => {
    await mkdir(join(directory, 'state'));
    await expect(writeFileAtomic(join(directory, 'state'), 'new')).rejects.toMatchObject({ code: 'EISDIR' });
    expect(await readdir(directory)).toEqual(['state']);
    await expect(writeFileAtomic(join(directory, 'no/such'), 'new')).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('ensurePrivateDirectory', () => {
  it('makes it, with its parents, for this user alone', async () => {
    const path = join(directory, 'a/b');
    await ensurePrivateDirectory(path);
    expect((await stat(path)).mode & 0o777).toBe(0o700);
    await ensurePrivateDirectory(path);
  });

  it('takes the reading of others away', async () => {
    await chmod(directory, 0o755);
    await ensurePrivateDirectory(directory);
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
  });

  it.each([0o777, 0o770, 0o702])('F7 refuses mode %o: somebody else may have put something there', async (mode) => {
    await chmod(directory, mode);
    await expect(ensurePrivateDirectory(directory)).rejects.toMatchObject({ code: 'state/unsafe', params: { path: directory } });
  });

  it('refuses what is not a directory', async () => {
    const path = join(directory, 'file');
    await writeFile(path, '');
    for (const place of [path, join(path, 'below')]) {
      await expect(ensurePrivateDirectory(place)).rejects.toMatchObject({ code: 'state/not-writable' });
    }
  });
});

it('readTextFile: undefined where there is no file, also below one', async () => {
  await writeFile(join(directory, 'file'), 'text');
  expect(await readTextFile(join(directory, 'file'))).toBe('text');
  expect(await readTextFile(join(directory, 'none'))).toBeUndefined();
  expect(await readTextFile(join(directory, 'file/below'))).toBeUndefined();
});

it('readFreeBytes asks the nearest parent that exists', async () => {
  expect(await readFreeBytes(join(directory, 'not/yet/there'))).toBeGreaterThan(0);
});
