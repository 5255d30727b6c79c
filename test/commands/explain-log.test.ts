import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { runCommandLine } from '../../src/commands/cli.ts';
import { createFakeHost } from './fake-host.ts';

const captures = new URL('../fixtures/logs/vllm-0.32.0-cpu/', import.meta.url);
const readCapture = (name: string) => readFileSync(new URL(`${name}.log`, captures), 'utf8');

async function run(line: string, stdin = '', terminal = false) {
  const host = createFakeHost({ stdin, terminal, env: { HOME: '/nowhere', NO_COLOR: '1' } });
  const status = await runCommandLine(['explain', ...line.split(' ')], host);
  return { status, ...host.printed };
}

test('a log on standard input, for people', async () => {
  const text = readCapture('bad-unknown-flag');
  const { status, stdout, stderr } = await run('--log -', text);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const [title, verdict, ...rest] = stdout.split('\n');
  expect(title).toMatch(/^\S.* \(unknown_argument\)$/);
  expect(verdict).toContain('permanent');
  const line = text.split('\n').findIndex((one) => one.includes('unrecognized arguments')) + 1;
  expect(rest.join('\n')).toContain(`line ${line}: vllm: error: unrecognized arguments: --no-such-flag`);
  expect(rest.join('\n')).toContain(`lines: ${line}`);
});

test('as a document', async () => {
  const { status, stdout } = await run(`--log ${new URL('bad-kv-cache-too-small.log', captures).pathname} -o json`);
  const document = JSON.parse(stdout);
  expect(status).toBe(0);
  expect(document).toMatchObject({
    kind: 'Diagnosis',
    version: 1,
    failed: true,
    cause: 'kv_cache_too_small',
    title: expect.any(String),
    permanent: true,
    confidence: 'sure',
    evidence: expect.arrayContaining([{ line: expect.any(Number), text: expect.stringContaining('To serve at least one request') }]),
    engineVersion: '0.32.0',
    launch: 1,
    launches: 1,
    log: { formats: [], gzip: false, isVllm: true, engines: 1 },
  });
  expect(document.remedies.every(({ text }: { text: unknown }) => typeof text === 'string')).toBe(true);
  expect(JSON.stringify(document)).not.toContain('"params"');
});

test('of two engines the other one is said too', async () => {
  const toLines = (name: string, service: string) =>
    readCapture(name)
      .trimEnd()
      .split('\n')
      .map((line) => `${service}  | ${line}`);
  const stdin = [...toLines('bad-port-in-use', 'one'), ...toLines('bad-unknown-flag', 'two')].join('\n');
  const { stdout } = await run('--log -', stdin);
  expect(stdout).toMatch(/and of two: .*\(unknown_argument\)/);
  expect(stdout).toContain('of one · 2 sources · ');
  expect(stdout).toContain('as written by Docker Compose');
  const document = JSON.parse((await run('--log - -o json', stdin)).stdout);
  expect(document).toMatchObject({
    cause: 'port_in_use',
    source: 'one',
    others: [{ kind: 'Diagnosis', cause: 'unknown_argument', source: 'two' }],
  });
});

test('nothing failed: that is said, and whether it was a log of vLLM at all', async () => {
  expect(await run('--log -', readCapture('healthy'))).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^Nothing failed in this log\.\n/),
  });
  expect((await run('--log -', 'one\ntwo\n')).stdout).toContain('none of its lines is of vLLM');
  const document = JSON.parse((await run('--log - -o json', readCapture('healthy'))).stdout);
  expect(document).toMatchObject({ kind: 'Diagnosis', version: 1, failed: false, permanent: false, evidence: [], remedies: [] });
  expect(document).not.toHaveProperty('cause');
});

test('what no signature knows: the best lines, and how to report them', async () => {
  const text = [
    '(EngineCore pid=7) ERROR 11-21 10:00:00 [core.py:1] Traceback (most recent call last):',
    '(EngineCore pid=7) ERROR 11-21 10:00:00 [core.py:1]   File "/opt/vllm/x.py", line 1, in run',
    '(EngineCore pid=7) ERROR 11-21 10:00:00 [core.py:1] FrobnicationError: the frobnicator is out of tune',
    'RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}',
  ].join('\n');
  const { status, stdout } = await run('--log -', text);
  expect(status).toBe(0);
  expect(stdout).toContain('(unknown)');
  expect(stdout).toContain('line 3: FrobnicationError: the frobnicator is out of tune');
  expect(stdout).toContain('doctor --bundle');
});

test('control characters of a log do not reach the terminal', async () => {
  const { stdout } = await run('--log -', 'vllm: error: unrecognized arguments: \u001b[2J\u0007--x\n');
  for (const character of ['\u0007', '\u001b']) expect(stdout).not.toContain(character);
  expect(stdout).toContain('--x');
});

test('who pastes on a terminal is told how to end', async () => {
  expect((await run('--log -', readCapture('bad-unknown-flag'), true)).stderr).toContain('Ctrl-D');
});

test.each([
  ['--log /no/such.log', 6, 'log/no-file'],
  ['--log -', 6, 'log/empty'],
  ['--log - --list', 2, 'one thing'],
  ['--log', 2, 'log'],
])('%s', async (line, status, words) => {
  const { stdout, stderr, ...rest } = await run(line);
  expect({ ...rest, stdout }).toEqual({ status, stdout: '' });
  expect(stderr).toContain(words);
});

test('a cause is explained as a code is, and listed among them', async () => {
  const { status, stdout } = await run('kv_cache_too_small');
  expect({ status, first: stdout.split('\n')[0] }).toEqual({ status: 0, first: 'kv_cache_too_small' });
  expect(stdout).toContain('permanent');
  expect(JSON.parse((await run('port_in_use -o json')).stdout)).toMatchObject({
    kind: 'Explanation',
    code: 'port_in_use',
    permanent: false,
    phase: 'startup',
  });
  const { codes } = JSON.parse((await run('--list -o json')).stdout);
  expect(codes.map(({ code }: { code: string }) => code)).toEqual(expect.arrayContaining(['kv_cache_too_small', 'unknown_argument']));
  expect((await run('kv_cache_to_small')).stderr).toContain('kv_cache_too_small');
});
