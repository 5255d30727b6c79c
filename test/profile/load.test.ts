import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DeployError } from '../../src/core/error.ts';
import { toPlaces } from '../../src/host/environment.ts';
import { listProfiles, loadProfile } from '../../src/profile/load.ts';

let cwd = '';
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'profiles-'));
});
afterEach(() => rm(cwd, { recursive: true, force: true }));

async function put(path: string, text: string): Promise<string> {
  const full = join(cwd, path);
  await mkdir(dirname(full), { recursive: true });
  await writeFile(full, text);
  return full;
}

const places = () => toPlaces({ QWEN_DEPLOY_HOME: join(cwd, 'home') });
const load = (ref: string, sets: readonly string[] = []) => loadProfile(ref, { places: places(), cwd, sets });

async function failureOf(work: Promise<unknown>): Promise<DeployError> {
  const error = await work.then(
    () => undefined,
    (problem: unknown) => problem,
  );
  if (error instanceof DeployError) return error;
  throw error ?? new Error('it did not fail');
}

describe('loadProfile', () => {
  it("searches ./profiles, then the person's, then the shipped ones", async () => {
    expect((await load('tiny')).source).toBe('shipped:tiny');
    const own = await put('home/config/profiles/tiny.yaml', 'model: mine');
    expect(await load('tiny')).toMatchObject({ source: own, model: { id: 'mine' } });
    const near = await put('profiles/tiny.yml', 'model: near');
    expect(await load('tiny')).toMatchObject({ source: near, model: { id: 'near' } });
  });

  it('takes paths as paths, from the current directory', async () => {
    await put('deep/a.yaml', 'model: a');
    expect(await load('./deep/a.yaml')).toMatchObject({ name: 'a', model: { id: 'a' } });
    expect(await load('deep/a.yaml')).toMatchObject({ model: { id: 'a' } });
    expect(await load(join(cwd, 'deep/a.yaml'))).toMatchObject({ model: { id: 'a' } });
  });

  it('inherits by name, by path beside the file, and from several parents in order', async () => {
    await put('deep/one.yaml', 'model: a\nvllm: {max-num-seqs: 1, seed: 1}\n');
    await put('profiles/two.yaml', 'vllm: {seed: 2, stream-interval: 2}\n');
    await put('deep/child.yaml', 'extends: [./one.yaml, two]\nvllm: {stream-interval: 3}\n');
    const profile = await load('./deep/child.yaml');
    expect(profile.vllm).toEqual({ 'max-num-seqs': 1, seed: 2, 'stream-interval': 3 });
    expect(profile.origins['vllm.seed']).toEqual({ from: 'profile', file: join(cwd, 'profiles/two.yaml'), line: 1, column: 8 });
  });

  it('lets a profile extend the one of its own name that it shadows', async () => {
    await put('profiles/int4.yaml', 'extends: int4\nvllm: {max-num-seqs: 4}\n');
    expect(await load('int4')).toMatchObject({ model: { id: 'Qwen/Qwen3-4B-AWQ' }, vllm: { 'max-num-seqs': 4 } });
  });

  it('lets --set win, and says so', async () => {
    const profile = await load('tiny', ['vllm.max-model-len=512', 'server.port=9000']);
    expect(profile).toMatchObject({ vllm: { 'max-model-len': 512 }, server: { port: 9000 } });
    expect(profile.origins['vllm.max-model-len']).toEqual({ from: 'set', text: 'vllm.max-model-len=512' });
  });

  it('takes relative paths from the file that they stand in', async () => {
    await put('deep/a.yaml', 'model: ./weights\nengine: {executable: ../bin/vllm}\nserver: {api-key: "file:key"}\n');
    await put('b.yaml', 'extends: ./deep/a.yaml\n');
    expect(await load('./b.yaml')).toMatchObject({
      model: { source: 'local', path: join(cwd, 'deep/weights') },
      engine: { executable: join(cwd, 'bin/vllm') },
      server: { apiKey: `file:${join(cwd, 'deep/key')}` },
    });
    expect((await load('./b.yaml', ['model=./other'])).model).toEqual({ id: 'other', source: 'local', path: join(cwd, 'other') });
  });

  it('offers the nearest name for one that is not there', async () => {
    expect(await failureOf(load('int5'))).toMatchObject({
      code: 'profile/unknown',
      exitStatus: 6,
      params: { name: 'int5', nearest: { id: 'commands.did-you-mean', params: { words: { params: { first: 'int4' } } } } },
    });
    expect((await failureOf(load('../etc'))).code).toBe('profile/unknown');
    expect((await failureOf(load('a/../../b'))).code).toBe('profile/unknown');
  });

  it('says that a path is not there, or is a directory', async () => {
    expect(await failureOf(load('./none.yaml'))).toMatchObject({
      code: 'profile/unknown',
      exitStatus: 6,
      params: { name: join(cwd, 'none.yaml') },
    });
    await mkdir(join(cwd, 'dir.yaml'));
    expect(await failureOf(load('./dir.yaml'))).toMatchObject({
      code: 'profile/unreadable',
      params: { problem: { id: 'profile.is-directory' } },
    });
  });

  it('shows a circle as a path', async () => {
    await put('profiles/a.yaml', 'extends: b');
    await put('profiles/b.yaml', 'extends: c');
    await put('profiles/c.yaml', 'extends: a');
    const error = await failureOf(load('a'));
    expect(error).toMatchObject({ code: 'profile/cycle', exitStatus: 3 });
    expect(
      String(error.params.chain)
        .split(' → ')
        .map((path) => path.slice(-6)),
    ).toEqual(['a.yaml', 'b.yaml', 'c.yaml', 'a.yaml']);
  });

  it('reports the problems of all files and of --set together', async () => {
    const base = await put('profiles/base.yaml', 'vllm: {port: 1}\n');
    const child = await put('profiles/child.yaml', '# child\nextends: [base, nowhere]\nmodel: a\nstop: {drain: soon}\n');
    await put('profiles/orphan.yaml', 'model: a\nextends: nowhere\n');
    const error = await failureOf(load('child', ['server.port=x']));
    expect(error).toMatchObject({ code: 'profile/invalid', exitStatus: 3, params: { count: 4 } });
    expect(error.findings.map(({ code, file, line }) => [code, file, line])).toEqual([
      ['profile/wrong-value', child, 4],
      ['profile/wrong-place', base, 1],
      ['profile/unknown-parent', child, 2],
      ['profile/wrong-value', undefined, undefined],
    ]);
    expect((await failureOf(load('orphan'))).findings).toMatchObject([{ code: 'profile/unknown-parent', line: 2 }]);
  });

  it('names the file of what only the whole can show', async () => {
    const path = await put('empty.yaml', 'description: nothing\n');
    expect((await failureOf(load('./empty.yaml'))).findings).toMatchObject([{ code: 'profile/no-model', file: path }]);
  });
});

describe('listProfiles', () => {
  it('lists each name once, the nearest one, with broken ones too', async () => {
    await put('profiles/tiny.yaml', 'model: mine\ndescription: my own\n');
    await put('profiles/broken.yaml', 'modle: x\n');
    await put('profiles/notes.txt', 'not a profile');
    const found = await listProfiles({ places: places(), cwd });
    expect(found.map(({ name }) => name)).toEqual(['broken', 'cpu', 'demo', 'fp16', 'fp8', 'int4', 'int8', 'tiny']);
    expect(found.find(({ name }) => name === 'tiny')).toEqual({
      name: 'tiny',
      source: join(cwd, 'profiles/tiny.yaml'),
      path: join(cwd, 'profiles/tiny.yaml'),
      description: 'my own',
      model: 'mine',
    });
    expect(found.find(({ name }) => name === 'broken')).toMatchObject({ description: '', model: '' });
    expect(found.find(({ name }) => name === 'int4')).toMatchObject({ source: 'shipped:int4', model: 'Qwen/Qwen3-4B-AWQ' });
  });
});

describe('the shipped profiles seen from their own directory', () => {
  it('are still the shipped ones', async () => {
    const root = new URL('../../', import.meta.url).pathname;
    expect((await loadProfile('tiny', { places: places(), cwd: root, sets: [] })).source).toBe('shipped:tiny');
  });
});
