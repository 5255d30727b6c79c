import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DeployError } from '../../src/core/error.ts';
import { toPlaces } from '../../src/host/environment.ts';
import { loadProfile, loadProfileAndFlags } from '../../src/profile/load.ts';

let cwd = '';
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'flags-'));
});
afterEach(() => rm(cwd, { recursive: true, force: true }));

async function findingsOf(text: string, sets: readonly string[] = []) {
  await writeFile(join(cwd, 'a.yaml'), text);
  try {
    return (await load('./a.yaml', sets)).notes;
  } catch (error) {
    if (error instanceof DeployError) return error.findings;
    throw error;
  }
}

const load = (ref: string, sets: readonly string[] = []) =>
  loadProfileAndFlags(ref, { places: toPlaces({ QWEN_DEPLOY_HOME: cwd }), cwd, sets });

const places = (findings: Awaited<ReturnType<typeof findingsOf>>) =>
  findings.map(({ code, path, line, column }) => [code, path, line, column]);

describe('flags of a profile', () => {
  it('are checked with their places, of all files at once, from top to bottom', async () => {
    await writeFile(join(cwd, 'parent.yaml'), 'vllm:\n  swap-space: 4\n');
    const findings = await findingsOf(
      'extends: ./parent.yaml\nmodel: m\nstop: {drain: soon}\nvllm:\n  max-num-seqs: many\n  compilation-config:\n    nope: 1\n  cudagraph-capture-sizes: [1, x]\n',
    );
    expect(places(findings)).toEqual([
      ['profile/wrong-value', 'stop.drain', 3, 15],
      ['profile/flag-type', 'vllm.max-num-seqs', 5, 17],
      ['profile/flag-field', 'vllm.compilation-config.nope', 7, 5],
      ['profile/flag-type', 'vllm.cudagraph-capture-sizes.1', 8, 32],
      ['profile/removed-flag', 'vllm.swap-space', 2, 3],
    ]);
    expect(findings.at(-1)?.file).toBe(join(cwd, 'parent.yaml'));
  });

  it('are those that are left after inheritance', async () => {
    await writeFile(join(cwd, 'parent.yaml'), 'vllm: {swap-space: 4, compilation-config: {nope: 1}}\n');
    expect(await findingsOf('extends: ./parent.yaml\nmodel: m\nvllm: {swap-space: null, compilation-config: null}\n')).toEqual([]);
  });

  it('go by the version that will run', async () => {
    const text = 'model: m\nengine: {version: "0.30.0"}\nvllm: {log-level: DEBUG}\n';
    expect(places(await findingsOf(text))).toEqual([['profile/flag-too-new', 'vllm.log-level', 3, 8]]);
    expect(await findingsOf(text, ['engine.version=0.31.0'])).toEqual([]);
  });

  it('stay errors where an older catalogue only wonders', async () => {
    const findings = await findingsOf('model: m\nengine: {version: "0.40.0"}\nvllm: {no-such-setting: 1, new-setting: 1}\n');
    expect(findings.map(({ path, severity }) => [path, severity])).toEqual([
      ['vllm.no-such-setting', 'error'],
      ['vllm.new-setting', 'warning'],
      ['engine.version', 'info'],
    ]);
  });

  it('given by --set have no place', async () => {
    expect(places(await findingsOf('model: m\n', ['vllm.max-num-seq=8']))).toEqual([
      ['profile/flag-abbreviation', 'vllm.max-num-seq', undefined, undefined],
    ]);
  });

  it('are found once where the spelling is wrong too, by the one who knows more', async () => {
    const findings = await findingsOf('model: m\nvllm: {-tp: 2, port: 1, max_num_seqs: 8}\n');
    expect(places(findings)).toEqual([
      ['profile/spelling', 'vllm.-tp', 2, 8],
      ['profile/wrong-place', 'vllm.port', 2, 16],
      ['profile/spelling', 'vllm.max_num_seqs', 2, 25],
    ]);
    expect(findings[0]?.fix).toEqual({ 'vllm.-tp': null, 'vllm.tensor-parallel-size': 2 });
  });

  it('are checked by an older catalogue where there is none, and that is said', async () => {
    const findings = await findingsOf('model: m\nengine: {version: "0.32.4"}\n');
    expect(findings).toMatchObject([
      { code: 'profile/no-catalogue', severity: 'info', message: { params: { version: '0.32.4', used: '0.32.0' } } },
    ]);
    const old = await load('./a.yaml', ['engine.version=0.20.2', 'vllm.anything=1']);
    expect(old.catalogue).toBeUndefined();
    expect(old.notes).toMatchObject([{ code: 'profile/no-catalogue', message: { params: { oldest: '0.24.0' } } }]);
    expect((await load('./a.yaml', ['engine.version=0.32.0+cpu'])).notes).toEqual([]);
  });

  it('do not stop a profile with a warning', async () => {
    const { profile, notes } = await load('tiny', ['vllm.log-config-file=x.json']);
    expect(profile.vllm['log-config-file']).toBe('x.json');
    expect(notes).toMatchObject([{ code: 'profile/flag-deprecated', severity: 'warning' }]);
  });

  it('know the quantization too', async () => {
    expect(await findingsOf('model: m\nquantization: squeezellm\n')).toMatchObject([
      { code: 'profile/flag-choice', severity: 'warning', path: 'quantization', line: 2, column: 15 },
    ]);
  });

  it('never repeat a token', async () => {
    const findings = await findingsOf('model: m\nvllm: {hf-token: hf_t0psecret}\n');
    expect(findings).toMatchObject([{ code: 'profile/secret', path: 'vllm.hf-token' }]);
    expect(JSON.stringify(findings)).not.toContain('t0psecret');
  });
});

const versions = ['0.24.0', '0.25.1', '0.26.0', '0.27.1', '0.28.0', '0.29.0', '0.30.0', '0.31.0', '0.32.0', '0.33.0'];

it.each(versions)('the shipped profiles are sound for vLLM %s', async (version) => {
  for (const name of ['cpu', 'demo', 'fp16', 'fp8', 'int4', 'int8', 'tiny']) {
    expect((await load(name, [`engine.version=${version}`])).notes).toEqual([]);
  }
});

it('loadProfile is the profile alone', async () => {
  expect(await loadProfile('tiny', { places: toPlaces({ QWEN_DEPLOY_HOME: cwd }), cwd, sets: [] })).toEqual((await load('tiny')).profile);
});
