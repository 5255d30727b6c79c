/** The package as people get it: packed, installed into an empty directory without network or scripts, and used. */
import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createSandbox, freePort, root, type Sandbox } from './sandbox.ts';

const run = promisify(execFile);
let box: Sandbox;

beforeAll(async () => {
  box = await createSandbox();
});
afterAll(() => box.dispose());

it('serves the demo from an empty directory', { timeout: 60_000 }, async () => {
  const directory = join(box.home, 'empty');
  await mkdir(directory);
  const env = { ...box.env, npm_config_cache: join(box.home, 'npm'), npm_config_update_notifier: 'false' };
  // Not prepared again: the tests run the build that is there.
  const packed = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', box.home], { cwd: root, env });
  const [{ filename, files }] = JSON.parse(packed.stdout) as [{ filename: string; files: readonly { path: string }[] }];
  const paths = files.map(({ path }) => path);
  expect(paths).toEqual(
    expect.arrayContaining([
      'dist/main.js',
      'dist/program.pack',
      'dist/simulator.js',
      'profiles/tiny.yaml',
      'data/flags/0.32.0.json',
      'scripts/dump-flags.py',
      'scripts/flags/real_parser.py',
      'LICENSE',
      'README.md',
    ]),
  );
  expect(paths.filter((path) => /^(src|test|node_modules)\//.test(path))).toEqual([]);

  await run('npm', ['install', '--offline', '--ignore-scripts', join(box.home, filename)], { cwd: directory, env });
  const program = join(directory, 'node_modules/.bin/qwen-deploy');
  const cli = async (...args: string[]) => JSON.parse((await run(program, [...args, '-o', 'json'], { cwd: directory, env })).stdout);
  expect(await cli('profiles', 'list')).toMatchObject({ kind: 'ProfileList' });
  expect(await cli('up', '-p', 'demo', '--set', `server.port=${await freePort()}`)).toMatchObject({ state: 'ready', simulated: true });
  expect(await cli('down')).toMatchObject({ state: 'stopped' });
});
