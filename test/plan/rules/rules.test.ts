import { describe, expect, it } from 'vitest';
import type { Finding } from '../../../src/core/finding.ts';
import type { Facts } from '../../../src/plan/facts.ts';
import { checkPlanRules } from '../../../src/plan/rules/index.ts';
import { toText } from '../../../src/text/render.ts';
import { load, machine, toEngine, toGpu } from '../stand-ins.ts';

const gib = 2 ** 30;
const t4 = toGpu(0, 'Tesla T4', { gibibytes: 15, capability: '7.5' });
const a10 = toGpu(0, 'NVIDIA A10', { gibibytes: 22.5, capability: '8.6' });
const h100 = toGpu(0, 'NVIDIA H100 80GB HBM3', { gibibytes: 79.6, capability: '9.0' });
const rtx5090 = toGpu(0, 'NVIDIA GeForce RTX 5090', { gibibytes: 31.8, capability: '12.0' });
const a100 = toGpu(0, 'NVIDIA A100-SXM4-80GB', { gibibytes: 80, capability: '8.0' });

function on(...gpus: readonly (typeof t4)[]): Facts {
  return { ...machine, gpus: { is: 'present', gpus } };
}

async function ask(facts: Facts, name: string, ...sets: readonly string[]): Promise<readonly Finding[]> {
  return checkPlanRules(await load(name, ...sets), facts);
}

const codes = (findings: readonly Finding[]) => findings.map(({ code }) => code);

describe('rules about the GPU', () => {
  it.each([
    ['plan/quantization-capability', t4, ['quantization=experts_int8'], a10, ['quantization=experts_int8']],
    [
      'plan/quantization-capability',
      h100,
      ['quantization=fp_quant', 'vllm.allow-deprecated-quantization=true'],
      h100,
      ['quantization=auto'],
    ],
    ['plan/dtype-capability', t4, ['vllm.dtype=bfloat16'], t4, ['vllm.dtype=half']],
    ['plan/dtype-capability', t4, ['vllm.dtype=bfloat16'], a10, ['vllm.dtype=bfloat16']],
    ['plan/cache-capability', t4, ['vllm.kv-cache-dtype=fp8'], a10, ['vllm.kv-cache-dtype=fp8']],
    ['plan/cache-capability', t4, ['vllm.kv-cache-dtype=bfloat16'], t4, ['vllm.kv-cache-dtype=int8_per_token_head']],
    ['plan/cache-backend', a10, ['vllm.kv-cache-dtype=fp8_e4m3'], h100, ['vllm.kv-cache-dtype=fp8_e4m3']],
    ['plan/weight-only', a10, ['model=Qwen/Qwen3-0.6B-FP8'], h100, ['model=Qwen/Qwen3-0.6B-FP8']],
    ['plan/weight-only', h100, ['model=nvidia/Qwen3-8B-NVFP4'], rtx5090, ['model=nvidia/Qwen3-8B-NVFP4']],
    ['plan/int8-kernel', rtx5090, ['model=RedHatAI/Qwen3-8B-quantized.w8a8'], h100, ['model=RedHatAI/Qwen3-8B-quantized.w8a8']],
    ['plan/int8-kernel', rtx5090, ['model=x/Qwen3-8B-W8A8'], rtx5090, ['model=x/Qwen3-8B-FP8-W8A8']],
    ['plan/driver-cuda', { ...a10, driverVersion: '570.124.06' }, [], a10, []],
    ['plan/driver-cuda', { ...a10, driverVersion: '570.124.06' }, [], a10, ['engine.executable=/x/vllm']],
    ['plan/batch-default', a10, ['vllm.max-num-seqs=2049'], a10, ['vllm.max-num-seqs=2048']],
    ['plan/batch-default', a100, ['vllm.max-num-seqs=4096'], h100, ['vllm.max-num-seqs=4096']],
    [
      'plan/batch-default',
      a10,
      ['vllm.max-num-seqs=4097', 'vllm.performance-mode=throughput'],
      a10,
      ['vllm.max-num-seqs=4096', 'vllm.performance-mode=throughput'],
    ],
    ['plan/batch-default', a10, ['vllm.max-num-seqs=4096'], a10, ['vllm.max-num-seqs=4096', 'vllm.max-num-batched-tokens=4096']],
  ] as const)('%s', async (code, bad, badSets, good, goodSets) => {
    const found = await ask(on(bad), 'fp16', 'vllm.dtype=auto', ...badSets);
    expect(codes(found)).toContain(code);
    for (const { fix } of found.filter((finding) => finding.code === code)) {
      const cure = Object.entries(fix ?? {}).map(([path, value]) => `${path}=${JSON.stringify(value)}`);
      if (cure.length > 0) expect(codes(await ask(on(bad), 'fp16', 'vllm.dtype=auto', ...badSets, ...cure))).not.toContain(code);
    }
    expect(codes(await ask(on(good), 'fp16', 'vllm.dtype=auto', ...goodSets))).not.toContain(code);
  });

  it('goes by the CUDA that the installed engine was built with', async () => {
    const built = (torch: string, gpu: typeof t4, driverVersion: string): Facts => ({
      ...on({ ...gpu, driverVersion }),
      engines: [{ ...toEngine('gpu'), torch }],
    });
    const driver = ['plan/driver-cuda'];
    expect(codes(await ask(built('2.13.0+cu130', a10, '570.124.06'), 'fp16'))).toEqual(driver);
    expect(codes(await ask(built('2.13.0+cu129', a10, '570.124.06'), 'fp16'))).toEqual([]);
    expect(codes(await ask(built('2.13.0+cu129', a10, '470.256.02'), 'fp16'))).toEqual(driver);
    expect(codes(await ask(built('2.8.0+cu126', rtx5090, '580.95.05'), 'fp16'))).toEqual(['plan/cuda-capability']);
    // Where none is installed, an installation takes the build that the driver runs.
    expect(codes(await ask({ ...on({ ...a10, driverVersion: '570.124.06' }), engines: [] }, 'fp16'))).toEqual([]);
    expect(codes(await ask({ ...on({ ...a10, driverVersion: '470.256.02' }), engines: [] }, 'fp16'))).toEqual(driver);
  });

  it('looks at the weakest of those that work together, and not at those that do not', async () => {
    const pair = on(h100, { ...t4, index: 1 });
    expect(codes(await ask(pair, 'fp16', 'vllm.dtype=bfloat16'))).toEqual([]);
    expect(codes(await ask(pair, 'fp16', 'vllm.dtype=bfloat16', 'resources.gpus=[0, 1]'))).toEqual(['plan/dtype-capability']);
  });

  it('holds nothing against a GPU whose driver says little', async () => {
    const silent = { index: 0, name: 'GPU' };
    expect(await ask(on(silent as typeof t4), 'fp16', 'vllm.dtype=bfloat16', 'vllm.max-num-seqs=9999')).toEqual([]);
  });

  it('names the place, as the rules of the profile do', async () => {
    const [finding] = await ask(on(t4), 'cpu', 'engine.variant=gpu', 'resources.gpus=auto', 'vllm.kv-cache-memory-bytes=null');
    expect(finding).toMatchObject({ code: 'plan/dtype-capability', path: 'vllm.dtype', file: 'shipped:base/cpu' });
  });

  it('says once what it could not look at', async () => {
    const { gpus: _, ...blind } = machine;
    const absent = { ...machine, gpus: { is: 'absent', evidence: { id: 'gpu.no-smi', params: {} } } } as const;
    for (const facts of [blind, absent]) {
      const found = await ask(facts, 'fp16', 'vllm.dtype=bfloat16');
      expect(found.map(({ code, severity, message }) => `${code} ${severity}: ${toText(message)}`)).toEqual([
        "plan/not-checked info: Not checked without a GPU that answers: quantization and GPU, dtype and GPU, KV cache type and GPU, requests at once and vLLM's own batch.",
      ]);
    }
  });

  it('says nothing where no GPU is asked for, or none is real', async () => {
    expect(await ask({ ...machine, gpus: { is: 'absent', evidence: { id: 'gpu.no-smi', params: {} } } }, 'tiny')).toEqual([]);
    expect(await ask({ ...on(t4), backend: 'simulator' }, 'fp16', 'vllm.dtype=bfloat16')).toEqual([]);
  });
});

describe('rules about the machine', () => {
  it('compares the KV cache and the weights with the memory of a CPU', async () => {
    const small: Facts = { ...machine, memoryTotalBytes: 3 * gib };
    expect(codes(await ask(small, 'cpu', 'vllm.kv-cache-memory-bytes=2G'))).toEqual(['plan/cache-above-memory']);
    expect(await ask(small, 'cpu', 'vllm.kv-cache-memory-bytes=1G')).toEqual([]);
    expect(await ask(on(h100), 'fp16', 'vllm.kv-cache-memory-bytes=20G')).toEqual([]);
  });

  it('finds out that a model can neither be downloaded nor is here', async () => {
    const far: Facts = { ...machine, model: { is: 'hub', cached: false } };
    const found = await ask(far, 'cpu', 'engine.env.HF_HUB_OFFLINE=1');
    expect(found).toMatchObject([{ code: 'plan/offline', severity: 'error', fix: { 'engine.env.HF_HUB_OFFLINE': null } }]);
    expect(await ask(machine, 'cpu', 'engine.env.HF_HUB_OFFLINE=1')).toEqual([]);
    expect(await ask(far, 'cpu')).toEqual([]);
  });

  it('compares the rank of adapters with what is allowed', async () => {
    const facts: Facts = { ...machine, adapters: [{ name: 'a', path: '/a', rank: 64 }] };
    expect(codes(await ask(facts, 'cpu', 'lora.a=/a', 'vllm.max-lora-rank=32'))).toEqual(['plan/adapter-rank']);
    expect(await ask(facts, 'cpu', 'lora.a=/a', 'vllm.max-lora-rank=64')).toEqual([]);
    expect(await ask(facts, 'cpu', 'lora.a=/a')).toEqual([]);
  });
});
