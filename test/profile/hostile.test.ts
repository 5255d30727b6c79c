import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DeployError } from '../../src/core/error.ts';
import type { Finding } from '../../src/core/finding.ts';
import { toPlaces } from '../../src/host/environment.ts';
import type { CheckedProfile } from '../../src/profile/checked.ts';
import { checkProfile, createReadCache } from '../../src/profile/load.ts';
import { toText } from '../../src/text/render.ts';
import { bombs, hostileCases } from './hostile-cases.ts';
import { createRandom, mutate } from './mutate.ts';

const root = new URL('../../', import.meta.url).pathname;
let cwd = '';
let count = 0;
beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'hostile-'));
});
afterAll(() => rm(cwd, { recursive: true, force: true }));

const places = toPlaces({ QWEN_DEPLOY_HOME: '/nowhere' });
const cache = createReadCache({ places });

async function check(text: string, sets: readonly string[] = []): Promise<CheckedProfile & { readonly file: string }> {
  count += 1;
  const file = join(cwd, `p${count}.yaml`);
  await writeFile(file, text.replaceAll('SELF', `p${count}`));
  return { file, ...(await checkProfile(file, { places, cwd, sets, cache })) };
}

function toErrors(findings: readonly Finding[]): readonly string[] {
  const errors = findings.filter(({ severity }) => severity === 'error');
  return errors.map(({ line, column, code, path }) => `${line}:${column} ${code}${path === undefined ? '' : ` ${path}`}`);
}

/** What every finding must be, whatever it is about. */
function checkShape(findings: readonly Finding[], file: string, text: string): void {
  const lines = text.split('\n').length;
  for (const finding of findings) {
    const words = [finding.message, finding.hint].flatMap((part) => (part === undefined ? [] : [toText(part)])).join(' ');
    expect(words, finding.code).not.toMatch(/\{[a-z]\w*\}|undefined|\[object|t0psecret/);
    expect(finding.code).toMatch(/^profile\/[a-z0-9-]+$/);
    if (finding.file === file) expect(finding.line ?? 1).toBeLessThanOrEqual(lines);
    if (finding.line !== undefined) expect(Math.min(finding.line, finding.column ?? 0), finding.code).toBeGreaterThan(0);
  }
}

const clean = JSON.stringify(Object.getOwnPropertyNames(Object.prototype));

function expectNoPollution(): void {
  expect(JSON.stringify(Object.getOwnPropertyNames(Object.prototype))).toBe(clean);
  expect(({} as { readonly polluted?: boolean }).polluted).toBeUndefined();
  expect((Object.prototype as { readonly model?: string }).model).toBeUndefined();
}

describe.each(Object.entries(hostileCases))('%s', (_, cases) => {
  it.each(cases.map(([name, text, ...errors]) => [name, text, errors] as const))('%s', async (_name, text, errors) => {
    const { findings, profile, file } = await check(text);
    expect(toErrors(findings)).toEqual(errors);
    expect(profile === undefined).toBe(errors.length > 0);
    checkShape(findings, file, text);
    expect(JSON.stringify({ findings, profile })).not.toContain('t0psecret');
    expectNoPollution();
  });
});

describe('too much', () => {
  /** Of the processor and not of the clock: other work on the machine is not counted. */
  async function measure(text: string): Promise<{ readonly errors: readonly string[]; readonly seconds: number }> {
    const before = process.cpuUsage();
    const { findings } = await check(text);
    const { user, system } = process.cpuUsage(before);
    return { errors: toErrors(findings), seconds: (user + system) / 1e6 };
  }

  it.each(bombs.map(([name, text, ...errors]) => [name, text, errors] as const))('%s is refused at once', async (_name, text, errors) => {
    const { errors: found, seconds } = await measure(text);
    expect(found).toEqual(errors);
    expect(seconds).toBeLessThan(1);
  });

  it.each([
    [
      'settings that nobody knows',
      `model: a\nvllm:\n${Array.from({ length: 450 }, (_, index) => `  max-num-sexs-${index}: 1`).join('\n')}\n`,
      450,
    ],
    ['keys that nobody knows', `model: a\n${Array.from({ length: 450 }, (_, index) => `sevrer${index}: 1`).join('\n')}\n`, 450],
    ['wrong names', `model: a\nserved-names:\n${'- 1\n'.repeat(3000)}`, 3000],
    ['parents that are not there', `model: a\nextends: [${Array.from({ length: 2000 }, (_, index) => `n${index}`).join(', ')}]\n`, 65],
    ['brackets that were not opened', '}'.repeat(20_000), 5],
    [
      'fields that nobody knows',
      `model: a\nvllm: {compilation-config: {${Array.from({ length: 450 }, (_, index) => `k${index}: 1`).join(', ')}}}\n`,
      450,
    ],
  ])('%s are all told in good time', async (_, text, expected) => {
    const { errors, seconds } = await measure(text);
    expect(errors).toHaveLength(expected);
    expect(seconds).toBeLessThan(2);
  });
});

describe('shipped profiles with something wrong in them', () => {
  const seeds = Array.from({ length: 16 }, (_, index) => index + 1);

  it.each(seeds)('never surprise (seed %i)', async (seed) => {
    const shipped = (await readdir(join(root, 'profiles'), { recursive: true })).filter((name) => name.endsWith('.yaml')).sort();
    const texts = await Promise.all(shipped.map((name) => readFile(join(root, 'profiles', name), 'utf8')));
    const random = createRandom(seed);
    for (let index = 0; index < 25; index += 1) {
      const text = mutate(texts[Math.floor(random() * texts.length)] ?? '', texts, random);
      const { findings, profile, file } = await check(text).catch((error: unknown) => {
        throw new Error(`seed ${seed}, mutation ${index}: ${JSON.stringify(text)}`, { cause: error });
      });
      checkShape(findings, file, text.replaceAll('\0', ''));
      expect(profile === undefined, JSON.stringify(text)).toBe(findings.some(({ severity }) => severity === 'error'));
    }
    expectNoPollution();
  });
});

describe('--set with what is wrong', () => {
  it.each([
    'a..b=1',
    '=x',
    '.=x',
    'x',
    '',
    '__proto__.x=1',
    'a.__proto__=1',
    '\u0000=1',
    `${'a'.repeat(1000)}=1`,
    `${'a.'.repeat(200)}a=1`,
  ])('%j is no setting', async (text) => {
    const error: unknown = await check('model: a\n', [text]).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(DeployError);
    expect(error).toMatchObject({ code: 'usage/bad-set', exitStatus: 2 });
    expect(JSON.stringify((error as DeployError).params).length).toBeLessThan(200);
    expectNoPollution();
  });

  it.each([
    ['vllm=3', 'profile/wrong-value'],
    ['vllm=[a]', 'profile/wrong-value'],
    ['constructor.prototype.x=1', 'profile/unknown-key'],
    ['vllm.constructor=1', 'profile/unknown-flag'],
    ['vllm={__proto__: {polluted: true}}', 'profile/unknown-key'],
    ['served-names=a', 'profile/wrong-value'],
    ['served-names[0]=a', 'profile/wrong-value'],
    ['served-names.0=a', 'profile/wrong-value'],
    ['served-names+=a', 'profile/append'],
    ['server.port+=[1]', 'profile/wrong-value'],
    ['served-names=[a', 'profile/not-yaml'],
    ['server.port={', 'profile/not-yaml'],
    ['server.port="', 'profile/not-yaml'],
    ['server.port=*x', 'profile/not-yaml'],
    ['server.port=!x 1', 'profile/tag'],
    ['server.port=1\n---\n2', 'profile/several-documents'],
    ['server.port=99999999999999999999', 'profile/large-number'],
    ['server.port=.inf', 'profile/wrong-value'],
    ['server.port=010', 'profile/leading-zero'],
    ['server.port.x=1', 'profile/wrong-value'],
    ['server.po rt=1', 'profile/unknown-key'],
    ['extends=tiny', 'profile/wrong-place'],
    ['model=', 'profile/no-model'],
    ['server.api-key=t0psecret', 'profile/secret'],
    ['engine.env.MY_TOKEN=t0psecret', 'profile/secret'],
    ['description=sk-t0psecret-AbCd1234', 'profile/secret'],
    ['vllm.hf-token=t0psecret', 'profile/secret'],
    ['vllm.max-num-seqs=hf_t0psecretAbCdEfGhIj', 'profile/secret'],
    [`fallback=${'['.repeat(5000)}`, 'profile/too-deep'],
    [`served-names=[${'a,'.repeat(40_000)}]`, 'profile/too-large'],
    [`description=${'a'.repeat(150_000)}`, 'profile/too-large'],
    [`labels=${`{a: `.repeat(2000)}`, 'profile/too-deep'],
  ])('%.60j is found', async (text, code) => {
    const { findings, profile, file } = await check('model: a\n', [text]);
    expect(profile).toBeUndefined();
    expect(findings.filter(({ severity }) => severity === 'error').map((finding) => finding.code)).toContain(code);
    checkShape(findings, file, 'model: a\n');
    expect(JSON.stringify(findings)).not.toContain('t0psecret');
    expectNoPollution();
  });
});
