import { describe, expect, it } from 'vitest';
import { type Combination, checkCombination } from '../../src/gpu/compatibility.ts';
import { compatibilityRules } from '../../src/gpu/compatibility-rules.ts';
import { toText } from '../../src/text/render.ts';

const on = (capability: number, parts: Partial<Combination> = {}): Combination => ({
  gpu: 'GPU 0 (X)',
  version: '0.32.0',
  capability,
  ...parts,
});
const codes = (combination: Combination) => checkCombination(combination).map(({ code, severity }) => `${severity} ${code}`);

describe('what fits together', () => {
  it.each<[string, Combination, readonly string[]]>([
    ['FP8 on Ada', on(8.9, { method: 'fp8', dtype: 'auto' }), []],
    ['FP8 on Ampere', on(8.6, { method: 'fp8' }), ['info plan/weight-only']],
    ['FP8 on Turing', on(7.5, { method: 'fp8' }), ['info plan/weight-only', 'note gpu/turing']],
    ['AWQ on Turing', on(7.5, { method: 'awq' }), ['note gpu/turing']],
    ['AWQ on Blackwell', on(12.0, { method: 'awq' }), []],
    ['a method that a plug-in brings', on(8.0, { method: 'my_plugin' }), []],
    ['modelopt on Turing', on(7.5, { method: 'modelopt' }), ['error plan/quantization-capability', 'note gpu/turing']],
    ['fp_quant on Hopper', on(9.0, { method: 'fp_quant' }), ['error plan/quantization-capability']],
    ['fp_quant on B200', on(10.0, { method: 'fp_quant' }), []],
    ['NVFP4 on Hopper', on(9.0, { method: 'modelopt_fp4' }), ['info plan/weight-only']],
    ['NVFP4 on Hopper, by compressed-tensors', on(9.0, { method: 'compressed-tensors', scheme: 'nvfp4' }), ['info plan/weight-only']],
    ['NVFP4 on B200', on(10.0, { method: 'modelopt_fp4' }), []],
    ['NVFP4 on RTX 50', on(12.0, { scheme: 'nvfp4' }), []],
    ['W4A8 on Ada', on(8.9, { scheme: 'w4a8' }), ['error plan/quantization-capability']],
    ['W4A8 on Hopper', on(9.0, { scheme: 'w4a8' }), []],
    ['integers on Hopper', on(9.0, { scheme: 'int8-w8a8' }), []],
    ['integers on B200', on(10.0, { scheme: 'int8-w8a8' }), ['error plan/int8-kernel']],
    ['integers on RTX 50', on(12.0, { scheme: 'int8-w8a8' }), ['error plan/int8-kernel']],
    ['bfloat16 on Turing', on(7.5, { dtype: 'bfloat16' }), ['error plan/dtype-capability', 'note gpu/turing']],
    ['bfloat16 on Ampere', on(8.0, { dtype: 'bfloat16' }), []],
    ['FP8 cache on Turing', on(7.5, { cacheDtype: 'fp8' }), ['error plan/cache-capability', 'note gpu/turing']],
    ['FP8 cache on Ampere', on(8.6, { cacheDtype: 'fp8_e5m2' }), ['info plan/cache-backend']],
    ['FP8 cache on Ada', on(8.9, { cacheDtype: 'fp8' }), []],
    ['Pascal', on(6.1), ['error gpu/unsupported']],
    ['Volta', on(7.0), ['error gpu/unsupported']],
    ['Volta, before its wheels ended', on(7.0, { version: '0.19.1' }), []],
    ['GB10', on(12.1), ['note gpu/kernels-missing']],
    ['Blackwell with the proprietary module', on(12.0, { kernelModule: 'proprietary' }), ['error gpu/open-module']],
    ['Blackwell with the open module', on(12.0, { kernelModule: 'open' }), []],
    ['Ada with the proprietary module', on(8.9, { kernelModule: 'proprietary' }), []],
    ['CUDA 13 on driver 575', on(8.9, { cuda: 13.0, driver: '575.57.08' }), ['error plan/driver-cuda']],
    ['CUDA 13 on driver 580', on(8.9, { cuda: 13.0, driver: '580.65.06' }), []],
    ['CUDA 12.9 on driver 535', on(8.9, { cuda: 12.9, driver: '535.54.03' }), []],
    ['CUDA 12.9 on driver 470', on(8.9, { cuda: 12.9, driver: '470.256.02' }), ['error plan/driver-cuda']],
    ['CUDA 12.9 on driver 610', on(8.9, { cuda: 12.9, driver: '610.12' }), []],
    ['CUDA 12.6 on B200', on(10.0, { cuda: 12.6 }), ['error plan/cuda-capability']],
    ['CUDA 12.8 on B200', on(10.0, { cuda: 12.8 }), []],
    ['CUDA 12.8 on B300', on(10.3, { cuda: 12.8 }), ['error plan/cuda-capability']],
    ['CUDA 12.9 on Thor', on(11.0, { cuda: 12.9 }), ['error plan/cuda-capability']],
    ['CUDA 12.8 on RTX 50', on(12.0, { cuda: 12.8 }), []],
    ['CUDA 12.8 on GB10', on(12.1, { cuda: 12.8 }), ['note gpu/kernels-missing', 'error plan/cuda-capability']],
    ['nothing known', { gpu: 'GPU 0', version: '0.32.0', method: 'fp8', dtype: 'bfloat16', cacheDtype: 'fp8', cuda: 13 }, []],
  ])('%s', (_, combination, expected) => {
    expect(codes(combination)).toEqual(expected);
  });

  it('says each of them with its numbers, and where it is written', () => {
    const all: Combination = on(0, { method: 'x', dtype: 'bfloat16', cacheDtype: 'fp8', cuda: 12.6, driver: '470.1' });
    for (const { words, short, least = '', source } of compatibilityRules) {
      const params = { gpu: all.gpu, has: '7.0', version: '0.32.0', method: 'x', dtype: 'fp8', cuda: '12.6', driver: '470.1', least };
      for (const id of [words, short]) expect(toText({ id, params })).not.toMatch(/\{\w+\}|\?|undefined/);
      expect(source).toMatch(/\w{4}/);
    }
  });

  it('names each method once: two least capabilities of one would contradict each other', () => {
    const named = compatibilityRules
      .filter(({ code }) => code === 'plan/quantization-capability')
      .flatMap(({ when }) => when.methods ?? []);
    expect(new Set(named).size).toBe(named.length);
  });
});
