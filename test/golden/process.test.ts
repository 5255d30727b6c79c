import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';

const program = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const manifest: { version: string } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
const home = mkdtempSync(join(tmpdir(), 'qwen-deploy-process-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

test.each(['--version', '-V'])('%s', async (option) => {
  expect(await finish(start([option]))).toEqual({ code: 0, stdout: `${manifest.version}\n`, stderr: '' });
});

test('help of the built program is the golden one', async () => {
  const { code, stdout } = await finish(start(['--help']));
  expect(code).toBe(0);
  expect(stdout).toBe(readFileSync(new URL('./help/qwen-deploy.txt', import.meta.url), 'utf8'));
});

test('no output of the built program has escape codes where there is no terminal', async () => {
  const results = await Promise.all([['--help'], ['status'], ['statu'], ['profiles', 'list']].map((args) => finish(start(args))));
  for (const { stdout, stderr } of results) expect(stdout + stderr).not.toContain('\u001b');
});

describe('an interrupted command', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s → %d', async (signal, status) => {
    const child = start(['status', '--watch', '-o', 'json']);
    const ended = finish(child);
    await once(child.stdout, 'data');
    child.kill(signal);
    const { code, stdout, stderr } = await ended;
    expect({ code, stderr }).toEqual({ code: status, stderr: '' });
    for (const line of stdout.trim().split('\n')) expect(JSON.parse(line)).toMatchObject({ kind: 'DeploymentList', version: 1 });
  });
});

test('a reader that has seen enough is a quiet end', async () => {
  const child = start(['status', '--watch', '-o', 'json']);
  const ended = finish(child);
  await once(child.stdout, 'data');
  child.stdout.destroy();
  const { code, stderr } = await ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
});

function start(args: readonly string[]): ChildProcessWithoutNullStreams {
  const { FORCE_COLOR: _, NO_COLOR: __, ...env } = process.env;
  return spawn(process.execPath, [program, ...args], { env: { ...env, QWEN_DEPLOY_HOME: home } });
}

async function finish(child: ChildProcessWithoutNullStreams) {
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => (stdout += chunk));
  child.stderr.on('data', (chunk) => (stderr += chunk));
  const [code] = await once(child, 'close');
  return { code, stdout, stderr };
}
