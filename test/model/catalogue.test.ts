import { describe, expect, it } from 'vitest';
import { toModelFacts } from '../../src/model/catalogue.ts';

const gib = (bytes: number | undefined) => Math.round(((bytes ?? 0) / 2 ** 30) * 100) / 100;

describe('toModelFacts', () => {
  it.each([
    ['Qwen/Qwen3-0.6B', 'bf16', 1.11],
    ['Qwen/Qwen3-0.6B-FP8', 'fp8', 0.7],
    ['Qwen/Qwen3-0.6B-GPTQ-Int8', 'int8', 0.7],
    ['Qwen/Qwen3-4B-AWQ', 'int4', 2.48],
    ['Qwen/Qwen3-30B-A3B-GPTQ-Int4', 'int4', 15.63],
    ['Qwen/Qwen3-4B-Thinking-2507-FP8', 'fp8', 4.11],
  ])('%s: %s, %d GiB', (id, weights, size) => {
    const facts = toModelFacts(id);
    expect(facts?.weights).toBe(weights);
    expect(gib(facts?.weightsBytes)).toBe(size);
  });

  it('knows the KV cache and the length of a model', () => {
    expect(toModelFacts('Qwen/Qwen3-0.6B')).toMatchObject({
      kvBytesPerToken: 114_688,
      maxPositions: 40_960,
      vocabulary: 151_936,
      hybrid: false,
    });
    expect(toModelFacts('Qwen/Qwen3.5-9B')?.hybrid).toBe(true);
  });

  it('knows nothing of other repositories', () => {
    expect(toModelFacts('somebody/Qwen3-0.6B')).toBeUndefined();
  });
});

describe('what rules ask of a model', () => {
  it.each([
    ['Qwen/Qwen3-0.6B', 'switch', 'hermes', undefined, true],
    ['Qwen/Qwen3-0.6B-AWQ', 'switch', 'hermes', 'awq', false],
    ['Qwen/Qwen3-4B-AWQ', 'switch', 'hermes', 'awq', true],
    ['Qwen/Qwen3-4B-Instruct-2507', 'never', 'hermes', undefined, true],
    ['Qwen/Qwen3-235B-A22B-Thinking-2507-FP8', 'always', 'hermes', 'fp8', true],
    ['Qwen/Qwen3-Coder-30B-A3B-Instruct', 'never', 'qwen3_coder', undefined, true],
    ['Qwen/Qwen3.5-27B-GPTQ-Int4', 'switch', 'qwen3_coder', 'gptq', true],
    ['Qwen/Qwen3-Embedding-0.6B', 'never', undefined, undefined, true],
  ])('%s', (id, thinking, toolParser, method, published) => {
    const facts = toModelFacts(id);
    expect([facts?.thinking, facts?.toolParser, facts?.method, facts?.published]).toEqual([thinking, toolParser, method, published]);
  });

  it('knows heads, layers, width, and how the first models are stretched', () => {
    expect(toModelFacts('Qwen/Qwen3-14B-FP8')).toMatchObject({ heads: 40, kvHeads: 8, layers: 40, mlpWidth: 17_408, hiddenSize: 5120 });
    expect(toModelFacts('Qwen/Qwen3-30B-A3B')).toMatchObject({ experts: 128, kvHeads: 4, yarn: { factor: 4, original: 32_768 } });
    expect(toModelFacts('Qwen/Qwen3-30B-A3B')?.mlpWidth).toBeUndefined();
    expect(toModelFacts('Qwen/Qwen3-4B-Instruct-2507')?.yarn).toBeUndefined();
    expect(toModelFacts('Qwen/Qwen3.5-9B')?.draftLayers).toBe(1);
  });
});
