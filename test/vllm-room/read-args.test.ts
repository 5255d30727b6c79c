import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { toServeArgs } from '../../src/plan/launch.ts';
import type { SettingValue } from '../../src/profile/profile.ts';
import { checkSettings, type FlagCatalogue, type Settings, toFlagCatalogue } from '../../src/vllm/flags.ts';
import { type ArgsForm, parseServeArgs, type ReadArgs } from '../../src/vllm/read-args.ts';
import { makeValid } from '../vllm/flag-cases.ts';

const read = (name: string) => JSON.parse(readFileSync(new URL(`../../data/flags/${name}.json`, import.meta.url), 'utf8'));
const catalogues = new Map(['0.24.0', '0.32.0', '0.33.0'].map((version) => [version, toFlagCatalogue(read(version))]));
const history = read('changes');

function parse(line: string | readonly string[], { version = '0.32.0', form = 'serve' as ArgsForm } = {}): ReadArgs {
  const catalogue = catalogues.get(version);
  if (catalogue === undefined) throw new Error(`no catalogue of ${version}`);
  return parseServeArgs(typeof line === 'string' ? line.split(' ').filter((word) => word !== '') : line, { catalogue, form });
}

function toSettings({ settings }: Pick<ReadArgs, 'settings'>): Settings {
  return Object.fromEntries(settings.map(({ name, value }) => [name, value]));
}

describe('words → settings', () => {
  test.each<[string, Settings]>([
    ['m --max-model-len 8192', { 'max-model-len': 8192 }],
    ['m --max_model_len=8192', { 'max-model-len': 8192 }],
    ['m --max-model-len 8k', { 'max-model-len': '8k' }],
    ['m --max-model-len auto', { 'max-model-len': 'auto' }],
    ['m --max-model-len -1', { 'max-model-len': -1 }],
    ['m --gpu-memory-utilization .9', { 'gpu-memory-utilization': 0.9 }],
    ['m --device-memory-utilization 0.5', { 'gpu-memory-utilization': 0.5 }],
    ['m -tp 2', { 'tensor-parallel-size': 2 }],
    ['m -tp=2', { 'tensor-parallel-size': 2 }],
    ['m -qfp8', { quantization: 'fp8' }],
    ['m --enable-prefix-caching', { 'enable-prefix-caching': true }],
    ['m --no-enable-prefix-caching', { 'enable-prefix-caching': false }],
    ['m --no_enable_prefix_caching', { 'enable-prefix-caching': false }],
    ['m -O3', { 'optimization-level': 3 }],
    ['m -O=2', { 'optimization-level': 2 }],
    ['m -O 1', { 'optimization-level': 1 }],
    ['m --served-model-name a b --port 1', { 'served-model-name': ['a', 'b'], port: 1 }],
    ['m --served-model-name=a', { 'served-model-name': ['a'] }],
    ['m --cudagraph-capture-sizes 1 2 4', { 'cudagraph-capture-sizes': [1, 2, 4] }],
    ['m --device-ids 0,1', { 'device-ids': ['0', '1'] }],
    ['m --middleware a --middleware b', { middleware: ['a', 'b'] }],
    ['m --hf-token', { 'hf-token': true }],
    ['m --compilation-config {"mode":3}', { 'compilation-config': { mode: 3 } }],
    ['m -cc.mode=3 -cc.backend eager', { 'compilation-config.mode': 3, 'compilation-config.backend': 'eager' }],
    ['m --compilation-config.custom_ops+ a,b', { 'compilation-config.custom_ops': ['a', 'b'] }],
    [
      'm --default-chat-template-kwargs.enable_thinking false',
      { 'default-chat-template-kwargs.enable_thinking': false } as Record<string, SettingValue>,
    ],
    ['m --default-chat-template-kwargs.level False', { 'default-chat-template-kwargs.level': 'False' }],
    ['m --hf-overrides.max_position_embeddings 8k', { 'hf-overrides.max_position_embeddings': '8k' }],
    ['m --hf-overrides {"a":null}', { 'hf-overrides': '{"a":null}' }],
    ['m --kv-transfer-config None', { 'kv-transfer-config': 'None' }],
    ['m --watermark=-0.5', { watermark: -0.5 }],
    ['m --port abc', { port: 'abc' }],
  ])('%s', (line, settings) => {
    const found = parse(line);
    expect(found.problems).toEqual([]);
    expect(found.model).toEqual({ value: 'm', at: 0 });
    expect(toSettings(found)).toEqual(settings);
  });

  test('newer versions have disable-x, and still understand no-enable-x', () => {
    for (const word of ['--disable-prefix-caching', '--no-enable-prefix-caching']) {
      expect(toSettings(parse(['m', word], { version: '0.33.0' }))).toEqual({ 'enable-prefix-caching': false });
    }
    expect(parse('m --disable-prefix-caching', { version: '0.24.0' }).unknown).toMatchObject([{ name: 'disable-prefix-caching' }]);
  });

  test('each setting knows its words', () => {
    expect(parse('m --served-model-name a b --port 1 -cc.mode 3').settings.map(({ name, at }) => [name, at])).toEqual([
      ['served-model-name', [1, 2, 3]],
      ['port', [4, 5]],
      ['compilation-config.mode', [6, 7]],
    ]);
  });
});

describe('the model', () => {
  test.each<[string, ArgsForm, string | undefined, number]>([
    ['m', 'serve', 'm', 0],
    ['--port 1 m', 'serve', 'm', 0],
    ['--model m --port 1', 'serve', 'm', 0],
    ['--model=m', 'module', 'm', 0],
    ['-- m', 'serve', 'm', 0],
    ['--served-model-name a --port 1 m', 'serve', 'm', 1],
    ['a --model m', 'serve', 'm', 1],
    ['m extra', 'serve', 'm', 1],
    ['m', 'module', undefined, 1],
    ['--port 1', 'serve', undefined, 0],
    ['--served-model-name a Qwen/Qwen3-0.6B', 'serve', undefined, 2],
    ['--served-model-name a', 'serve', undefined, 1],
    ['--served-model-name a --model m', 'file', 'm', 0],
    ['--served-model-name a', 'file', undefined, 0],
  ])('%s (%s)', (line, form, model, problems) => {
    const found = parse(line, { form });
    expect(found.model?.value).toBe(model);
    expect(found.problems.map(({ code }) => code)).toEqual(Array.from({ length: problems }, () => 'profile/import-word'));
  });
});

describe('words that go wrong', () => {
  test.each<[string, string, number, Settings]>([
    ['m --port', 'import.no-value', 1, {}],
    ['m --port --seed 1', 'import.no-value', 1, { seed: 1 }],
    ['m --enforce-eager=false', 'import.switch', 1, {}],
    ['m --enforce-eager false --port 1', 'import.switch', 1, { port: 1 }],
    ['m --max-num', 'import.ambiguous', 1, {}],
    ['m --watermark -0.5', 'import.negative-number', 2, {}],
    ['m --watermark -0.5 --port 1', 'import.negative-number', 2, {}],
    ['m --compilation-config.mode', 'import.no-value', 1, {}],
    ['m --served-model-name --port 1', 'import.no-value', 1, { port: 1 }],
  ])('%s', (line, id, at, settings) => {
    const found = parse(line);
    expect(found.problems.filter(({ message }) => message.id !== 'import.stray')).toMatchObject([
      { code: 'profile/import-word', severity: 'error', message: { id }, at },
    ]);
    expect(toSettings(found)).toEqual(settings);
  });

  test.each<[string, string, Settings]>([
    ['m --max-model 8192', 'profile/flag-abbreviation', { 'max-model-len': 8192 }],
    ['m --no-enable-prefix', 'profile/flag-abbreviation', { 'enable-prefix-caching': false }],
    ['m --compilation.mode 3', 'profile/flag-abbreviation', { 'compilation-config.mode': 3 }],
    ['m --enforce-eager --no-enforce-eager', 'profile/import-overridden', { 'enforce-eager': false }],
    ['m --port 1 --port 2', 'profile/import-overridden', { port: 2 }],
    ['m --compilation-config {"mode":1} -cc.mode 3', 'profile/import-overridden', { 'compilation-config.mode': 3 }],
    ['m -cc.mode 3 --compilation-config.backend eager', 'profile/import-overridden', { 'compilation-config.backend': 'eager' }],
  ])('%s is understood, with a warning', (line, code, settings) => {
    const found = parse(line);
    expect(found.problems).toMatchObject([{ code, severity: 'warning' }]);
    expect(toSettings(found)).toEqual(settings);
  });

  test.each<[string, string, SettingValue]>([
    ['m --nope', 'nope', true],
    ['m --nope 5', 'nope', 5],
    ['m --nope 1 2', 'nope', [1, 2]],
    ['m --nope={"a":1}', 'nope', { a: 1 }],
    ['m --nope.field 3', 'nope.field', 3],
    ['m -x', 'x', true],
  ])('%s is unknown', (line, name, value) => {
    const found = parse(line);
    expect({ settings: found.settings, problems: found.problems }).toEqual({ settings: [], problems: [] });
    expect(found.unknown).toMatchObject([{ name, value }]);
  });
});

/** As the words say it: a number in quotes is a number, JSON in quotes is its value, one of a list is a list of one. */
function toPlain(settings: Settings, { flags }: FlagCatalogue): Settings {
  const plain = ([name, value]: readonly [string, SettingValue]): readonly [string, SettingValue] => {
    const flag = flags[name];
    if (flag === undefined) return [name, typeof value === 'string' ? toNumber(value) : value];
    if (flag.kind === 'list')
      return [
        name,
        [value].flat().map((item: SettingValue) => (flag.item === 'integer' ? Number(item) : flag.item === 'string' ? String(item) : item)),
      ];
    if (flag.kind.startsWith('json')) return [name, typeof value === 'string' ? toJson(value) : value];
    if (typeof value !== 'string') return [name, flag.kind === 'string' && flag.known === undefined ? toText(value) : value];
    return [name, flag.kind === 'integer' || flag.kind === 'number' || flag.kind.startsWith('human') ? toNumber(value) : value];
  };
  return Object.fromEntries(Object.entries(settings).map(plain));
}

function toText(value: SettingValue): SettingValue {
  if (Array.isArray(value)) return value.map((item: SettingValue) => String(item));
  return typeof value === 'number' ? String(value) : value;
}

function toNumber(value: string): SettingValue {
  return /^[+-]?\d+(\.\d+)?$/.test(value) ? Number(value) : value;
}

function toJson(value: string): SettingValue {
  return value.startsWith('{') || value.startsWith('[') ? JSON.parse(value) : value;
}

describe.each(['0.24.0', '0.32.0', '0.33.0'])('there and back with %s', (version) => {
  const catalogue = catalogues.get(version) as FlagCatalogue;
  const made = makeValid(400, { catalogue, history, seed: 7 });

  test('settings that were made are the settings that are read', () => {
    for (const settings of made) {
      const words = toServeArgs('m', toList(settings), catalogue).slice(1);
      const found = parseServeArgs(words, { catalogue, form: 'serve' });
      expect(found).toMatchObject({ model: { value: 'm' }, unknown: [], problems: [] });
      expect(toPlain(toSettings(found), catalogue), words.join(' ')).toEqual(toPlain(settings, catalogue));
      const wrong = checkSettings(toSettings(found), catalogue, { variant: 'cpu', history });
      expect(wrong.filter(({ severity }) => severity === 'error')).toEqual([]);
    }
  });

  test('and read again they say the same', () => {
    for (const settings of made) {
      const once = toSettings(parseServeArgs(toServeArgs('m', toList(settings), catalogue).slice(1), { catalogue, form: 'serve' }));
      const twice = toSettings(parseServeArgs(toServeArgs('m', toList(once), catalogue).slice(1), { catalogue, form: 'serve' }));
      expect(twice).toEqual(once);
    }
  });
});

function toList(settings: Settings) {
  return Object.entries(settings).map(([name, value]) => ({ name, value }));
}
