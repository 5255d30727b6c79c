import { describe, expect, it } from 'vitest';
import { cacheNeeds, methodNeeds, toLeastCapability } from '../../src/gpu/compatibility.ts';

describe('what a compute capability decides', () => {
  it('names each method and each type once, with a source', () => {
    for (const names of [methodNeeds.flatMap(({ methods }) => methods), cacheNeeds.flatMap(({ dtypes }) => dtypes)])
      expect(new Set(names).size).toBe(names.length);
    for (const { source } of [...methodNeeds, ...cacheNeeds]) expect(source).toMatch(/^vllm\//);
  });

  it('knows nothing of methods that plug-ins bring', () => {
    expect(toLeastCapability('awq')).toBe(7.5);
    expect(toLeastCapability('fp_quant')).toBe(10);
    expect(toLeastCapability('my_plugin')).toBeUndefined();
  });
});
