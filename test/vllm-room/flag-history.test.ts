import { describe, expect, it } from 'vitest';
import type { Message } from '../../src/core/message.ts';
import type { SettingValue } from '../../src/profile/profile.ts';
import { toText } from '../../src/text/render.ts';
import { toCompleteHistory } from '../../src/vllm/flag-history.ts';
import { isNewer } from '../../src/vllm/flag-version.ts';
import { checkSettings } from '../../src/vllm/flags.ts';
import { check, history, toCatalogue, versions } from './flag-data.ts';

const shown = (message: Message | undefined) => (message === undefined ? '' : toText(message));

const past = Object.entries(history.flags);
const has = (name: string, version: string) => Object.hasOwn(toCatalogue(version).flags, name);
/** What 0.33 reads as a negative of another flag. */
const isUnderstood = (name: string, version: string) => name === 'disable-log-requests' && version === '0.33.0';

const gone = past.flatMap(([name, { last }]) =>
  last === undefined
    ? []
    : versions.filter((version) => isNewer(version, last) && !isUnderstood(name, version)).map((version) => [name, version, last] as const),
);

describe('flags that are gone', () => {
  it('are all that older dumps and wheels had', () => {
    expect(new Set(gone.map(([name]) => name)).size).toBeGreaterThan(60);
    const lost = versions.flatMap((version) => Object.keys(toCatalogue(version).flags).filter((name) => !has(name, '0.33.0')));
    for (const name of lost) expect(history.flags[name]?.last, name).toBeDefined();
  });

  it.each(gone)('%s in %s', (name, version, last) => {
    const [problem, ...others] = check({ [name]: true }, version);
    expect(others).toEqual([]);
    expect(problem).toMatchObject({ code: 'profile/removed-flag', severity: 'error', path: [name], at: 'key', by: 'parser' });
    expect(shown(problem?.message)).toBe(`vLLM ${version} has no ${name} any more; ${last} was the last that is known to have it.`);
    const { use = [], when } = history.flags[name] ?? {};
    const hint = shown(problem?.hint);
    if (use.length === 0) expect([hint, problem?.fix]).toEqual(['Leave it out.', { [`vllm.${name}`]: null }]);
    else if (!Object.hasOwn(when ?? {}, 'true'))
      expect(use.some((one) => hint.includes(one) || !has(one.split('.')[0] ?? '', version))).toBe(true);
  });

  it.each<[string, SettingValue, Record<string, SettingValue>]>([
    ['enable-mamba-fine-grained-prefix-cache', true, { 'enable-mamba-shared-prefix-checkpoint': true }],
    ['eplb-window-size', 100, { 'eplb-config.window_size': 100 }],
    ['guided-decoding-backend', 'xgrammar', { 'structured-outputs-config.backend': 'xgrammar' }],
    ['num-speculative-tokens', 3, { 'speculative-config.num_speculative_tokens': 3 }],
    ['override-pooler-config', { pooling_type: 'LAST' }, { 'pooler-config': { pooling_type: 'LAST' } }],
    ['worker-use-ray', true, { 'distributed-executor-backend': 'ray' }],
    ['disable-mm-preprocessor-cache', true, { 'mm-processor-cache-gb': 0 }],
    ['enable-multimodal-encoder-data-parallel', true, { 'mm-encoder-tp-mode': 'data' }],
    ['task', 'embed', { runner: 'pooling', convert: 'embed' }],
    ['task', 'generate', { runner: 'generate' }],
    ['disable-log-requests', true, {}],
    ['disable-log-requests', false, { 'enable-log-requests': true }],
    ['use-v2-block-manager', true, {}],
    ['num-scheduler-steps', 8, {}],
    ['swap-space', 4, {}],
    ['device', 'cuda', {}],
    ['max-num-partial-prefills', 2, {}],
  ])('%s: %j is cured', (name, value, now) => {
    const [problem] = check({ [name]: value });
    const cure = Object.fromEntries(Object.entries(now).map(([key, one]) => [`vllm.${key}`, one]));
    expect(problem?.fix).toEqual({ [`vllm.${name}`]: null, ...cure });
    expect(check(now)).toEqual([]);
  });

  it.each<[string, SettingValue, string]>([
    ['rope-scaling', { type: 'yarn' }, 'hf-overrides.rope_parameters'],
    ['max-seq-len-to-capture', 8192, 'max-cudagraph-capture-size'],
    ['cuda-graph-sizes', [512], 'cudagraph-capture-sizes'],
    ['guided-decoding-disable-any-whitespace', true, 'structured-outputs-config.disable_any_whitespace'],
    ['enable-reasoning', true, 'reasoning-parser'],
    ['task', 'reward', 'runner, convert'],
    ['guided-decoding-backend', 'nobody', 'structured-outputs-config.backend'],
  ])('%s: %j has a successor, and no cure that is certain', (name, value, successor) => {
    const [problem] = check({ [name]: value });
    expect(problem?.fix).toBeUndefined();
    expect(shown(problem?.hint)).toContain(successor);
  });

  it('does not write a cure over what is there', () => {
    expect(check({ 'worker-use-ray': true, 'distributed-executor-backend': 'mp' })[0]?.fix).toBeUndefined();
    expect(check({ 'eplb-window-size': 9, 'eplb-config': { window_size: 8 } })[0]?.fix).toBeUndefined();
    expect(check({ 'eplb-window-size': 9, 'eplb-config.step_interval': 8 })[0]?.fix).toBeDefined();
  });

  it('knows what never was', () => {
    const [problem] = check({ 'enable-thought-token': true });
    expect(problem).toMatchObject({ code: 'profile/unknown-flag', severity: 'error' });
    expect(shown(problem?.message)).toBe('vLLM never had a setting enable-thought-token.');
    expect(shown(problem?.hint)).toContain('reasoning-parser');
  });
});

describe('flags that were to come', () => {
  const later = past.flatMap(([name, { since }]) =>
    since === undefined
      ? []
      : versions.filter((version) => isNewer(since, version) && !has(name, version)).map((version) => [name, version, since] as const),
  );
  it.each(later)('%s in %s', (name, version, since) => {
    const [problem, ...others] = check({ [name]: true }, version);
    expect(others).toEqual([]);
    expect(problem).toMatchObject({ code: 'profile/flag-too-new', severity: 'error', path: [name] });
    expect(shown(problem?.message)).toBe(`vLLM ${version} has no ${name} yet; it is known from ${since} on.`);
    expect(has(name, since)).toBe(true);
  });
});

describe('the history of a version that this package does not know', () => {
  const older = toCatalogue('0.33.0');
  const { seed, ...flags } = older.flags;
  const catalogue = { ...older, version: '0.40.0', flags: { ...flags, 'brand-new': { kind: 'boolean', group: 0 } as const } };
  const whole = toCompleteHistory(history, catalogue, older);

  it('follows from its catalogue and the one before', () => {
    expect(seed).toBeDefined();
    const [problem] = checkSettings({ seed: 1 }, catalogue, { variant: 'gpu', history: whole });
    expect(shown(problem?.message)).toBe('vLLM 0.40.0 has no seed any more; 0.33.0 was the last that is known to have it.');
    expect(whole.flags['brand-new']).toEqual({ since: '0.40.0' });
  });
});
