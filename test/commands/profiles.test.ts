import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { runCommandLine } from '../../src/commands/cli.ts';
import { createFakeHost, type FakeOptions } from './fake-host.ts';

let cwd = '';
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'profiles-'));
  mkdirSync(join(cwd, 'profiles'));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

async function run(line: string, options: FakeOptions = {}) {
  const host = { ...createFakeHost({ env: { QWEN_DEPLOY_HOME: join(cwd, 'home') }, ...options }), cwd };
  const status = await runCommandLine(`profiles ${line}`.split(' '), host);
  return { status, ...host.printed };
}

const put = (name: string, text: string) => writeFileSync(join(cwd, 'profiles', `${name}.yaml`), text);
const read = (name: string): unknown => parse(readFileSync(join(cwd, 'profiles', `${name}.yaml`), 'utf8'));

describe('profiles check', () => {
  test('tells each place like a compiler, once, and counts', async () => {
    put('parent', 'vllm: {max-num-seqs: many}\n');
    put('a', 'extends: parent\nmodel: m\nserver:\n  prot: 1\n');
    put('b', 'extends: parent\nmodel: m\nvllm: {disable-cascade-attn: true}\n');
    const { status, stdout, stderr } = await run('check a b nowhere');
    expect({ status, stderr }).toEqual({ status: 3, stderr: '' });
    expect(stdout).toBe(
      [
        'profiles/a.yaml:4:3: error: server.prot is not a setting. (profile/unknown-key)',
        '    Did you mean server.port?',
        'profiles/parent.yaml:1:22: error: max-num-seqs must be a whole number, not "many". (profile/flag-type)',
        'profiles/b.yaml:3:8: warning: disable-cascade-attn is deprecated in vLLM 0.32.0; 0.33.0 is to remove it. (profile/flag-deprecated)',
        'nowhere: error: There is no profile "nowhere". (profile/unknown)',
        '    qwen-deploy profiles list shows all; a path must start with . or / or end in .yaml.',
        '3 profiles, 3 errors, 1 warning',
        '',
      ].join('\n'),
    );
  });

  test('is brief when all is well', async () => {
    expect(await run('check tiny int4')).toEqual({ status: 0, stdout: '2 profiles, no problems\n', stderr: '' });
    expect(await run('check tiny')).toMatchObject({ stdout: '1 profile, no problems\n' });
  });

  test('answers with its document also when the answer is bad', async () => {
    put('a', 'model: m\nvllm: {swap-space: 4}\n');
    const { status, stdout } = await run('check a tiny --engine-version 0.30.0 -o json');
    expect(status).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({
      kind: 'ProfileCheck',
      version: 1,
      files: [
        {
          file: join(cwd, 'profiles/a.yaml'),
          findings: [
            {
              code: 'profile/removed-flag',
              severity: 'error',
              message: expect.stringContaining('0.30.0'),
              line: 2,
              column: 8,
              path: 'vllm.swap-space',
            },
          ],
        },
        { file: 'shipped:tiny', findings: [] },
      ],
    });
  });
});

describe('profiles diff', () => {
  test('shows both values and what that means', async () => {
    const { status, stdout } = await run('diff tiny tiny --set vllm.max-num-seqs=32 --set server.port=9000');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^shipped:tiny → shipped:tiny\n {2}vllm\.max-num-seqs: 8 → 32\n {4}Requests at work at once/);
    expect(stdout).toContain('  server.port: 8000 → 9000\n    TCP port');
  });

  test('--exit-code is 10 for a difference, and 0 for none', async () => {
    expect(await run('diff int8 fp8 --exit-code')).toMatchObject({ status: 10 });
    expect(await run('diff int8 int8 --exit-code')).toEqual({
      status: 0,
      stdout: 'shipped:int8 and shipped:int8 do the same.\n',
      stderr: '',
    });
  });

  test('as a document', async () => {
    const { stdout } = await run('diff tiny tiny --set vllm.seed=1 -o json');
    expect(JSON.parse(stdout)).toEqual({
      kind: 'ProfileDiff',
      version: 1,
      a: 'shipped:tiny',
      b: 'shipped:tiny',
      differences: [{ path: 'vllm.seed', to: 1, meaning: expect.stringContaining('random numbers') }],
    });
  });
});

describe('profiles schema', () => {
  test('is printed, or written to a file', async () => {
    const printed = await run('schema --engine-version 0.33.0');
    expect(JSON.parse(printed.stdout)).toMatchObject({ $schema: 'https://json-schema.org/draft/2020-12/schema', type: 'object' });
    const written = await run('schema --engine-version 0.33.0 --file s.json');
    expect(written).toMatchObject({ status: 0, stdout: expect.stringContaining(join(cwd, 's.json')) });
    expect(readFileSync(join(cwd, 's.json'), 'utf8') === printed.stdout).toBe(true);
  });

  test('as a document it is part of it', async () => {
    expect(JSON.parse((await run('schema -o json')).stdout)).toMatchObject({
      kind: 'ProfileSchema',
      version: 1,
      engineVersion: '0.32.0',
      schema: { type: 'object' },
    });
    expect(JSON.parse((await run('schema --file s.json -o json')).stdout)).toEqual({
      kind: 'ProfileSchema',
      version: 1,
      engineVersion: '0.32.0',
      file: join(cwd, 's.json'),
    });
  });

  test('says where it cannot be written', async () => {
    expect(await run('schema --file nowhere/s.json')).toMatchObject({ status: 4, stderr: expect.stringContaining('host/not-written') });
  });
});

describe('profiles init', () => {
  test.each([
    ['init', 'NAME'],
    ['init mine', '--model'],
  ])('%s without a terminal says what would answer: %s', async (line, option) => {
    const { status, stderr } = await run(line);
    expect({ status, stdout: '' }).toEqual({ status: 8, stdout: '' });
    expect(stderr).toContain(option);
  });

  test('takes options', async () => {
    const { status, stdout, stderr } = await run('init mine --from int4 --port 8001 --max-model-len 4096 --gpus 1');
    expect(status).toBe(0);
    expect(stdout).toContain(join(cwd, 'profiles/mine.yaml'));
    expect(stderr).toContain('qwen-deploy profiles check mine');
    expect(read('mine')).toEqual({
      extends: 'int4',
      description: 'Serves Qwen/Qwen3-4B-AWQ',
      vllm: { 'max-model-len': 4096 },
      resources: { gpus: 1 },
      server: { port: 8001 },
    });
  });

  test('--yes takes what is usual', async () => {
    expect(await run('init mine --yes')).toMatchObject({ status: 0 });
    expect(read('mine')).toMatchObject({ extends: 'base/gpu', model: 'Qwen/Qwen3-0.6B' });
    expect(await run('init slow --yes --gpus none')).toMatchObject({ status: 0 });
    expect(read('slow')).toMatchObject({ extends: 'base/cpu', resources: { gpus: 'none' } });
  });

  test('asks on a terminal for what no option says, and an empty line is what is in brackets', async () => {
    const { status, stderr } = await run('init --port 8002', { terminal: true, stdin: '\nmine\nint8\n\n2048\n' });
    expect(status).toBe(0);
    expect(stderr).toContain('Name of the profile: Name of the profile: Profile to build on');
    expect(stderr).toContain('[base/gpu]');
    expect(stderr).toContain('[Qwen/Qwen3-0.6B-GPTQ-Int8]');
    expect(stderr).not.toContain('Port of the API');
    expect(read('mine')).toEqual({
      extends: 'int8',
      description: 'Serves Qwen/Qwen3-0.6B-GPTQ-Int8',
      vllm: { 'max-model-len': 2048 },
      server: { port: 8002 },
    });
  });

  test('changes nothing when the questions are not answered to the end', async () => {
    const { status, stderr } = await run('init', { terminal: true, stdin: 'mine\n' });
    expect(status).toBe(8);
    expect(stderr).toContain('confirm/declined');
    expect(existsSync(join(cwd, 'profiles/mine.yaml'))).toBe(false);
  });

  test.each([
    ['init Mine_1 --yes', 2, 'deployment/bad-name'],
    ['init --file mine.txt', 2, '.yaml'],
    ['init mine --from nowhere', 6, 'profile/unknown'],
    ['init mine --model m --port 0', 3, 'server.port'],
  ])('%s', async (line, status, words) => {
    expect(await run(line)).toMatchObject({ status, stderr: expect.stringContaining(words) });
    expect(existsSync(join(cwd, 'profiles/mine.yaml'))).toBe(false);
  });

  test('as a document', async () => {
    expect(JSON.parse((await run('init mine --yes -o json')).stdout)).toEqual({
      kind: 'ProfileInit',
      version: 1,
      name: 'mine',
      file: join(cwd, 'profiles/mine.yaml'),
      schema: join(cwd, 'profiles/profile.schema.json'),
    });
  });
});
