/** The catalogues against the parsers of the installed vLLM and of an older one: settings made by the hundred, and the ones known to differ. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SettingValue } from '../../src/profile/profile.ts';
import { checkSettings, type Settings } from '../../src/vllm/flags.ts';
import { classRules, findDisagreements, openRealParser, type RealParser, readFlagData, toUnexplained } from './flag-agreement.ts';
import { makeInvalid, makeValid } from './flag-cases.ts';

const count = 500;
const seed = Number(process.env.QWEN_DEPLOY_TEST_SEED ?? 1);

/** The version of the engine that is installed, and the oldest with a catalogue: its Python code in front of that engine's own. */
const newest = '0.32.0';
const oldest = '0.24.0';

const parsers = new Map<string, RealParser>();
beforeAll(async () => {
  const python = findPython();
  const modules = join(process.env.QWEN_DEPLOY_TEST_PARSERS ?? '', oldest);
  if (!existsSync(join(modules, 'vllm'))) throw new Error(`no vLLM ${oldest}: QWEN_DEPLOY_TEST_PARSERS (scripts/flags/fetch-parser.mjs)`);
  const opened = await Promise.all([openRealParser({ python }), openRealParser({ python, modules })]);
  for (const parser of opened) parsers.set(parser.version, parser);
}, 180_000);
afterAll(() => {
  for (const parser of parsers.values()) parser.close();
});

function findPython(): string {
  const given = process.env.QWEN_DEPLOY_TEST_PYTHON;
  const engines = join(process.env.QWEN_DEPLOY_TEST_ENGINE_HOME ?? '', 'data/engines');
  const installed = existsSync(engines) ? readdirSync(engines).map((name) => join(engines, name, 'venv/bin/python')) : [];
  const python = given ?? installed.find((path) => existsSync(path));
  if (python === undefined) throw new Error('no engine: set QWEN_DEPLOY_TEST_ENGINE_HOME or QWEN_DEPLOY_TEST_PYTHON');
  return python;
}

function parserOf(version: string): RealParser {
  const parser = parsers.get(version);
  if (parser === undefined) throw new Error(`the parsers are those of ${[...parsers.keys()].join(', ')}, not ${version}`);
  return parser;
}

async function askOne(settings: Settings) {
  const data = readFlagData(newest);
  const [answer] = await parserOf(newest).ask([settings], data.catalogue);
  const problems = checkSettings(settings, data.catalogue, { variant: 'cpu', history: data.history });
  return { accepted: answer?.accepted, said: answer?.said ?? '', problems };
}

it.each([newest, oldest])(`%s agrees about ${count} valid and ${count} invalid settings`, async (version) => {
  const data = readFlagData(version);
  const cases = { valid: makeValid(count, { ...data, seed }), invalid: makeInvalid(count, { ...data, seed }) };
  const wrong = await findDisagreements(parserOf(version), data, cases);
  expect(toUnexplained(wrong)).toEqual([]);
  expect(1 - wrong.length / (2 * count)).toBeGreaterThanOrEqual(0.995);
});

describe('stricter than the parser on purpose', () => {
  it.each<[string, Settings, string]>([
    ['abbreviations change from version to version', { 'max-num-seq': 8 }, 'profile/flag-abbreviation'],
    ['one spelling: underscores', { max_num_seqs: 8 }, 'profile/spelling'],
    ['one spelling: the other name', { 'device-memory-utilization': 0.5 }, 'profile/spelling'],
    ['off is a value', { 'no-enable-prefix-caching': true }, 'profile/spelling'],
    ['bounds are checked later by vLLM', { 'max-num-seqs': 0 }, 'profile/flag-range'],
    ['and so are these', { 'gpu-memory-utilization': 1.5 }, 'profile/flag-range'],
    ['0 in spite of its bound', { 'max-model-len': 0 }, 'profile/flag-range'],
    ['names of parsers are checked later', { 'reasoning-parser': 'qwen4' }, 'profile/flag-choice'],
    ['nothing merges', { 'compilation-config': { mode: 3 }, 'compilation-config.backend': 'eager' }, 'profile/flag-conflict'],
    ['a text for a switch inside of JSON', { 'compilation-config': { cudagraph_copy_inputs: 'true' } }, 'profile/flag-type'],
    ['unchecked JSON fails later', { 'speculative-config': { no_such_field: 1 } }, 'profile/flag-field'],
    ['a map is no text', { tokenizer: { a: 1 } }, 'profile/flag-type'],
  ])('%s', async (_, settings, code) => {
    const { accepted, problems } = await askOne(settings);
    expect(accepted).toBe(true);
    expect(problems.find(({ severity }) => severity === 'error')).toMatchObject({ code, by: expect.stringMatching(/engine|profile/) });
  });
});

describe('softer than the parser', () => {
  const cases: Readonly<Record<string, SettingValue>> = {
    'attention-config': { backend_per_kind: { a: 'b' } },
    'compilation-config': { custom_ops: ['a'] },
    'ec-manager-config': { manager_config: { a: 1 } },
    'eplb-config': { communicator: 'pynccl' },
    'kernel-config': { linear_backend_per_quant: { a: 'b' } },
    'pooler-config': { logit_sigma: 0 },
    'profiler-config': { torch_profiler_dir: 'a' },
    'quantization-config': { targets: { a: 'b' } },
    'structured-outputs-config': { disable_any_whitespace: true },
  };

  it.each(Object.keys(classRules))('%s has rules of its own', async (name) => {
    const { accepted, said, problems } = await askOne({ [name]: cases[name] ?? '' });
    expect({ accepted, problems }).toEqual({ accepted: false, problems: [] });
    expect(said).toContain('validation error');
  });
});

describe('cures', () => {
  it.each<[string, Settings]>([
    ['a switch in words', { 'enable-prefix-caching': 'no' }],
    ['a size with a unit', { 'kv-cache-memory-bytes': '4GiB' }],
    ['a size where digits belong', { 'max-num-seqs': '1k' }],
    ['another case', { dtype: 'BFloat16' }],
    ['a field with dashes', { 'compilation-config': { 'cudagraph-mode': 'NONE' } }],
    ['an abbreviation', { 'max-num-seq': 8 }],
    ['a negative name', { 'no-enable-prefix-caching': true }],
    ['a flag that moved', { 'eplb-window-size': 100 }],
    ['a flag that became a value', { 'worker-use-ray': true }],
    ['a flag that is the default now', { 'disable-log-requests': true }],
  ])('of %s: the parser takes it', async (_, settings) => {
    const { problems } = await askOne(settings);
    const fix = problems.find(({ severity }) => severity === 'error')?.fix;
    expect(fix).toBeDefined();
    const cured = Object.entries({ ...settings, ...toSettings(fix ?? {}) }).filter(([, value]) => value !== null);
    expect(await askOne(Object.fromEntries(cured) as Settings)).toMatchObject({ accepted: true, problems: [] });
  });

  const toSettings = (fix: Readonly<Record<string, unknown>>) =>
    Object.fromEntries(Object.entries(fix).map(([key, value]) => [key.replace('vllm.', ''), value]));
});
