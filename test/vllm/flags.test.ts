/** The catalogue against the parser of the installed vLLM: settings made by the hundred, and the ones known to differ. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkSettings, type Settings } from '../../src/vllm/flags.ts';
import { findDisagreements, openRealParser, type RealParser, readFlagData } from './flag-agreement.ts';
import { makeInvalid, makeValid } from './flag-cases.ts';

const count = 500;
const seed = Number(process.env.QWEN_DEPLOY_TEST_SEED ?? 1);

/**
 * What vLLM refuses while it parses, and the catalogue cannot know: classes of JSON settings that compare their fields
 * with each other, or look into a field that is a free map or text.
 */
const classRules: Readonly<Record<string, string>> = {
  'attention-config': 'backend_per_kind has kinds and backends of its own',
  'compilation-config': 'custom_ops must be +name or -name, inductor_passes must be importable',
  'ec-manager-config': 'manager_config depends on the manager',
  'eplb-config': 'torch_nccl needs use_async: false',
  'kernel-config': 'linear_backend_per_quant has names of its own',
  'pooler-config': 'logit_sigma must not be 0',
  'profiler-config': 'each field needs its profiler; the activities have names',
  'quantization-config': 'targets are quantization specs',
  'structured-outputs-config': 'the switches need a backend that has them',
};

let parser: RealParser;
beforeAll(async () => {
  parser = await openRealParser(findPython());
}, 120_000);
afterAll(() => parser?.close());

function findPython(): string {
  const given = process.env.QWEN_DEPLOY_TEST_PYTHON;
  const engines = join(process.env.QWEN_DEPLOY_TEST_ENGINE_HOME ?? '', 'data/engines');
  const installed = existsSync(engines) ? readdirSync(engines).map((name) => join(engines, name, 'venv/bin/python')) : [];
  const python = given ?? installed.find((path) => existsSync(path));
  if (python === undefined) throw new Error('no engine: set QWEN_DEPLOY_TEST_ENGINE_HOME or QWEN_DEPLOY_TEST_PYTHON');
  return python;
}

async function askOne(settings: Settings) {
  const data = readFlagData(parser.version);
  const [answer] = await parser.ask([settings], data.catalogue);
  const problems = checkSettings(settings, data.catalogue, { variant: 'cpu', history: data.history });
  return { accepted: answer?.accepted, problems };
}

it(`agrees about ${count} valid and ${count} invalid settings`, async () => {
  const data = readFlagData(parser.version);
  const cases = { valid: makeValid(count, { ...data, seed }), invalid: makeInvalid(count, { ...data, seed }) };
  const wrong = await findDisagreements(parser, data, cases);
  const unexplained = wrong.filter(
    ({ settings }) => !Object.keys(settings).some((key) => Object.hasOwn(classRules, key.split('.')[0] ?? '')),
  );
  expect(unexplained).toEqual([]);
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
  it.each<[string, Settings]>([
    ['profiler-config', { 'profiler-config': { torch_profiler_dir: 'a' } }],
    ['compilation-config', { 'compilation-config': { custom_ops: ['a'] } }],
    ['structured-outputs-config', { 'structured-outputs-config': { disable_any_whitespace: true } }],
  ])('%s has rules of its own', async (name, settings) => {
    const { accepted, problems } = await askOne(settings);
    expect(classRules[name]).toBeDefined();
    expect({ accepted, problems }).toEqual({ accepted: false, problems: [] });
  });
});
