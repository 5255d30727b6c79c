/** Every published Qwen3 checkpoint, and the settings that Qwen's own pages give for them: all of it must pass. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Severity } from '../../src/core/finding.ts';
import { toPlaces } from '../../src/host/environment.ts';
import { checkProfile } from '../../src/profile/load.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'qd-qwen3-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

async function check(text: string): Promise<readonly (readonly [Severity, string])[]> {
  await writeFile(join(root, 'p.yaml'), text);
  const places = toPlaces({ QWEN_DEPLOY_HOME: join(root, 'home') });
  const { findings } = await checkProfile('./p.yaml', { places, cwd: root, sets: [] });
  return findings.filter(({ severity }) => severity !== 'info').map(({ severity, code }) => [severity, code]);
}

const sizes = ['0.6B', '1.7B', '4B', '8B', '14B', '32B', '30B-A3B', '235B-A22B'];
const later = ['4B', '30B-A3B', '235B-A22B'].flatMap((size) => [`${size}-Instruct-2507`, `${size}-Thinking-2507`]);
const checkpoints = [
  ...sizes.flatMap((size) => [size, `${size}-FP8`]),
  ...later.flatMap((name) => [name, `${name}-FP8`]),
  ...['4B', '8B', '14B', '32B'].map((size) => `${size}-AWQ`),
  '0.6B-GPTQ-Int8',
  '1.7B-GPTQ-Int8',
  '30B-A3B-GPTQ-Int4',
  '235B-A22B-GPTQ-Int4',
];

describe('published checkpoints', () => {
  it.each(checkpoints)('Qwen/Qwen3-%s', async (name) => {
    expect(await check(`model: Qwen/Qwen3-${name}\nvllm: {max-model-len: 32768}`)).toEqual([]);
  });

  it('one that was never published is said to be none', async () => {
    expect(await check('model: Qwen/Qwen3-0.6B-AWQ\n')).toMatchObject([['warning', expect.stringContaining('profile/')]]);
  });
});

const yarn = '{rope_type: yarn, factor: 4.0, original_max_position_embeddings: 32768, rope_theta: 1000000}';

describe('settings for Qwen3', () => {
  it.each([
    ['thinking off for all who do not ask', 'model: Qwen/Qwen3-0.6B\nthinking: off'],
    ['the reasoning parser', 'model: Qwen/Qwen3-8B\nvllm: {reasoning-parser: qwen3}'],
    ['the reasoning parser of a model that always thinks', 'model: Qwen/Qwen3-4B-Thinking-2507\nvllm: {reasoning-parser: qwen3}'],
    ['tools', 'model: Qwen/Qwen3-8B\nvllm: {enable-auto-tool-choice: true, tool-call-parser: hermes}'],
    [
      'sampling without thoughts',
      'model: Qwen/Qwen3-0.6B\nthinking: off\nvllm: {override-generation-config: {temperature: 0.7, top_p: 0.8, top_k: 20}}',
    ],
    ["vLLM's own sampling", 'model: Qwen/Qwen3-0.6B\nvllm: {generation-config: vllm}'],
    ['the longest text without YaRN', 'model: Qwen/Qwen3-0.6B\nvllm: {max-model-len: 40960}'],
    ['the longest text of 2507', 'model: Qwen/Qwen3-4B-Instruct-2507\nvllm: {max-model-len: 262144}'],
    [
      'YaRN, as vLLM takes it since 0.30',
      `model: Qwen/Qwen3-8B\nvllm: {max-model-len: 131072, hf-overrides: {max_position_embeddings: 131072, rope_parameters: ${yarn}}}`,
    ],
    [
      'YaRN, as it was before',
      `model: Qwen/Qwen3-8B\nengine: {version: "0.29.0"}\nvllm: {max-model-len: 131072, hf-overrides: {rope_parameters: ${yarn}}}`,
    ],
    ['eight GPUs for the 32B', 'model: Qwen/Qwen3-32B\nvllm: {tensor-parallel-size: 8}'],
  ])('%s', async (_, text) => {
    expect(await check(text)).toEqual([]);
  });

  it('YaRN without the new length is refused since 0.30, because vLLM refuses it', async () => {
    const text = `model: Qwen/Qwen3-8B\nvllm: {max-model-len: 131072, hf-overrides: {rope_parameters: ${yarn}}}`;
    expect(await check(text)).toMatchObject([['error', expect.any(String)]]);
  });
});
