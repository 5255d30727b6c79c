import { describe, expect, it } from 'vitest';
import type { Gpu } from '../../../src/gpu/gpu.ts';
import type { MemoryRequest } from '../../../src/plan/memory/plan-memory.ts';
import type { Memory } from '../../../src/plan/plan.ts';
import { toText } from '../../../src/text/render.ts';
import { card, gib, mib, toMemory } from './stand-ins.ts';

const inGib = (bytes: number | undefined) => Math.round(((bytes ?? Number.NaN) / gib) * 100) / 100;
const small = (gibibytes: number, changes: Partial<Gpu> = {}): Partial<MemoryRequest> => ({
  gpus: [{ ...card, memoryTotalBytes: gibibytes * gib, memoryReservedBytes: 0, memoryFreeBytes: gibibytes * gib, ...changes }],
});

describe('planMemory', () => {
  it('adds up', async () => {
    const memory = await toMemory('int4', []);
    expect(memory).toMatchObject({
      gpu: 'GPU 0 (NVIDIA L4)',
      gpus: 1,
      totalBytes: 22 * gib,
      fits: 'yes',
      fitsNow: 'yes',
      source: 'formula',
    });
    const { budgetBytes = 0, weightsBytes = 0, activationBytes = 0, graphBytes = 0, overheadBytes = 0, kvBytes = 0 } = memory ?? {};
    expect(budgetBytes).toBe(Math.ceil(22 * gib * 0.85));
    expect(Math.abs(weightsBytes + activationBytes + graphBytes + overheadBytes + kvBytes - budgetBytes)).toBeLessThan(4);
    expect(inGib(weightsBytes)).toBe(2.49);
    expect(memory?.kvBytesPerToken).toBe(147_456);
    // In blocks of 16 tokens; requests of 8192.
    expect(memory?.kvTokens).toBe(Math.floor(kvBytes / 147_456 / 16) * 16);
    expect(memory?.maxConcurrency).toBeCloseTo((memory?.kvTokens ?? 0) / 8192, 1);
    expect(memory).not.toHaveProperty('suggestion');
  });

  it.each<[string, readonly string[], Partial<MemoryRequest>]>([
    ['the CPU engine', ['engine.variant=cpu', 'resources.gpus=none'], {}],
    ['a GPU that does not tell', [], { gpus: [{ index: 0, name: 'NVIDIA GB10' }] }],
    ['two of which one does not tell', ['resources.gpus=2'], { gpus: [card, { index: 1, name: 'NVIDIA L4' }] }],
    ['no GPU', [], { gpus: [] }],
    ['a model that nobody knows', ['model=somebody/else'], {}],
  ])('says nothing for %s', async (_, sets, request) => {
    expect(await toMemory('fp16', sets, request)).toBeUndefined();
  });

  it.each<[string, readonly string[], number]>([
    ['Qwen/Qwen3-8B', [], 147_456],
    ['Qwen/Qwen3-8B', ['vllm.kv-cache-dtype=fp8'], 73_728],
    ['Qwen/Qwen3-8B', ['vllm.kv-cache-dtype=fp8_e5m2'], 73_728],
    ['Qwen/Qwen3-8B', ['vllm.dtype=float32'], 294_912],
    ['Qwen/Qwen3-8B', ['vllm.tensor-parallel-size=2'], 73_728],
    // Four heads for eight GPUs: each keeps one.
    ['Qwen/Qwen3-235B-A22B', ['vllm.tensor-parallel-size=8'], 48_128],
    ['Qwen/Qwen3-235B-A22B', ['vllm.tensor-parallel-size=4'], 48_128],
    ['Qwen/Qwen3-8B', ['vllm.pipeline-parallel-size=2'], 73_728],
    // 36 layers do not split evenly; the longest stage counts.
    ['Qwen/Qwen3-4B', ['vllm.pipeline-parallel-size=5'], 32_768],
    ['Qwen/Qwen3-14B-AWQ', ['vllm.speculative-config={method: draft_model, model: Qwen/Qwen3-0.6B, num_speculative_tokens: 3}'], 278_528],
  ])('KV cache of %s with %j: %d bytes per token and GPU', async (model, sets, expected) => {
    expect((await toMemory('fp16', [`model=${model}`, ...sets]))?.kvBytesPerToken).toBe(expected);
  });

  it.each<[string, readonly string[], number]>([
    ['as in the catalogue', ['model=Qwen/Qwen3-8B'], 15.27],
    ['split over two GPUs', ['model=Qwen/Qwen3-8B', 'vllm.tensor-parallel-size=2'], 7.64],
    ['layers over two stages, one with the embeddings', ['model=Qwen/Qwen3-8B', 'vllm.pipeline-parallel-size=2'], 7.64],
    ['packed while it is loaded', ['model=Qwen/Qwen3-8B', 'quantization=fp8'], 8.8],
    ['partly in the memory of the machine', ['model=Qwen/Qwen3-8B', 'vllm.cpu-offload-gb=4'], 11.27],
    ['with a second model', ['model=Qwen/Qwen3-8B', 'vllm.speculative-config={model: Qwen/Qwen3-0.6B}'], 16.38],
    ['with its own layer that drafts', ['model=Qwen/Qwen3.5-9B', 'vllm.speculative-config={method: mtp}'], 18.1],
    ['without its eyes', ['model=Qwen/Qwen3.5-9B', 'vllm.language-model-only=true'], 16.8],
    ['in 32 bits', ['vllm.dtype=float32'], 2.23],
  ])('weights %s', async (_, sets, expected) => {
    expect(inGib((await toMemory('fp16', sets))?.weightsBytes)).toBe(expected);
  });

  it('sets room aside for adapters', async () => {
    const [plain, lora] = [await toMemory('lora', ['vllm.enable-lora=']), await toMemory('lora', [])];
    // Four of rank 64 for the 0.6B: 77 MiB each.
    expect(Math.round(((lora?.overheadBytes ?? 0) - (plain?.overheadBytes ?? 0)) / mib)).toBe(308);
  });

  it.each<[string, string, readonly string[], number]>([
    // The first runner warms up sampling with 1024 requests on a card of 80 GB.
    ['0.11.0', 'NVIDIA H100 80GB HBM3', [], 5.59],
    ['0.11.0', 'NVIDIA A100-SXM4-80GB', [], 1.4],
    ['0.21.0', 'NVIDIA H100 80GB HBM3', [], 4.23],
    ['0.32.0', 'NVIDIA H100 80GB HBM3', [], 0.56],
    ['0.32.0', 'NVIDIA H100 80GB HBM3', ['engine.env.VLLM_USE_V2_MODEL_RUNNER=0'], 4.23],
    ['0.32.0', 'NVIDIA H100 80GB HBM3', ['vllm.max-num-seqs=16', 'vllm.max-num-batched-tokens=2048'], 0.15],
  ])('activations of 0.6B with %s on %s and %j: %d GiB', async (version, name, sets, expected) => {
    const gpu = { ...card, name, memoryTotalBytes: 80 * gib };
    const memory = await toMemory('fp16', ['vllm.max-num-seqs=', ...sets], { version, gpus: [gpu] });
    expect(inGib(memory?.activationBytes)).toBe(expected);
  });

  it('counts pictures as their largest', async () => {
    const sees = await toMemory('fp16', ['model=Qwen/Qwen3-VL-4B-Instruct']);
    const reads = await toMemory('fp16', ['model=Qwen/Qwen3-VL-4B-Instruct', 'vllm.limit-mm-per-prompt={image: 0, video: 0}']);
    expect(inGib(sees?.activationBytes)).toBe(2);
    expect(inGib(reads?.activationBytes)).toBeLessThan(0.4);
    expect(reads?.weightsBytes).toBeLessThan(sees?.weightsBytes ?? 0);
  });

  it.each<[readonly string[], number]>([
    [['vllm.max-num-seqs=256'], 86],
    [['vllm.max-num-seqs=8'], 9],
    [['vllm.max-num-seqs=8', 'vllm.performance-mode=interactivity'], 24],
    [['vllm.max-num-seqs=8', 'vllm.compilation-config={cudagraph_capture_sizes: [1, 2, 4]}'], 6],
    [['vllm.max-num-seqs=8', 'vllm.max-cudagraph-capture-size=4'], 6],
    [['vllm.max-num-seqs=256', 'vllm.compilation-config={cudagraph_mode: PIECEWISE}'], 51],
    [['vllm.max-num-seqs=256', 'vllm.compilation-config={cudagraph_mode: FULL}'], 35],
  ])('CUDA graphs with %j: %d', async (sets, graphs) => {
    const bytes = (await toMemory('fp16', sets))?.graphBytes ?? 0;
    expect(Math.round((bytes - 0.1 * gib) / (28 * 0.17 * mib))).toBe(graphs);
  });

  it.each([['vllm.enforce-eager=true'], ['vllm.compilation-config={cudagraph_mode: NONE}'], ['vllm.optimization-level=0']])(
    'no CUDA graphs with %s',
    async (set) => {
      expect((await toMemory('fp16', [set]))?.graphBytes).toBe(0);
    },
  );

  it('takes graphs from the cache since 0.21, and from what is left of the card before', async () => {
    const [before, since] = [await toMemory('fp16', [], { version: '0.20.0' }), await toMemory('fp16', [], { version: '0.21.0' })];
    const taken = ({ kvBytes, weightsBytes, activationBytes, overheadBytes }: Memory) =>
      kvBytes + weightsBytes + activationBytes + overheadBytes;
    expect(before && taken(before)).toBeCloseTo(before?.budgetBytes ?? 0, -1);
    expect(since && taken(since) + since.graphBytes).toBeCloseTo(since?.budgetBytes ?? 0, -1);
    // 22 GiB, all of them promised: nothing is left for graphs.
    const full = await toMemory('fp16', ['vllm.gpu-memory-utilization=0.99', 'vllm.max-num-seqs=256'], { version: '0.20.0' });
    expect(full?.fits).toBe('tight');
  });

  it.each<[string, boolean, number]>([
    ['0.20.0', true, 0.9],
    ['0.21.0', true, 0.92],
    ['0.32.0', false, 0.85],
  ])('the share of %s, its own: %s', async (version, ownDefaults, share) => {
    const memory = await toMemory('fp16', ['vllm.gpu-memory-utilization='], { version, ownDefaults });
    expect((memory?.budgetBytes ?? 0) / (22 * gib)).toBeCloseTo(share, 3);
  });
});

describe('whether it fits', () => {
  it.each<[number, readonly string[], Memory['fits']]>([
    [6.5, [], 'yes'],
    [5.4, [], 'tight'],
    [5, [], 'tight'],
    [4.5, [], 'no'],
    [5, ['vllm.max-model-len=auto'], 'yes'],
    [5, ['vllm.kv-cache-dtype=fp8'], 'yes'],
    [6, ['vllm.kv-cache-memory-bytes=2G'], 'yes'],
    [5, ['vllm.kv-cache-memory-bytes=2G'], 'tight'],
    [22, ['vllm.kv-cache-memory-bytes=1G'], 'no'],
  ])('int4 on %d GiB with %j: %s', async (gibibytes, sets, fits) => {
    expect((await toMemory('int4', sets, small(gibibytes)))?.fits).toBe(fits);
  });

  it.each<[string, Partial<Gpu>]>([
    ['a desktop', { displayActive: true }],
    ["the machine's own memory", { memoryKind: 'unified' }],
  ])('doubts more for %s', async (_, changes) => {
    expect((await toMemory('int4', [], small(5.6)))?.fits).toBe('yes');
    expect((await toMemory('int4', [], small(5.6, changes)))?.fits).toBe('tight');
  });

  it.each<[number, Memory['fits'], string | undefined]>([
    [22, 'yes', undefined],
    [19, 'tight', undefined],
    [12, 'no', '0.52'],
    [2, 'no', undefined],
  ])('with %d GiB free: %s', async (free, fitsNow, share) => {
    const memory = await toMemory('int4', [], { gpus: [{ ...card, memoryFreeBytes: free * gib }] });
    expect(memory).toMatchObject({ fits: 'yes', fitsNow });
    expect(memory?.suggestion?.set?.['vllm.gpu-memory-utilization']?.toString()).toBe(share);
  });

  it('looks at each of several GPUs', async () => {
    const gpus = [card, { ...card, index: 1, memoryFreeBytes: gib }];
    expect(await toMemory('int4', ['resources.gpus=2'], { gpus })).toMatchObject({ gpus: 2, fits: 'yes', fitsNow: 'no' });
  });

  it('says nothing about now for a card that is not here', async () => {
    const { memoryFreeBytes: _, ...elsewhere } = card;
    const memory = await toMemory('int4', [], { gpus: [elsewhere] });
    expect(memory).not.toHaveProperty('freeBytes');
    expect(memory).not.toHaveProperty('fitsNow');
  });

  it('leaves tokens to the engine where attention is hybrid', async () => {
    const memory = await toMemory('fp16', ['model=Qwen/Qwen3.5-9B-FP8', 'vllm.max-model-len=8192']);
    expect(memory).toMatchObject({ source: 'engine', fits: 'yes' });
    for (const key of ['kvTokens', 'kvBytesPerToken', 'maxConcurrency']) expect(memory).not.toHaveProperty(key);
    expect((await toMemory('fp16', ['model=Qwen/Qwen3.5-9B-FP8'], small(12)))?.fits).toBe('no');
  });
});

describe('what CUDA sees', () => {
  const see = async (gpu: Gpu) => inGib((await toMemory('fp16', [], { gpus: [gpu] }))?.totalBytes);

  it.each<[string, Gpu, number]>([
    ['what the driver says it keeps', { index: 0, name: 'A card', memoryTotalBytes: 10 * gib, memoryReservedBytes: gib }, 9],
    ['what such cards keep', { index: 0, name: 'NVIDIA H100 80GB HBM3', memoryTotalBytes: 81_559 * mib }, 79.18],
    ['of an L40S', { index: 0, name: 'NVIDIA L40S', memoryTotalBytes: 46_068 * mib }, 44.39],
    ['of an A100', { index: 0, name: 'NVIDIA A100-SXM4-80GB', memoryTotalBytes: 81_920 * mib }, 79.15],
    ['of a GeForce', { index: 0, name: 'NVIDIA GeForce RTX 4060', memoryTotalBytes: 8188 * mib }, 7.6],
    ['the most that any keeps', { index: 0, name: 'Some GPU', memoryTotalBytes: 10 * gib }, 9.1],
    ['a name that is cut tells nothing', { index: 0, name: 'NVIDIA H100 ...', nameCut: true, memoryTotalBytes: 10 * gib }, 9.1],
    ['the whole of what the machine shares', { index: 0, name: 'Orin', memoryKind: 'unified', memoryTotalBytes: 10 * gib }, 10],
  ])('%s', async (_, gpu, expected) => {
    expect(await see(gpu)).toBe(expected);
  });

  it('refuses nobody over a guess', async () => {
    const guess = { index: 0, name: 'Some GPU', memoryTotalBytes: 5.3 * gib };
    expect((await toMemory('int4', [], { gpus: [guess] }))?.fits).toBe('tight');
    expect((await toMemory('int4', [], { gpus: [{ ...guess, memoryReservedBytes: 0.9 * gib }] }))?.fits).toBe('no');
  });
});

describe('what would make it fit', () => {
  it.each<[string, string, readonly string[], Partial<MemoryRequest>, Readonly<Record<string, unknown>> | undefined]>([
    ['a shorter length', 'thinking', [], small(8.5), { 'vllm.max-model-len': 17_408 }],
    [
      'fewer requests',
      'fp16',
      ['vllm.max-num-seqs=2048', 'vllm.max-num-batched-tokens=8192', 'vllm.max-model-len=1024'],
      small(3),
      { 'vllm.max-num-seqs': 128 },
    ],
    ['a larger share', 'int4', ['vllm.max-model-len=1024', 'vllm.gpu-memory-utilization=0.1'], {}, { 'vllm.gpu-memory-utilization': 0.9 }],
    ['nothing of this', 'fp8', ['model=Qwen/Qwen3-32B'], {}, undefined],
  ])('%s', async (_, name, sets, request, expected) => {
    const memory = await toMemory(name, sets, request);
    expect(memory?.fits).not.toBe('yes');
    expect(memory?.suggestion?.set).toEqual(expected);
    if (memory?.suggestion === undefined) return;
    expect(toText(memory.suggestion.message)).toMatch(/--set vllm\./);
    const changed = Object.entries(memory.suggestion.set ?? {}).map(([key, value]) => `${key}=${value}`);
    expect((await toMemory(name, [...sets, ...changed], request))?.fits).toBe('yes');
  });
});
