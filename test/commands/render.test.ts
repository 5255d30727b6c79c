import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCommandLine } from '../../src/commands/cli.ts';
import { createFakeHost } from './fake-host.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'qd-render-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** On a machine without Docker. */
async function run(...argv: readonly string[]) {
  const env = { QWEN_DEPLOY_HOME: directory, DOCKER_HOST: `unix://${directory}/none.sock` };
  const host = createFakeHost({ env });
  const status = await runCommandLine(['render', ...argv], host);
  return { status, ...host.printed };
}

const tiny = ['-p', 'tiny', '--format', 'docker-run'] as const;

test('the answer is the text, whether or not Docker is here, and the same each time', async () => {
  const { status, stdout, stderr } = await run(...tiny);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toMatch(/^# Made by: qwen-deploy render -p tiny --format docker-run\n/);
  expect(stdout).toContain('\ndocker run \\\n  --detach \\\n  --name qwen-deploy-tiny \\\n');
  expect(await run(...tiny)).toEqual({ status, stdout, stderr });
});

test('its first line says how to make it again', async () => {
  const { stdout } = await run('mine', ...tiny, '--set', 'description=two words', '--engine-version', '0.32.0');
  expect(stdout.split('\n')[0]).toBe(
    "# Made by: qwen-deploy render mine -p tiny --set 'description=two words' --engine-version 0.32.0 --format docker-run",
  );
  expect(stdout).toContain('--name qwen-deploy-mine ');
});

test('one container for each replica', async () => {
  const { stdout } = await run(...tiny, '--set', 'replicas=2');
  expect(stdout.match(/^docker run/gm)).toHaveLength(2);
  expect(stdout).toContain('--publish 127.0.0.1:8001:');
});

test('as JSON', async () => {
  const { stdout } = await run(...tiny, '--set', 'server.api-key=env:MY_KEY', '-o', 'json');
  const document = JSON.parse(stdout);
  expect(document).toMatchObject({ kind: 'RenderResult', version: 1, format: 'docker-run', files: [{ path: 'docker-run.sh' }] });
  expect(document.files[0].text).toMatch(/VLLM_API_KEY="\$\{MY_KEY:\?\}" docker run/);
  expect(document.warnings).toContainEqual({
    code: 'plan/rendered-secrets',
    severity: 'warning',
    message: expect.stringContaining('VLLM_API_KEY'),
  });
});

test('a file: written, left as it is, held against, written anew', async () => {
  const file = join(directory, 'tiny.sh');
  const out = ['--out', file] as const;
  expect(await run(...tiny, ...out, '--check')).toMatchObject({ status: 10, stdout: `${file} is not there.\n` });
  expect(await run(...tiny, ...out)).toMatchObject({ status: 0, stdout: `${file} was written.\n` });
  expect(await readFile(file, 'utf8')).toBe((await run(...tiny)).stdout);
  expect((await stat(file)).mode & 0o777).toBe(0o644);
  expect(await run(...tiny, ...out, '--check')).toMatchObject({ status: 0, stdout: `${file} is as it would be written.\n` });

  const other = [...tiny, ...out, '--set', 'server.port=9000'];
  const checked = await run(...other, '--check');
  expect(checked.status).toBe(10);
  expect(checked.stdout).toMatch(/- +--publish 127\.0\.0\.1:8000:8000\/tcp[\s\S]*\+ +--publish 127\.0\.0\.1:9000:9000\/tcp/);
  expect(JSON.parse((await run(...other, '--check', '-o', 'json')).stdout)).toMatchObject({
    kind: 'RenderResult',
    compared: [{ path: file, is: 'different' }],
  });
  expect((await run(...other)).status).toBe(0);
  expect((await run(...other, '--check')).status).toBe(0);
});

test("somebody else's file is not written over, unless one insists", async () => {
  const file = join(directory, 'theirs.sh');
  await writeFile(file, '#!/bin/sh\necho mine\n');
  const refused = await run(...tiny, '--out', file);
  expect(refused.status).toBe(2);
  expect(refused.stderr).toContain('usage/file-exists');
  expect(await readFile(file, 'utf8')).toBe('#!/bin/sh\necho mine\n');
  expect((await run(...tiny, '--out', file, '--force')).status).toBe(0);
  expect(await readFile(file, 'utf8')).toContain('docker run');
});

test.each<[string, readonly string[], number, RegExp]>([
  ['no format', ['-p', 'tiny'], 2, /--format docker-run/],
  ['a format that is none', ['-p', 'tiny', '--format', 'docker-rum'], 2, /"docker-rum" is none of docker-run/],
  ['a check without a file', [...tiny, '--check'], 2, /--check is for the file of --out/],
  ['force without a file', [...tiny, '--force'], 2, /--force is for the file of --out/],
  ['a directory in its place', [...tiny, '--out', '/'], 2, /\/ cannot be read: EISDIR/],
  ['a place that is not there', [...tiny, '--out', '/nowhere/at/all.sh'], 4, /\/nowhere\/at\/all\.sh cannot be written: ENOENT/],
  ['a profile that is not there', ['-p', 'tinny', '--format', 'docker-run'], 6, /profile "tinny"/],
  ['a backend: it is always a container', [...tiny, '--backend', 'process'], 2, /no option --backend here/],
])('%s', async (_, argv, exit, said) => {
  const { status, stdout, stderr } = await run(...argv);
  expect({ status, stdout }).toEqual({ status: exit, stdout: '' });
  expect(stderr).toMatch(said);
});
