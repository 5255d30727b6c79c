import { describe, expect, it } from 'vitest';
import { causes } from '../../../src/vllm/failures/causes.ts';
import { curesAnything, mayCure } from '../../../src/vllm/failures/cures.ts';

const set = (...paths: readonly string[]) => ({ set: Object.fromEntries(paths.map((path) => [path, 1])) });

describe('a step may cure', () => {
  it.each<[string, readonly string[], string, boolean]>([
    ['a cache that is too small by shorter requests', ['vllm.max-model-len'], 'kv_cache_too_small', true],
    ['a cache that is too small by smaller entries', ['vllm.kv-cache-dtype'], 'kv_cache_too_small', true],
    ['weights that do not fit, not by shorter requests', ['vllm.max-model-len'], 'cuda_oom_weights', false],
    ['weights that do not fit by other weights', ['model.id'], 'cuda_oom_weights', true],
    ['a missing compiler by doing without', ['vllm.enforce-eager'], 'torch_compile_or_triton_failure', true],
    ['a missing compiler by a field of the configuration', ['vllm.compilation-config.mode'], 'torch_compile_or_triton_failure', true],
    ['what depends on a variable', ['engine.env.NCCL_P2P_DISABLE'], 'nccl_failure', true],
    ['a cause by any one of its settings', ['vllm.seed', 'vllm.max-num-seqs'], 'cuda_oom_warmup', true],
    ['not by a setting whose name only begins alike', ['vllm.max-model-length'], 'kv_cache_too_small', false],
    ['nothing that it has nothing to do with', ['vllm.max-model-len'], 'port_in_use', false],
    ['nothing that nobody knows', ['vllm.max-model-len'], 'xid-79', false],
    ['nothing by the name of a method of objects', ['vllm.max-model-len'], 'constructor', false],
  ])('%s', (_, paths, cause, may) => {
    expect(mayCure(set(...paths), cause)).toBe(may);
  });

  it('all of memory, hardware and compilation by another profile, and nothing that it would meet too', () => {
    const cured = Object.keys(causes).filter((cause) => mayCure({ profile: 'light' }, cause));
    expect(cured).toEqual(expect.arrayContaining(['kv_cache_too_small', 'dtype_unsupported_gpu', 'torch_compile_or_triton_failure']));
    for (const cause of ['port_in_use', 'disk_full', 'hub_unreachable', 'unknown', 'killed_by_operator', 'driver_too_old'])
      expect(cured).not.toContain(cause);
  });
});

it('knows steps that never cure anything', () => {
  expect(curesAnything(set('thinking'))).toBe(false);
  expect(curesAnything(set('vllm.enforce-eager'))).toBe(true);
});
