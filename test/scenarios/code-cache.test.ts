/** The code cache makes commands start faster, and must never keep one from starting. */
import { spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
let copy: string;
let cache: string;

beforeEach(async () => {
  copy = await mkdtemp(join(tmpdir(), 'qd-code-'));
  cache = join(copy, 'dist/program.cache');
  // A command of another test may be writing its cache meanwhile, under another name until it is whole.
  const filter = (path: string) => !/\.cache\.\d+$/.test(path);
  await cp(join(root, 'dist'), join(copy, 'dist'), { recursive: true, filter });
  for (const name of ['profiles', 'data']) await symlink(join(root, name), join(copy, name));
});
afterEach(() => rm(copy, { recursive: true, force: true }));

function run(...args: string[]) {
  const env = { PATH: process.env.PATH, HOME: copy, QWEN_DEPLOY_HOME: join(copy, 'home') };
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(copy, 'dist/main.js'), ...args], { env, encoding: 'utf8' });
  return { status, stdout, stderr };
}

async function listParts(): Promise<readonly string[]> {
  const bytes = await readFile(cache);
  const length = Number.parseInt(bytes.toString('latin1', 0, 8), 16);
  return [...bytes.toString('latin1', 8, 8 + length).matchAll(/^(\S+) \d+ \d+$/gm)].flatMap(([, name]) => name ?? []);
}

describe('the code cache', () => {
  it('takes in what a command brings, and keeps the rest', async () => {
    // What other tests have run meanwhile may be in it already.
    await rm(cache);
    expect(run('status').status).toBe(0);
    const before = await listParts();
    expect(run('explain', 'runtime/port-taken').status).toBe(0);
    const after = await listParts();
    expect(after).toEqual(expect.arrayContaining([...before]));
    expect(after.length).toBeGreaterThan(before.length);
    const settled = await readFile(cache);
    expect(run('explain', 'runtime/port-taken').status).toBe(0);
    expect(await readFile(cache)).toEqual(settled);
  });

  it.each([
    ['missing', () => rm(cache)],
    ['empty', () => truncate(cache, 0)],
    ['cut', () => truncate(cache, 30_000)],
    ['something else', () => writeFile(cache, 'something else')],
  ])('%s: the command runs, and it is made again', async (_, spoil) => {
    await spoil();
    expect(run('explain', 'runtime/port-taken')).toMatchObject({ status: 0, stderr: '' });
    expect(await listParts()).not.toEqual([]);
  });

  it('the program itself cut: said, with what to do', async () => {
    await truncate(join(copy, 'dist/program.pack'), 100_000);
    const { status, stderr } = run('status');
    expect(status).toBe(1);
    expect(stderr).toMatch(/^error: .*program\.pack is missing or damaged\. Install the package again/);
  });

  it('where it cannot be written nothing is lost but time, and nothing is left', async () => {
    await rm(cache);
    await mkdir(cache);
    const before = await readdir(join(copy, 'dist'));
    expect(run('explain', 'runtime/port-taken')).toMatchObject({ status: 0, stderr: '' });
    expect(await readdir(join(copy, 'dist'))).toEqual(before);
  });
});
