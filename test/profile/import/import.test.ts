import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { toServeArgs } from '../../../src/plan/launch.ts';
import { planDeployment } from '../../../src/plan/make-plan.ts';
import { type ImportInput, importProfile } from '../../../src/profile/import/import.ts';
import { checkProfile, loadProfile } from '../../../src/profile/load.ts';
import { createFlagShelf } from '../../../src/profile/shelf.ts';
import { toText } from '../../../src/text/render.ts';
import { parseServeArgs } from '../../../src/vllm/read-args.ts';
import { load, machine, places } from '../../plan/stand-ins.ts';
import { importCase, readCases } from './corpus.ts';

const tools = { shelf: createFlagShelf(places), toText };
const bring = (...texts: readonly string[]) => importProfile({ texts, isFile: false }, tools);
const codes = (findings: readonly { readonly code: string }[]) => findings.map(({ code }) => code);

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'qd-import-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

test('every profile that is made passes profiles check', async () => {
  const names: string[] = [];
  for (const file of ['serve', 'docker', 'compose', 'config']) {
    for (const one of readCases(file)) {
      const { yaml } = await importCase(one, false);
      if (yaml === undefined) continue;
      const path = join(directory, `${file}-${one.name}.yaml`);
      await writeFile(path, yaml);
      const { findings } = await checkProfile(path, { places, cwd: directory, sets: [] });
      expect({ path, errors: findings.filter(({ severity }) => severity === 'error') }).toEqual({ path, errors: [] });
      names.push(path);
    }
  }
  expect(names.length).toBeGreaterThan(80);
});

describe('the words of a plan are the profile that was planned', () => {
  const shipped = ['cpu', 'demo', 'fp16', 'fp8', 'int4', 'int8', 'tiny'];
  test.each(shipped)('%s', async (name) => {
    const profile = await load(name);
    const { catalogue } = await checkProfile(name, { places, cwd: '/', sets: [] });
    if (catalogue === undefined) throw new Error('no catalogue');
    const { spec } = planDeployment({ profile, name, facts: machine, places, simulatorEntry: 'simulator.js', catalogue });
    const args = spec.args.slice(spec.args.indexOf('serve'));
    const read = parseServeArgs(args.slice(1), { catalogue, form: 'serve' });
    expect({ unknown: read.unknown, problems: read.problems }).toEqual({ unknown: [], problems: [] });
    expect(toServeArgs(read.model?.value ?? '', read.settings, catalogue)).toEqual(args);

    const { yaml = '' } = await importProfile({ texts: ['vllm', ...args], isFile: false, engineVersion: profile.engine.version }, tools);
    const path = join(directory, `${name}.yaml`);
    await writeFile(path, yaml);
    const imported = await loadProfile(path, { places, cwd: directory, sets: [] });
    const again = { ...imported, engine: { ...imported.engine, variant: profile.engine.variant, backend: profile.engine.backend } };
    const { spec: second } = planDeployment({ profile: again, name, facts: machine, places, simulatorEntry: 'simulator.js', catalogue });
    expect(second.args).toEqual(spec.args);
    expect(second.endpoint).toEqual(spec.endpoint);
  });
});

describe('what is asked for', () => {
  test('words, and the text of the same words, are the same', async () => {
    const text = 'HF_TOKEN=hf_abcdefghijklmnopqrstuvwx vllm serve Qwen/Qwen3-8B --port 9000 --hf-overrides {"a":"b c"}';
    const words = [
      'HF_TOKEN=hf_abcdefghijklmnopqrstuvwx',
      'vllm',
      'serve',
      'Qwen/Qwen3-8B',
      '--port',
      '9000',
      '--hf-overrides',
      '{"a":"b c"}',
    ];
    expect((await bring(...words)).yaml).toBe((await bring(text.replace(/(\{.*\})/, "'$1'"))).yaml);
  });

  test('words were taken apart by a shell: a dollar sign in them is one', async () => {
    const { profile } = await bring('vllm', 'serve', 'Qwen/Qwen3-8B', '--served-model-name', '$x');
    expect(profile).toMatchObject({ 'served-names': ['$x'] });
  });

  test('the version: as asked, else by the image, else the default', async () => {
    const line = 'docker run vllm/vllm-openai:v0.31.0 --model Qwen/Qwen3-8B';
    const versions = await Promise.all(
      ([{ engineVersion: '0.33.0' }, {}] as const).map(async (asked) => {
        const { profile } = await importProfile({ texts: [line], isFile: false, ...asked } satisfies ImportInput, tools);
        return profile.engine;
      }),
    );
    expect([...versions, (await bring('vllm serve Qwen/Qwen3-8B')).profile.engine]).toEqual([
      { version: '0.33.0' },
      { version: '0.31.0' },
      { version: '0.32.0' },
    ]);
  });

  test('findings point to the word, in a file by line and column', async () => {
    const text = '#!/bin/sh\nvllm serve Qwen/Qwen3-8B \\\n  --max-modle-len 8192\n';
    const { findings } = await importProfile({ texts: [text], isFile: true }, tools);
    expect(findings.find(({ code }) => code === 'profile/unknown-flag')).toMatchObject({
      line: 3,
      column: 3,
      path: 'vllm.max-modle-len',
      evidence: '--max-modle-len 8192',
    });
  });

  test('the address that nobody named is said to differ', async () => {
    expect(codes((await bring('vllm serve Qwen/Qwen3-8B')).findings)).toContain('profile/import-host');
    expect(codes((await bring('vllm serve Qwen/Qwen3-8B --host 127.0.0.1')).findings)).not.toContain('profile/import-host');
  });

  test('a variable chooses among the GPUs of the container', async () => {
    const line = `docker run --gpus '"device=2,3"' -e CUDA_VISIBLE_DEVICES=1 vllm/vllm-openai:v0.32.0 --model Qwen/Qwen3-8B`;
    expect((await bring(line)).profile).toMatchObject({ resources: { gpus: [3] } });
  });

  test('without a model vLLM takes its own', async () => {
    const { profile, findings } = await bring('vllm serve --port 8000');
    expect(profile.model).toBe('Qwen/Qwen3-0.6B');
    expect(codes(findings)).toContain('profile/import-model');
  });
});

describe('secrets are never repeated', () => {
  const secret = 'Zq9hunter2Xy';
  test.each([
    `vllm serve Qwen/Qwen3-8B --api-key ${secret}`,
    `vllm serve Qwen/Qwen3-8B --api-key=${secret} --max-modle-len 8`,
    `vllm serve Qwen/Qwen3-8B --api_key ${secret} other-${secret}`,
    `vllm serve Qwen/Qwen3-8B --hf-token ${secret}`,
    `VLLM_API_KEY=${secret} vllm serve Qwen/Qwen3-8B`,
    `export MY_SECRET=${secret}; vllm serve Qwen/Qwen3-8B`,
    `docker run -e OPENAI_API_KEY=${secret} -e HF_TOKEN=${secret} vllm/vllm-openai:v0.32.0 --model Qwen/Qwen3-8B`,
    `curl -H "Authorization: ${secret}" http://x; vllm serve Qwen/Qwen3-8B`,
    `services: {a: {image: "vllm/vllm-openai:v0.32.0", command: [Qwen/Qwen3-8B, --api-key, ${secret}], environment: {HF_TOKEN: ${secret}}}}`,
    `model: Qwen/Qwen3-8B\napi-key: ${secret}\nhf-token: ${secret}`,
    `vllm serve Qwen/Qwen3-8B --api-key '${secret}`,
    `vllm serve Qwen/Qwen3-8B --my-token ${secret} --other_secret=${secret}`,
    `services:\n  a:\n    environment:\n      HF_TOKEN: "${secret}`,
    `vllm serve Qwen/Qwen3-8B --hf-token hf_${secret}${secret} --x hf_${secret}${secret}`,
  ])('%s', async (line) => {
    const imported = await bring(line);
    const said = JSON.stringify({
      ...imported,
      texts: imported.findings.map(({ message, hint }) => [toText(message), hint && toText(hint)]),
    });
    expect(said).not.toContain(secret);
  });
});

describe('hostile texts are refused at once', () => {
  test.each<[string, string, string]>([
    ['nothing', '', 'profile/import-nothing'],
    ['a megabyte of words', `vllm serve Qwen/Qwen3-8B ${'--port 80 '.repeat(100_000)}`, 'profile/too-large'],
    ['a megabyte in one word', `vllm serve ${'x'.repeat(1_000_000)}`, 'profile/too-large'],
    ['substitutions without end', `vllm serve ${'$('.repeat(50_000)}`, 'profile/import-unreadable'],
    ['here documents without end', `vllm serve ${'<<A '.repeat(30_000)}`, 'profile/too-large'],
    ['quotes without end', `vllm serve ${'"'.repeat(99_999)}`, 'profile/import-unreadable'],
    ['no text', 'vllm serve \0', 'profile/import-unreadable'],
    [
      'a bomb of aliases',
      `a: &a [x,x]\n${[...'bcdefghij'].map((name, at) => `${name}: &${name} [*${'abcdefghi'[at]},*${'abcdefghi'[at]},*${'abcdefghi'[at]}]`).join('\n')}\nservices: {}`,
      'profile/import-unreadable',
    ],
    ['maps without end', `services: ${'{a: '.repeat(5000)}`, 'profile/import-unreadable'],
    ['a megabyte of YAML', `model: Qwen/Qwen3-8B\n${'a: b\n'.repeat(250_000)}`, 'profile/import-unreadable'],
  ])('%s', async (_, text, code) => {
    const began = performance.now();
    const { findings, yaml } = await bring(text);
    expect(codes(findings.filter(({ severity }) => severity === 'error'))).toEqual([code]);
    expect(yaml).toBeUndefined();
    expect(performance.now() - began).toBeLessThan(1500);
  });

  test('names of JavaScript are names like others', async () => {
    await bring('vllm serve Qwen/Qwen3-8B --hf-overrides {"__proto__":{"polluted":1}} --constructor 1', '--__proto__.x 1');
    await bring(
      'services:\n  __proto__:\n    image: vllm/vllm-openai\n    environment: {__proto__: {x: 1}, constructor: y}\n    command: [m]',
    );
    await bring('__proto__: {x: 1}\nconstructor: 2');
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });

  test('every beginning of a line is answered', async () => {
    const text = `FOO="a b" docker run --gpus '"device=0"' -e A=b vllm/vllm-openai:v0.32.0 --model 'Qwen/Qwen3-8B' --hf-overrides '{"a": {"b": 1}}' -cc.mode=3`;
    for (let end = 0; end < text.length; end += 1) expect((await bring(text.slice(0, end))).findings).toBeInstanceOf(Array);
  });
});
