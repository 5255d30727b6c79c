import { describe, expect, it } from 'vitest';
import { parseHumanInteger, toGpuNeed } from '../../src/plan/gpu-need.ts';
import { load } from './stand-ins.ts';

describe('toGpuNeed', () => {
  it.each([
    ['fp16', [], 3.0],
    ['int8', [], 2.6],
    ['int4', [], 4.6],
    ['fp8', [], 6.2],
    ['int4', ['vllm.max-model-len=auto'], 3.5],
    ['int4', ['vllm.max-model-len='], 9.1],
    ['int4', ['vllm.kv-cache-dtype=fp8'], 4.1],
    ['int4', ['vllm.kv-cache-memory-bytes=2G'], 5.5],
    ['int4', ['vllm.max-num-seqs=256'], 4.6],
    ['int4', ['vllm.max-num-seqs=256', 'engine.version=0.21.0'], 5.0],
    ['int4', ['vllm.tensor-parallel-size=2'], 3.1],
  ])('%s %j: %d GiB', async (name, sets, expected) => {
    const need = toGpuNeed(await load(name, ...sets));
    expect(need.known).toBe(true);
    expect(Math.round((need.bytes / 2 ** 30) * 10) / 10).toBe(expected);
  });

  it('counts only what any model needs for one that is not in the catalogue', async () => {
    expect(toGpuNeed(await load('int4', 'model=somebody/else'))).toEqual({ known: false, gpus: 1, bytes: expect.closeTo(2 ** 30, -3) });
  });
});

describe('parseHumanInteger', () => {
  it.each([
    [8192, 8192],
    ['8192', 8192],
    ['8k', 8000],
    ['8K', 8192],
    ['1.5g', 1.5e9],
    ['64M', 64 * 2 ** 20],
    ['auto', undefined],
    [true, undefined],
    [undefined, undefined],
  ])('%s: %s', (value, expected) => {
    expect(parseHumanInteger(value)).toBe(expected);
  });
});
