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
