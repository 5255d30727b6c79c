import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { toDifference, toFallbackSteps } from '../../src/profile/fallback-steps.ts';
import { checkProfile, loadProfile } from '../../src/profile/load.ts';
import { toWrittenSettings } from '../../src/profile/written.ts';
import { eachInShelfBox } from './shelf-box.ts';

const { cwd, put, where } = eachInShelfBox(({ put: write }) =>
  write('profiles/light.yaml', 'model: Qwen/Qwen3-0.6B\nvllm: {max-num-seqs: 2}\n'),
);
const model = 'model: Qwen/Qwen3-0.6B\n';
const check = async (text: string, sets: readonly string[] = []) => {
  const { findings } = await checkProfile(await put('profiles/heavy.yaml', `${model}${text}`), { ...where(), sets });
  return findings.filter(({ severity }) => severity !== 'info').map(({ code, path, line, column }) => ({ code, path, line, column }));
};

describe('steps that are sound', () => {
  it('are kept as they are written, and by paths', async () => {
    const steps = [
      { vllm: { 'max-model-len': 'estimated' } },
      { vllm: { 'kv-cache-dtype': 'fp8' } },
      {
        vllm: { 'max-num-seqs': 8, 'compilation-config': { mode: 0 } },
        engine: { env: { NCCL_DEBUG: 'WARN' } },
        resources: { shm: '2GiB' },
      },
      { profile: 'light' },
    ];
    expect(await check(`fallback: ${JSON.stringify(steps)}\n`)).toEqual([]);
    const { fallback = [] } = await loadProfile('heavy', where());
    expect(fallback).toEqual(steps);
    expect(toFallbackSteps(fallback)).toEqual([
      { name: 'vllm.max-model-len=estimated', set: { 'vllm.max-model-len': 'estimated' } },
      { name: 'vllm.kv-cache-dtype=fp8', set: { 'vllm.kv-cache-dtype': 'fp8' } },
      {
        name: 'vllm.max-num-seqs=8, vllm.compilation-config={"mode":0}, engine.env.NCCL_DEBUG=WARN, resources.shm=2GiB',
        set: {
          'vllm.max-num-seqs': 8,
          'vllm.compilation-config': { mode: 0 },
          'engine.env.NCCL_DEBUG': 'WARN',
          'resources.shm': '2GiB',
        },
      },
      { name: 'light', profile: 'light' },
    ]);
    expect(toWrittenSettings(await loadProfile('heavy', where())).get('fallback')).toEqual(steps);
  });

  it('are absent by default, by null and by an empty list', async () => {
    for (const text of ['', 'fallback: null\n', 'fallback: []\n']) {
      expect(await check(text)).toEqual([]);
      expect((await loadProfile('heavy', where())).fallback).toBeUndefined();
    }
  });

  it('mean paths from the file that they stand in', async () => {
    const light = await put('deep/small.yaml', model);
    await put('deep/heavy.yaml', `${model}fallback: [{profile: small.yaml}, {model: ./checkpoint}]\n`);
    const { fallback } = await loadProfile('./deep/heavy.yaml', where());
    expect(fallback).toEqual([{ profile: light }, { model: join(cwd(), 'deep/checkpoint') }]);
  });

  it('may take something away', async () => {
    expect(await check('vllm: {compilation-config: {mode: 3}}\nfallback: [{vllm: {compilation-config: null}}]\n')).toEqual([]);
  });
});

describe('a step that is wrong is refused where it stands', () => {
  it.each<[string, string, string, string, number]>([
    ['no map', 'fallback:\n  - fast\n', 'profile/wrong-value', 'fallback.0', 3],
    [
      'an unknown setting of vLLM',
      'fallback:\n  - vllm:\n      max-model-length: 8\n',
      'profile/unknown-flag',
      'fallback.0.vllm.max-model-length',
      4,
    ],
    [
      'a wrong value of vLLM',
      'fallback:\n  - vllm: {max-num-seqs: 4}\n  - vllm:\n      max-num-seqs: many\n',
      'profile/flag-type',
      'fallback.1.vllm.max-num-seqs',
      5,
    ],
    [
      'an estimate of something else',
      'fallback:\n  - vllm: {max-num-seqs: estimated}\n',
      'profile/flag-type',
      'fallback.0.vllm.max-num-seqs',
      3,
    ],
    ['an unknown key', 'fallback:\n  - vllm: {seed: 1}\n    resources: {grus: 1}\n', 'profile/unknown-key', 'fallback.0.resources.grus', 4],
    [
      'an unknown block',
      'fallback:\n  - vlm: {enforce-eager: true}\n    vllm: {enforce-eager: true}\n',
      'profile/unknown-key',
      'fallback.0.vlm',
      3,
    ],
    [
      'a setting in another place',
      'fallback:\n  - vllm: {enforce-eager: true, port: 1}\n',
      'profile/wrong-place',
      'fallback.0.vllm.port',
      3,
    ],
    ['an address', 'fallback:\n  - server: {port: 1}\n', 'profile/fallback-setting', 'fallback.0.server', 3],
    ['names', 'fallback:\n  - served-names: [a]\n', 'profile/fallback-setting', 'fallback.0.served-names', 3],
    ['steps of its own', 'fallback:\n  - fallback: []\n', 'profile/fallback-setting', 'fallback.0.fallback', 3],
    ['a profile and more', 'fallback:\n  - profile: light\n    vllm: {seed: 1}\n', 'profile/fallback-setting', 'fallback.0.vllm', 4],
    ['a profile without a name', 'fallback:\n  - profile: [light]\n', 'profile/fallback-setting', 'fallback.0.profile', 3],
    ['a profile that is not there', 'fallback:\n  - profile: lihgt\n', 'profile/fallback-unknown', 'fallback.0.profile', 3],
    ['a profile that is broken', 'fallback:\n  - profile: bad\n', 'profile/fallback-unknown', 'fallback.0.profile', 3],
    ['itself', 'fallback:\n  - profile: heavy\n', 'profile/fallback-setting', 'fallback.0.profile', 3],
    ['nothing', 'fallback:\n  - {}\n', 'profile/fallback-idle', 'fallback.0', 3],
    ['what is so already', 'vllm: {max-num-seqs: 8}\nfallback:\n  - vllm: {max-num-seqs: 8}\n', 'profile/fallback-idle', 'fallback.0', 4],
    ['the same twice', 'fallback:\n  - profile: light\n  - profile: light\n', 'profile/fallback-idle', 'fallback.1', 4],
    ['what cures nothing', 'fallback:\n  - thinking: on\n', 'profile/fallback-idle', 'fallback.0', 3],
  ])('%s', async (_, text, code, path, line) => {
    await put('profiles/bad.yaml', `${model}vllm: {max-num-seqs: many}\n`);
    expect(await check(text)).toMatchObject([{ code, path, line }]);
  });

  it('also where there are more than anybody would climb down', async () => {
    const steps = Array.from({ length: 33 }, (_, index) => `  - vllm: {max-num-seqs: ${index + 9}}\n`).join('');
    expect(await check(`fallback:\n${steps}`)).toMatchObject([{ code: 'profile/too-large', path: 'fallback.32', line: 35 }]);
  });

  it('also where it goes wrong only with the rest of the profile', async () => {
    const found = await check('engine: {variant: gpu}\nfallback:\n  - resources: {gpus: none}\n');
    expect(found).toMatchObject([{ code: 'profile/conflict', path: 'fallback.0.resources.gpus', line: 4 }]);
  });

  it('names what was meant', async () => {
    const { findings } = await checkProfile(await put('profiles/heavy.yaml', `${model}fallback: [{profile: lihgt}]`), where());
    expect(JSON.stringify(findings)).toContain('light');
  });

  it('by --set too, and without a place', async () => {
    expect(await check('', ['fallback=[{server: {port: 1}}]'])).toEqual([
      { code: 'profile/fallback-setting', path: 'fallback.0.server', line: undefined, column: undefined },
    ]);
  });

  it('at the list, where several files have a part of it', async () => {
    await put('profiles/parent.yaml', `${model}fallback:\n  - vllm: {enforce-eager: true}\n`);
    const file = await put('profiles/child.yaml', 'extends: parent\nfallback+:\n  - vllm: {max-num-seqs: many}\n');
    const { findings } = await checkProfile(file, where());
    expect(findings.filter(({ severity }) => severity === 'error')).toMatchObject([
      { code: 'profile/flag-type', path: 'fallback.1.vllm.max-num-seqs', file, line: 2 },
    ]);
  });
});

it('another profile is what has to be set to start it: its settings, and what it does not have is taken away', async () => {
  const text = `${model}quantization: fp8\nvllm: {max-model-len: 4096, compilation-config: {mode: 3, backend: eager}}\nlora: {sql: ./a}\nresources: {shm: 2GiB}\n`;
  await put('profiles/heavy.yaml', `${text}server: {port: 9000}\nfallback: [{profile: light}]\n`);
  await put(
    'profiles/light.yaml',
    'model: Qwen/Qwen3-1.7B\nvllm: {max-num-seqs: 2, compilation-config: {mode: 0}}\nserver: {port: 1}\nhealth: {interval: 9s}\n',
  );
  const [heavy, light] = await Promise.all([loadProfile('heavy', where()), loadProfile('light', where())]);
  const set = toDifference(heavy, light);
  expect(set).toEqual({
    'resources.shm': null,
    'model.id': 'Qwen/Qwen3-1.7B',
    quantization: 'auto',
    'health.interval': '9s',
    'vllm.max-model-len': null,
    'vllm.compilation-config': { backend: null, mode: 0 },
    'vllm.max-num-seqs': 2,
    lora: { sql: null },
  });
  const sets = Object.entries(set).map(([path, value]) => `${path}=${JSON.stringify(value)}`);
  const mixed = await loadProfile('heavy', { ...where(), sets });
  for (const key of ['model', 'vllm', 'quantization', 'resources', 'engine', 'health', 'lora'] as const)
    expect(mixed[key]).toEqual(light[key]);
  expect(mixed.server).toEqual(heavy.server);
});
