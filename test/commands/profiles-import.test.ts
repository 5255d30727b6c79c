import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCommandLine } from '../../src/commands/cli.ts';
import { createFakeHost, type FakeOptions } from './fake-host.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'qd-import-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function run(argv: readonly string[], options: FakeOptions = {}) {
  const host = createFakeHost({ env: { QWEN_DEPLOY_HOME: directory }, ...options });
  const status = await runCommandLine(['profiles', 'import', ...argv], host);
  return { status, ...host.printed };
}

const profile =
  '# Imported from a command line of vLLM 0.32.0.\n\nmodel: Qwen/Qwen3-8B\nengine:\n  version: "0.32.0"\nserver:\n  port: 9000\n';

test.each<[string, readonly string[], string]>([
  ['one argument', ['vllm serve Qwen/Qwen3-8B --port 9000'], ''],
  ['several, behind two dashes', ['--', 'vllm', 'serve', 'Qwen/Qwen3-8B', '--port', '9000'], ''],
  ['what is piped', [], 'vllm serve Qwen/Qwen3-8B --port 9000\n'],
  ['what is piped, when asked for', ['-'], '\uFEFFvllm serve Qwen/Qwen3-8B \\\r\n  --port 9000\r\n'],
])('%s: the profile is the answer, the rest is conversation', async (_, argv, stdin) => {
  const { status, stdout, stderr } = await run(argv, { stdin });
  expect({ status, stdout }).toEqual({ status: 0, stdout: profile });
  expect(stderr).toContain('server.host: note: Without --host');
});

test('what is wrong is said, and no half profile comes out', async () => {
  const { status, stdout, stderr } = await run(['vllm serve Qwen/Qwen3-8B --swap-space 4 --restart']);
  expect({ status, stdout }).toEqual({ status: 3, stdout: '' });
  expect(stderr).toMatch(/vLLM 0\.32\.0 has no swap-space any more.*\n.*Leave it out[\s\S]*No profile was made \(errors: 2\)/);
});

test('as JSON: one document, also when the answer is bad', async () => {
  const good = await run(['-o', 'json', 'nohup vllm serve Qwen/Qwen3-8B --port 9000 &']);
  expect(good.stderr).toBe('');
  expect(JSON.parse(good.stdout)).toMatchObject({
    kind: 'ProfileImport',
    version: 1,
    profile: { model: 'Qwen/Qwen3-8B', engine: { version: '0.32.0' }, server: { port: 9000 } },
    yaml: profile,
    dropped: [{ text: 'nohup', why: expect.stringContaining('qwen-deploy runs it') }],
    findings: expect.arrayContaining([expect.objectContaining({ code: 'profile/import-host', severity: 'info' })]),
  });
  const bad = await run(['-o', 'json', 'vllm serve Qwen/Qwen3-8B --cudagraph-capture-sizes a']);
  expect(bad.status).toBe(3);
  const document = JSON.parse(bad.stdout);
  expect(document.findings).toContainEqual(
    expect.objectContaining({ code: 'profile/flag-type', severity: 'error', evidence: '--cudagraph-capture-sizes a' }),
  );
  expect(document.yaml).toBeUndefined();
});

test('a file, and a service in it', async () => {
  const file = join(directory, 'compose.yaml');
  await writeFile(
    file,
    'services:\n  a: {image: vllm/vllm-openai, command: [Qwen/Qwen3-8B]}\n  b: {image: vllm/vllm-openai, command: [Qwen/Qwen3-4B]}\n',
  );
  expect((await run(['--file', file])).stderr).toContain('Choose one: --service a');
  expect((await run(['--file', file, '--service', 'b'])).stdout).toContain('model: Qwen/Qwen3-4B');
});

test.each<[string, readonly string[], FakeOptions, RegExp]>([
  ['nothing at all', [], { terminal: true }, /nothing to import/],
  ['an empty pipe', [], {}, /nothing to import/],
  ['an empty line', [''], {}, /nothing to import/],
  ['both', ['--file', 'a', 'vllm serve b'], {}, /Either --file or a line/],
  ['a file that is not there', ['--file', '/nowhere/at-all'], {}, /nowhere\/at-all cannot be read: it is not there/],
  ['a directory', ['--file', '/'], {}, /cannot be read: it is a directory/],
  ['no version', ['--engine-version', 'newest', 'vllm serve m'], {}, /"newest" is not a version/],
  ['flags of vLLM that are taken for ours', ['vllm', 'serve', 'm', '--port', '1'], {}, /no option --port here/],
])('%s is a mistake of usage', async (_, argv, options, said) => {
  const { status, stdout, stderr } = await run(argv, options);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toMatch(said);
});
