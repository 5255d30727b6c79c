import { statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { SettingValue } from '../../src/profile/profile.ts';
import { toText } from '../../src/text/render.ts';
import { toFlagWords } from '../../src/vllm/flag-words.ts';
import { checkSettings, type Settings, toFlagCatalogue } from '../../src/vllm/flags.ts';
import { check, flagsDirectory, history, toCatalogue, versions } from './flag-data.ts';

const codes = (settings: Settings, version?: string) =>
  check(settings, version).map(({ code, severity, path }) => `${severity === 'error' ? '' : `${severity} `}${code} ${path.join('/')}`);

describe('the catalogues', () => {
  it('are those of ten versions, small enough to be read at every plan', () => {
    expect(versions).toEqual(['0.24.0', '0.25.1', '0.26.0', '0.27.1', '0.28.0', '0.29.0', '0.30.0', '0.31.0', '0.32.0', '0.33.0']);
    for (const name of versions) expect(statSync(new URL(`${name}.json`, flagsDirectory)).size).toBeLessThan(60_000);
  });

  it.each(versions)('%s: its own defaults are valid', (version) => {
    const { flags } = toCatalogue(version);
    const settings = Object.entries(flags).flatMap(([name, { default: value, kind, deprecated }]) =>
      value == null || value === false || kind === 'boolean' || deprecated ? [] : [[name, value as SettingValue]],
    );
    const wrong = check(Object.fromEntries(settings), version).filter(({ severity }) => severity === 'error');
    expect(wrong.map(({ path, message }) => [path, toText(message)])).toEqual([]);
  });

  it('refuses what is none', () => {
    expect(() => toFlagCatalogue({ version: '1' })).toThrow();
  });
});

describe('checkSettings', () => {
  it.each<[string, SettingValue]>([
    ['max-num-seqs', 8],
    ['max-model-len', 'auto'],
    ['max-model-len', -1],
    ['max-model-len', '25.6k'],
    ['kv-cache-memory-bytes', '2G'],
    ['gpu-memory-utilization', 0.9],
    ['enable-prefix-caching', false],
    ['disable-log-stats', true],
    ['hf-token', true],
    ['max-log-len', 'None'],
    ['served-model-name', ['a', 'b']],
    ['served-model-name', 'a'],
    ['device-ids', [0, 1]],
    ['device-ids', '0,1'],
    ['cudagraph-capture-sizes', [1, 2, 4]],
    ['lora-modules', ['a=/path', { name: 'b', path: '/p' }]],
    ['middleware', ['a.b', 'c.d']],
    ['allowed-origins', ['*']],
    ['moe-backend', 'Deep-GEMM'],
    ['attention-backend', 'flash_attn'],
    ['optimization-level', 3],
    ['hf-overrides', { rope_parameters: { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 32_768 } }],
    ['compilation-config', { mode: 3, cudagraph_mode: 'piecewise', pass_config: { eliminate_noops: true } }],
    ['compilation-config', '{"mode": 3}'],
    ['compilation-config.mode', 3],
    ['compilation-config.custom_ops+', '+rms_norm,+silu_and_mul'],
    ['speculative-config', { method: 'ngram', num_speculative_tokens: 3, prompt_lookup_max: 4 }],
    ['override-generation-config', { temperature: 0.7, top_p: 0.8, top_k: 20 }],
    ['reasoning-parser', 'qwen3'],
    ['tool-call-parser', 'hermes'],
    ['kv-cache-dtype', 'fp8'],
  ])('takes %s %j', (name, value) => {
    expect(check({ [name]: value })).toEqual([]);
  });

  it.each<[string, SettingValue, string]>([
    ['max-num-seq', 8, 'profile/flag-abbreviation max-num-seq'],
    ['max-nmu-seqs', 8, 'profile/unknown-flag max-nmu-seqs'],
    ['max_num_seqs', 8, 'profile/spelling max_num_seqs'],
    ['--max-num-seqs', 8, 'profile/spelling --max-num-seqs'],
    ['-tp', 2, 'profile/spelling -tp'],
    ['tp', 2, 'profile/spelling tp'],
    ['cc.mode', 3, 'profile/spelling cc.mode'],
    ['device-memory-utilization', 0.9, 'profile/spelling device-memory-utilization'],
    ['no-enable-prefix-caching', true, 'profile/spelling no-enable-prefix-caching'],
    ['swap-space', 4, 'profile/removed-flag swap-space'],
    ['enable-reasoning', true, 'profile/removed-flag enable-reasoning'],
    ['watchdog-config', {}, 'profile/flag-too-new watchdog-config'],
    ['constructor', 1, 'profile/unknown-flag constructor'],
    ['max-num-seqs', 1.5, 'profile/flag-type max-num-seqs'],
    ['max-num-seqs', '1k', 'profile/flag-type max-num-seqs'],
    ['max-num-seqs', true, 'profile/flag-type max-num-seqs'],
    ['max-num-seqs', 0, 'profile/flag-range max-num-seqs'],
    ['gpu-memory-utilization', 1.5, 'profile/flag-range gpu-memory-utilization'],
    ['gpu-memory-utilization', '90%', 'profile/flag-type gpu-memory-utilization'],
    ['max-model-len', 0, 'profile/flag-range max-model-len'],
    ['max-model-len', '1.5K', 'profile/flag-type max-model-len'],
    ['kv-cache-memory-bytes', '4GiB', 'profile/flag-type kv-cache-memory-bytes'],
    ['enable-prefix-caching', 'false', 'profile/flag-type enable-prefix-caching'],
    ['disable-log-stats', false, 'profile/flag-negative disable-log-stats'],
    ['dtype', 'fp8', 'profile/flag-choice dtype'],
    ['max-lora-rank', 24, 'profile/flag-choice max-lora-rank'],
    ['optimization-level', 9, 'profile/flag-choice optimization-level'],
    ['reasoning-parser', 'qwen4', 'profile/flag-choice reasoning-parser'],
    ['load-format', 'mine', 'warning profile/flag-choice load-format'],
    ['served-model-name', [], 'profile/flag-type served-model-name'],
    ['served-model-name', ['a', '-b'], 'profile/flag-type served-model-name/1'],
    ['cudagraph-capture-sizes', [1, 'x'], 'profile/flag-type cudagraph-capture-sizes/1'],
    ['lora-modules', [{ name: 'a' }], 'profile/flag-type lora-modules/0'],
    ['tokenizer', ['a', 'b'], 'profile/flag-type tokenizer'],
    ['compilation-config', { 'cudagraph-mode': 'NONE' }, 'profile/flag-field compilation-config/cudagraph-mode'],
    ['compilation-config', { pass_config: { nope: 1 } }, 'profile/flag-field compilation-config/pass_config/nope'],
    ['compilation-config', { cudagraph_mode: 'SOME' }, 'profile/flag-choice compilation-config/cudagraph_mode'],
    ['compilation-config', { cudagraph_copy_inputs: 'true' }, 'profile/flag-type compilation-config/cudagraph_copy_inputs'],
    ['compilation-config', 3, 'profile/flag-type compilation-config'],
    ['compilation-config', '{"mode": 3', 'profile/flag-type compilation-config'],
    ['kv-transfer-config', { kv_connector: 'a' }, 'profile/flag-field kv-transfer-config/kv_connector'],
    ['compilation-config.nope', 3, 'profile/flag-field compilation-config.nope'],
    ['speculative-config.num_speculative_tokens', 0, 'profile/flag-range speculative-config.num_speculative_tokens'],
    ['max-num-seqs.x', 3, 'profile/flag-type max-num-seqs.x'],
    ['log-config-file', 'x.json', 'warning profile/flag-deprecated log-config-file'],
    ['max-num-seqs', '8', 'warning profile/flag-text max-num-seqs'],
    ['gpu-memory-utilization', '0.9', 'warning profile/flag-text gpu-memory-utilization'],
    ['cudagraph-capture-sizes', [1, '2'], 'warning profile/flag-text cudagraph-capture-sizes/1'],
  ])('finds %s %j', (name, value, expected) => {
    expect(codes({ [name]: value })).toEqual([expected]);
  });

  it('says what to write instead', () => {
    const [spelling] = check({ 'no-enable-prefix-caching': true });
    expect(spelling?.fix).toEqual({ 'vllm.no-enable-prefix-caching': null, 'vllm.enable-prefix-caching': false });
    const [text] = check({ 'enforce-eager': 'no' });
    expect(text?.fix).toEqual({ 'vllm.enforce-eager': false });
    const [newer] = check({ 'disable-prefix-caching': true }, '0.33.0');
    expect(newer?.fix).toEqual({ 'vllm.disable-prefix-caching': null, 'vllm.enable-prefix-caching': false });
    expect(check({ 'chunked-prefill': true })[0]?.hint?.params).toEqual({ nearest: 'enable-chunked-prefill' });
    expect(check({ dtype: 'bfloat' })[0]?.hint?.params).toEqual({ nearest: expect.stringContaining('bfloat16') });
  });

  it('does not let a whole value and a dotted one stand together', () => {
    expect(codes({ 'compilation-config': { mode: 3 }, 'compilation-config.backend': 'eager' })).toEqual([
      'profile/flag-conflict compilation-config.backend',
    ]);
  });

  it('lets dotted settings complete each other', () => {
    expect(codes({ 'kv-transfer-config.kv_connector': 'a', 'kv-transfer-config.kv_role': 'kv_both' })).toEqual([]);
  });

  it('believes that a plug-in brings its parser', () => {
    expect(codes({ 'tool-call-parser': 'mine', 'tool-parser-plugin': '/p/mine.py' })).toEqual([]);
  });

  it('knows what differs on the CPU platform', () => {
    expect(check({ 'mm-processor-device': 'cuda' }, '0.32.0', 'gpu')).toEqual([]);
    expect(check({ 'mm-processor-device': 'cuda' }, '0.32.0', 'cpu')).toMatchObject([{ code: 'profile/flag-choice' }]);
  });

  it('is mild where the catalogue is older than the engine', () => {
    const options = { variant: 'gpu', version: '0.40.0', history } as const;
    expect(checkSettings({ 'new-thing': 1 }, toCatalogue('0.33.0'), options)).toMatchObject([{ severity: 'warning' }]);
    expect(checkSettings({ dtype: 'fp8' }, toCatalogue('0.33.0'), options)).toMatchObject([{ severity: 'warning' }]);
    expect(checkSettings({ 'compilation-config': { nope: 1 } }, toCatalogue('0.33.0'), options)).toMatchObject([{ severity: 'warning' }]);
    expect(checkSettings({ 'max-num-seqs': 'many' }, toCatalogue('0.33.0'), options)).toMatchObject([{ severity: 'error' }]);
  });

  it('goes by the version', () => {
    expect(codes({ 'max-num-partial-prefills': 2 }, '0.26.0')).toEqual([]);
    expect(codes({ 'max-num-partial-prefills': 2 }, '0.27.1')).toEqual(['profile/removed-flag max-num-partial-prefills']);
    expect(codes({ 'max-num-queued-reqs': 2 }, '0.28.0')).toEqual(['profile/flag-too-new max-num-queued-reqs']);
    expect(codes({ 'max-num-queued-reqs': 2 }, '0.29.0')).toEqual([]);
    expect(codes({ 'mamba-cache-mode': 'all' }, '0.32.0')).toEqual(['profile/flag-choice mamba-cache-mode']);
  });
});

describe('toFlagWords of a version', () => {
  it.each<[string, string, SettingValue, readonly string[]]>([
    ['0.32.0', 'enable-prefix-caching', false, ['--no-enable-prefix-caching']],
    ['0.33.0', 'enable-prefix-caching', false, ['--disable-prefix-caching']],
    ['0.33.0', 'enforce-eager', false, ['--no-enforce-eager']],
    ['0.32.0', 'device-ids', [0, 1], ['--device-ids', '0,1']],
    ['0.32.0', 'middleware', ['a', 'b'], ['--middleware', 'a', '--middleware', 'b']],
    ['0.32.0', 'allowed-origins', ['*'], ['--allowed-origins', '["*"]']],
    ['0.32.0', 'watermark', -0.5, ['--watermark=-0.5']],
    ['0.32.0', 'compilation-config.cudagraph_copy_inputs', false, ['--compilation-config.cudagraph_copy_inputs', 'false']],
  ])('%s %s %j', (version, name, value, words) => {
    expect(toFlagWords(name, value, toCatalogue(version).flags[name])).toEqual(words);
  });
});
