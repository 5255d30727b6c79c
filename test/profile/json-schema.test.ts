import { readdirSync, readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { toPlaces } from '../../src/host/environment.ts';
import { readProfileSchema, renderSchema } from '../../src/operate/profiles-schema.ts';
import { checkFlags } from '../../src/profile/flags.ts';
import { listSettings } from '../../src/profile/json-schema.ts';
import { parseProfile } from '../../src/profile/parse.ts';
import { examples } from '../../src/profile/schema-examples.ts';
import { createFlagShelf } from '../../src/profile/shelf.ts';
import { settings } from '../../src/text/en/settings.ts';
import { type FlagHistory, toFlagCatalogue } from '../../src/vllm/flags.ts';
import { makeInvalid, makeValid } from '../vllm/flag-cases.ts';
import { sound, wrong } from './shape-cases.ts';

const root = new URL('../../', import.meta.url);
const places = toPlaces({ QWEN_DEPLOY_HOME: '/nowhere' });
const quiet = { emit: () => undefined, places };
const readText = (path: string) => readFileSync(new URL(path, root), 'utf8');

async function compile(version?: string): Promise<ValidateFunction> {
  const { schema } = await readProfileSchema(version, quiet);
  // Strict: a keyword that means nothing, or a pattern that is none, ends the test.
  return new Ajv2020({ strict: true, allowUnionTypes: true, strictTypes: false, strictRequired: false }).compile(schema);
}

let validate: ValidateFunction;
beforeAll(async () => {
  validate = await compile();
});

/** Codes of the errors that our own checks find in one file. */
async function findErrors(text: string, version?: string): Promise<readonly string[]> {
  const { source, findings } = parseProfile(text, 'p.yaml');
  if (source === undefined) return findings.map(({ code }) => code);
  const value = version === undefined ? source.value : { ...source.value, engine: { version } };
  const checked = await checkFlags([{ ...source, value }], findings, createFlagShelf(places));
  return checked.findings.flatMap(({ code, severity }) => (severity === 'error' ? [code] : []));
}

describe('the JSON Schema', () => {
  it.each(sound)('accepts %s, as the checks do', async (_, text) => {
    expect(await findErrors(text)).toEqual([]);
    validate(parse(text, { merge: true }));
    expect(validate.errors).toBeNull();
  });

  it.each(wrong)('refuses %s, as the checks do', async (_, text) => {
    expect(await findErrors(text)).not.toEqual([]);
    expect(validate(parse(text, { merge: true }))).toBe(false);
  });

  const shipped = ['profiles/', 'profiles/base/'].flatMap((directory) =>
    readdirSync(new URL(directory, root)).flatMap((name) => (name.endsWith('.yaml') ? [`${directory}${name}`] : [])),
  );

  it.each(shipped)('accepts %s', (path) => {
    validate(parse(readText(path), { merge: true }));
    expect(validate.errors).toBeNull();
  });

  it.each(['0.24.0', '0.32.0', '0.33.0'])('agrees with the checks about settings made from the catalogue of %s', async (version) => {
    const read = (name: string): unknown => JSON.parse(readText(`data/flags/${name}.json`));
    const made = { catalogue: toFlagCatalogue(read(version)), history: read('changes') as FlagHistory };
    const isValid = await compile(version);
    const differing: unknown[] = [];
    for (const vllm of [...makeValid(250, { ...made, seed: 11 }), ...makeInvalid(150, { ...made, seed: 12 })]) {
      const text = JSON.stringify({ vllm });
      if (((await findErrors(text, version)).length === 0) !== isValid({ vllm })) differing.push(vllm);
    }
    expect(differing).toEqual([]);
  });

  it('is the one that is committed: npm run docs', async () => {
    const { schema } = await readProfileSchema(undefined, quiet);
    expect(readText('schema/profile.schema.json') === renderSchema(schema)).toBe(true);
  });
});

describe('what it says of settings', () => {
  const toIds = (paths: readonly string[]) => paths.map((path) => `setting.${path}`).toSorted();

  it('is something of every setting, and of none that is not there', async () => {
    const { schema } = await readProfileSchema(undefined, quiet);
    const own = Object.keys(settings).filter((id) => !/^setting\.(title|about|flag($|\.))/.test(id));
    expect(own.toSorted()).toEqual(toIds(listSettings(schema)));
    expect(toIds(Object.keys(examples))).toEqual(toIds(listSettings(schema)));
  });

  it.each(Object.entries(examples).flatMap(([path, list]) => list.map((example) => [path, JSON.stringify(example), example] as const)))(
    'has a sound example of %s: %s',
    async (path, _, example) => {
      const { steps, value } = toWhole(path, example);
      const profile = steps.reduceRight<unknown>((inner, step) => ({ [step === '*' ? 'some' : step]: inner }), value);
      expect(await findErrors(JSON.stringify(profile))).toEqual([]);
      expect(validate(profile)).toBe(true);
    },
  );

  it('is, of a flag, our advice and the facts of the version', async () => {
    const { schema } = await readProfileSchema('0.33.0', quiet);
    const { vllm } = schema.properties as Record<string, { readonly properties: Record<string, object> }>;
    expect(vllm?.properties['max-num-seqs']).toMatchObject({
      description: expect.stringMatching(/Requests at work at once[\s\S]*vLLM 0\.33\.0/),
      minimum: 1,
    });
    expect(vllm?.properties['log-config-file']).toMatchObject({ deprecated: true });
    expect(vllm?.properties['load-format']).toMatchObject({ default: 'auto', examples: expect.arrayContaining(['dummy']) });
    expect(vllm?.properties).not.toHaveProperty('port');
  });
});

it('takes the nearest older version where there is no catalogue, and says so', async () => {
  const said: unknown[] = [];
  expect(await readProfileSchema('0.32.4', { places, emit: (event) => said.push(event) })).toMatchObject({ engineVersion: '0.32.0' });
  expect(said).toMatchObject([{ text: { id: 'flag.other-catalogue', params: { version: '0.32.4', used: '0.32.0' } } }]);
  await expect(readProfileSchema('0.1.0', quiet)).rejects.toMatchObject({ code: 'explain/no-catalogue' });
});

/** Some settings stand only beside others. */
function toWhole(path: string, example: unknown): { readonly steps: readonly string[]; readonly value: unknown } {
  if (path === 'lora.*.base-model') return { steps: ['lora', '*'], value: { path: 'a', 'base-model': example } };
  const [block, item, key = '', ...names] = path.split('.');
  if (block !== 'notify' || item === undefined) return { steps: path.split('.'), value: example };
  const others = { on: ['ready'], ...(key === 'command' ? {} : { webhook: 'env:HOOK' }) };
  const value = names.length > 0 ? { authorization: example } : example;
  return { steps: ['notify'], value: [key === '' ? example : { ...others, [key]: value }] };
}
