import { describe, expect, it } from 'vitest';
import { checkProfile, loadProfile } from '../../src/profile/load.ts';
import { parseProfile } from '../../src/profile/parse.ts';
import { toStepProfile } from '../../src/profile/step-profile.ts';
import { toWrittenSettings } from '../../src/profile/written.ts';
import { eachInShelfBox } from './shelf-box.ts';

const { put, where } = eachInShelfBox(({ put: write }) =>
  write('profiles/light.yaml', 'model: Qwen/Qwen3-0.6B\nvllm: {max-num-seqs: 2}\n'),
);
const model = 'model: Qwen/Qwen3-0.6B\n';
const checkText = async (text: string, sets: readonly string[] = []) => {
  const { findings } = await checkProfile(await put('profiles/heavy.yaml', `${model}${text}`), { ...where(), sets });
  return findings.filter(({ severity }) => severity !== 'info').map(({ code, severity, path, line }) => ({ code, severity, path, line }));
};

it('has defaults for everything but when and where to', async () => {
  await put('profiles/heavy.yaml', `${model}adapt: {when: {host-memory: 92%, queue-wait: 20s}, steps: [light]}`);
  const profile = await loadProfile('heavy', where());
  expect(profile.adapt).toEqual({
    when: { hostMemoryPercent: 92, queueWaitMs: 20_000 },
    forMs: 120_000,
    backBelowPercent: 80,
    backAfterMs: 900_000,
    leastStayMs: 600_000,
    mostSteps: 4,
    steps: ['light'],
  });
  const written = [...toWrittenSettings(profile)].filter(([path]) => path.startsWith('adapt.'));
  expect(Object.fromEntries(written)).toMatchObject({
    'adapt.when.host-memory': '92%',
    'adapt.when.queue-wait': '20s',
    'adapt.back-below': '80%',
    'adapt.least-stay': '10m',
  });
});

it('is off by default, and by null', async () => {
  expect((await loadProfile('light', where())).adapt).toBeUndefined();
  await put('profiles/parent.yaml', `${model}adapt: {when: {cpu: 95%}, steps: [light]}`);
  await put('profiles/child.yaml', 'extends: parent\nadapt: null\n');
  expect((await loadProfile('child', where())).adapt).toBeUndefined();
});

describe('values out of range are refused where they stand', () => {
  it.each([
    ['when: {cpu: 101%}', 'adapt.when.cpu'],
    ['when: {cpu: 95}', 'adapt.when.cpu'],
    ['when: {host-memory: 0%}', 'adapt.when.host-memory'],
    ['when: {gpu-temperature: 300}', 'adapt.when.gpu-temperature'],
    ['when: {queue-wait: 20}', 'adapt.when.queue-wait'],
    ['when: {load: 3%}', 'adapt.when.load'],
    ['back-below: 96%', 'adapt.back-below'],
    ['most-steps: 0', 'adapt.most-steps'],
    ['for: soon', 'adapt.for'],
    ['steps: []', 'adapt.steps'],
    ['steps: light', 'adapt.steps'],
  ])('%s', (text, path) => {
    expect(parseProfile(`adapt:\n  ${text}\n`, 'p.yaml').findings).toMatchObject([{ path, line: 2 }]);
  });
});

describe('steps', () => {
  it.each([
    ['a profile that is not there', 'steps: [lihgt]', 'profile/step-unknown'],
    ['a file that is not there', 'steps: [./gone.yaml]', 'profile/step-unknown'],
    ['one that is broken', 'steps: [bad]', 'profile/step-broken'],
    ['itself', 'steps: [heavy]', 'profile/step-itself'],
    ['the same twice', 'steps: [light, ./light.yaml]', 'profile/step-itself'],
    ['one at another address', 'steps: [elsewhere]', 'profile/step-identity'],
  ])('%s', async (_, steps, code) => {
    await put('profiles/bad.yaml', `${model}vllm: {max-num-seqs: many}\n`);
    await put('profiles/elsewhere.yaml', `${model}server: {port: 9000}\n`);
    expect(await checkText(`adapt:\n  when: {cpu: 95%}\n  ${steps}\n`)).toMatchObject([{ code, severity: 'error', line: 4 }]);
  });

  it('names what was meant', async () => {
    const file = await put('profiles/heavy.yaml', `${model}adapt: {when: {cpu: 95%}, steps: [lihgt]}`);
    const { findings } = await checkProfile(file, where());
    expect(JSON.stringify(findings)).toContain('light');
  });

  it('are needed, and so is a limit', async () => {
    expect(await checkText('adapt: {when: {cpu: 95%}}')).toMatchObject([{ code: 'profile/adapt-incomplete', path: 'adapt.steps' }]);
    expect(await checkText('adapt:\n  steps: [light]\n  when: {cpu: null}')).toMatchObject([
      { code: 'profile/adapt-incomplete', path: 'adapt.when', line: 3 },
    ]);
  });

  it('may be anywhere when --set says where this one is', async () => {
    await put('profiles/elsewhere.yaml', `${model}server: {port: 9000}\n`);
    expect(await checkText('adapt: {when: {cpu: 95%}, steps: [elsewhere]}', ['server.port=9100'])).toEqual([]);
  });

  it('are meant from the file that they stand in', async () => {
    const light = await put('deep/tiny.yaml', model);
    await put('deep/heavy.yaml', `${model}adapt: {when: {cpu: 95%}, steps: [tiny.yaml]}`);
    expect((await loadProfile('./deep/heavy.yaml', where())).adapt?.steps).toEqual([light]);
  });

  it('go on after a step that extends the profile', async () => {
    await put('profiles/heavy.yaml', `${model}adapt: {when: {cpu: 95%}, steps: [child, light]}`);
    await put('profiles/child.yaml', 'extends: heavy\nvllm: {max-num-seqs: 8}\n');
    expect((await loadProfile('child', where())).adapt?.steps).toEqual(['light']);
    expect((await loadProfile('heavy', where())).adapt?.steps).toEqual(['child', 'light']);
  });

  it('take over by what clients know it', async () => {
    await put(
      'profiles/heavy.yaml',
      `${model}served-names: [q]\nserver: {port: 8100, api-key: env:K}\nadapt: {when: {cpu: 95%}, steps: [light]}`,
    );
    const [base, step] = await Promise.all([loadProfile('heavy', where()), loadProfile('light', where())]);
    const taken = toStepProfile(step, base);
    expect(taken).toMatchObject({
      name: 'light',
      servedNames: ['q'],
      server: { port: 8100, apiKey: 'env:K' },
      vllm: { 'max-num-seqs': 2 },
    });
    expect(taken.adapt).toBeUndefined();
  });
});

it('warns of replicas', async () => {
  expect(await checkText('replicas: 2\nadapt: {when: {cpu: 95%}, steps: [light]}')).toMatchObject([
    { code: 'profile/adapt-replicas', severity: 'warning' },
  ]);
});
