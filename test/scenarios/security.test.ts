/** What others on this machine, and an engine itself, get to see of a deployment. */
import { chmod, lstat, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Deployment } from '../../src/supervisor/deployment.ts';
import { eachInSandbox, isPortOpen, type Sandbox, toUpArgs } from './sandbox.ts';

let box: Sandbox;
let port: number;
eachInSandbox((made) => {
  ({ box, port } = made);
});

const timeout = 40_000;

it('nothing of it is open to others, and the engine has no keys of other tools', { timeout }, async () => {
  const strays = { AWS_SECRET_ACCESS_KEY: 'stray-1', GITHUB_TOKEN: 'stray-2', PYTHONPATH: '/stray-3', LD_AUDIT: '', HF_TOKEN: 'stray-4' };
  Object.assign(box.env, strays);
  const keyFile = join(box.home, 'key');
  await writeFile(keyFile, 'the-key-of-this-deployment\n', { mode: 0o600 });
  const result = await box.cli(...toUpArgs(port, '', '--set', `server.api-key=file:${keyFile}`));
  expect(result.code, result.stderr).toBe(0);

  const { pid = -1, supervisor } = (await box.cli('status', 'tiny', '-o', 'json')).json<Deployment>();
  const environ = await readFile(`/proc/${pid}/environ`, 'utf8');
  expect(environ).not.toMatch(/stray-/);
  expect(environ.split('\0')).toEqual(
    expect.arrayContaining([
      'VLLM_API_KEY=the-key-of-this-deployment',
      'VLLM_NO_USAGE_STATS=1',
      'DO_NOT_TRACK=1',
      'VLLM_MAX_N_SEQUENCES=64',
    ]),
  );
  expect(await readMask(supervisor?.pid ?? -1)).toBe(0o077);
  expect(await readMask(pid)).toBe(process.umask() | 0o022);
  const seen = await listOpen(join(box.home, 'qd/state'), join(box.home, 'qd/run'));
  expect(seen.open).toEqual([]);
  expect(seen.count).toBeGreaterThan(5);
  expect((await box.processes()).map(({ command }) => command).join('\n')).not.toContain('the-key-of-this-deployment');
});

it('a key in a file that others can read: exit 4, with the command that mends it, and nothing is started', { timeout }, async () => {
  const keyFile = join(box.home, 'key');
  await writeFile(keyFile, 'the-key-of-this-deployment\n');
  await chmod(keyFile, 0o644);
  const result = await box.cli(...toUpArgs(port, '', '--set', `server.api-key=file:${keyFile}`));
  expect(result.code).toBe(4);
  expect(result.stderr).toContain(`chmod 600 ${keyFile}`);
  expect(result.stderr).not.toContain('the-key-of-this-deployment');
  expect(await isPortOpen(port)).toBe(false);
});

it('there is no option that takes a key', { timeout }, async () => {
  for (const option of ['--api-key', '--key', '--token']) expect((await box.cli('up', '-p', 'demo', option, 'the-key')).code).toBe(2);
});

it('an address that others reach, without a key: exit 3, and nothing is started', { timeout }, async () => {
  const result = await box.cli(...toUpArgs(port, '', '--set', 'server.host=0.0.0.0'), '-o', 'json');
  expect(result.code).toBe(3);
  expect(result.json()).toMatchObject({ kind: 'Error', code: 'profile/exposed' });
  expect(await isPortOpen(port)).toBe(false);
});

/** All below these directories, and what of it anybody but the owner has a right to. */
async function listOpen(...roots: readonly string[]): Promise<{ readonly open: readonly string[]; readonly count: number }> {
  const below = await Promise.all(
    roots.map(async (root) => [root, ...(await readdir(root, { recursive: true })).map((name) => join(root, name))]),
  );
  const all = below.flat();
  const modes = await Promise.all(all.map(async (path) => ({ path, mode: (await lstat(path)).mode & 0o777 })));
  return {
    open: modes.filter(({ mode }) => (mode & 0o077) !== 0).map(({ path, mode }) => `${path} ${mode.toString(8)}`),
    count: all.length,
  };
}

async function readMask(pid: number): Promise<number> {
  return Number.parseInt(/^Umask:\s+(\d+)$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '', 8);
}
