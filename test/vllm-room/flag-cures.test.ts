import { describe, expect, it } from 'vitest';
import type { SettingValue } from '../../src/profile/profile.ts';
import { check } from './flag-data.ts';

describe('what somebody certainly meant', () => {
  it.each<[string, SettingValue, SettingValue]>([
    ['enforce-eager', 'yes', true],
    ['enforce-eager', 'False', false],
    ['enforce-eager', 0, false],
    ['enforce-eager', [true], true],
    ['max-num-seqs', '1k', 1000],
    ['max-num-seqs', '1K', 1024],
    ['max-num-seqs', '1e3', 1000],
    ['max-num-seqs', [8], 8],
    ['max-num-batched-tokens', '8 k', '8k'],
    ['max-num-batched-tokens', '1.5K', 1536],
    ['kv-cache-memory-bytes', '4GiB', '4G'],
    ['kv-cache-memory-bytes', '4 gib', '4G'],
    ['kv-cache-memory-bytes', '4GB', '4g'],
    ['kv-cache-memory-bytes', '512MiB', '512M'],
    ['gpu-memory-utilization', '90%', 0.9],
    ['dtype', 'BFloat16', 'bfloat16'],
    ['reasoning-parser', 'Qwen3', 'qwen3'],
    ['mm-encoder-tp-mode', 'DATA', 'data'],
    ['compilation-config', { 'cudagraph-mode': 'NONE', mode: 3 }, { cudagraph_mode: 'NONE', mode: 3 }],
    ['compilation-config', { cudagraph_copy_inputs: 'true' }, { cudagraph_copy_inputs: true }],
    ['compilation-config', { pass_config: { 'eliminate-noops': true } }, { pass_config: { eliminate_noops: true } }],
    ['speculative-config', { method: 'ngram', num_speculative_tokens: '3' }, { method: 'ngram', num_speculative_tokens: 3 }],
    ['max-num-seqs', '8', 8],
    ['gpu-memory-utilization', '0.9', 0.9],
  ])('%s: %j → %j', (name, value, meant) => {
    const [problem, ...others] = check({ [name]: value });
    expect(others).toEqual([]);
    expect(problem?.fix).toEqual({ [`vllm.${name}`]: meant });
    expect(check({ [name]: meant })).toEqual([]);
  });

  it.each<[string, SettingValue]>([
    ['enforce-eager', 2],
    ['enforce-eager', 'maybe'],
    ['max-num-seqs', 'many'],
    ['max-num-seqs', 1.5],
    ['max-num-seqs', '1.5'],
    ['max-num-seqs', { a: 1 }],
    ['max-num-seqs', [1, 2]],
    ['max-model-len', '40 thousand'],
    ['gpu-memory-utilization', 'most'],
    ['dtype', 'fp8'],
    ['compilation-config', { nope: 1 }],
    ['compilation-config', '{"mode": 3'],
    ['compilation-config.nope', 3],
    ['lora-modules', [{ name: 'a' }]],
  ])('%s: %j could mean several things', (name, value) => {
    const [problem] = check({ [name]: value });
    expect(problem?.severity).toBe('error');
    expect(problem?.fix).toBeUndefined();
  });

  it('does not rename onto what is there', () => {
    expect(check({ max_num_seqs: 8, 'max-num-seqs': 4 })[0]).toMatchObject({ code: 'profile/spelling', path: ['max_num_seqs'] });
    expect(check({ max_num_seqs: 8, 'max-num-seqs': 4 })[0]?.fix).toBeUndefined();
    expect(check({ max_num_seqs: 8 })[0]?.fix).toEqual({ 'vllm.max_num_seqs': null, 'vllm.max-num-seqs': 8 });
  });
});

describe('none', () => {
  it('is no reasoning parser, from 0.33 on', () => {
    expect(check({ 'reasoning-parser': 'None' }, '0.33.0')).toEqual([]);
    expect(check({ 'reasoning-parser': 'none' }, '0.32.0')).toMatchObject([{ code: 'profile/flag-choice' }]);
    expect(check({ 'reasoning-parser': 'Qwen3' }, '0.33.0')).toMatchObject([{ code: 'profile/flag-choice' }]);
  });
});
