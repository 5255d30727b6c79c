import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DeployError } from '../../src/core/error.ts';
import { toPlaces } from '../../src/host/environment.ts';
import { checkProfile, createReadCache, listProfiles, loadProfile } from '../../src/profile/load.ts';

let cwd = '';
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'profiles-'));
});
afterEach(() => rm(cwd, { recursive: true, force: true }));

async function put(path: string, text: string | Uint8Array): Promise<string> {
  const full = join(cwd, path);
  await mkdir(dirname(full), { recursive: true });
  await writeFile(full, text);
  return full;
}

const places = () => toPlaces({ QWEN_DEPLOY_HOME: join(cwd, 'home') });
const check = (ref: string, sets: readonly string[] = []) => checkProfile(ref, { places: places(), cwd, sets });
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
    await put(
      'deep/a.yaml',
      'model: ./weights\nengine: {executable: ../bin/vllm, env: {HF_TOKEN: "file:token"}}\nserver: {api-key: "file:key"}\n' +
        'vllm: {chat-template: ./qwen3.jinja}\n',
    );
    await put('b.yaml', 'extends: ./deep/a.yaml\n');
    expect(await load('./b.yaml')).toMatchObject({
      model: { source: 'local', path: join(cwd, 'deep/weights') },
      engine: { executable: join(cwd, 'bin/vllm') },
      server: { apiKey: `file:${join(cwd, 'deep/key')}` },
      vllm: { 'chat-template': join(cwd, 'deep/qwen3.jinja') },
    });
    expect((await load('./b.yaml')).engine.env).toEqual({ HF_TOKEN: `file:${join(cwd, 'deep/token')}` });
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

  it('finds the same circle, among other things, when it is only checked', async () => {
    await put('profiles/a.yaml', 'model: x\nstop: {drain: 1}\nextends: [tiny, b]\n');
    await put('profiles/b.yaml', '\nextends: a\n');
    const { findings } = await check('a');
    expect(findings).toMatchObject([
      { code: 'profile/wrong-value', line: 2 },
      { code: 'profile/cycle', file: join(cwd, 'profiles/b.yaml'), line: 2, column: 10, path: 'extends' },
    ]);
    const [own, other] = [join(cwd, 'profiles/a.yaml'), join(cwd, 'profiles/b.yaml')];
    expect(findings[1]?.message.params).toEqual({ chain: `${own} → ${other} → ${own}` });
  });

  it('reads who is reached by two ways once, where it comes first', async () => {
    await put('profiles/top.yaml', 'model: top\nvllm: {max-num-seqs: 1, seed: 1}\nserved-names+: [top]\n');
    await put('profiles/left.yaml', 'extends: top\nvllm: {seed: 2}\nserved-names+: [left]\n');
    await put('profiles/right.yaml', 'extends: top\nvllm: {stream-interval: 3}\nserved-names+: [right]\n');
    await put('profiles/child.yaml', 'extends: [left, right]\nserved-names+: [child]\n');
    const profile = await load('child');
    expect(profile.vllm).toEqual({ 'max-num-seqs': 1, seed: 2, 'stream-interval': 3 });
    expect(profile.servedNames).toEqual(['top', 'left', 'right', 'child']);
    const names = (await load('child', ['served-names+=[set]'])).origins['served-names'];
    expect(names).toMatchObject({ from: 'set', onto: [{ line: 3 }, { line: 3 }, { line: 3 }, { line: 2 }] });
  });

  it('ends where profiles extend more than anybody could follow', async () => {
    for (let index = 0; index < 40; index += 1) {
      await put(`profiles/n${index}.yaml`, `extends: [n${index + 1}, ./n${index + 1}.yaml, n${index + 2}]\n`);
    }
    await put('profiles/n40.yaml', 'model: a\n');
    await put('profiles/n41.yaml', 'model: b\n');
    expect((await load('n0')).model.id).toBe('b');
    await put('profiles/wide.yaml', `extends: [${Array.from({ length: 3000 }, (_, index) => `m${index}`).join(', ')}]\n`);
    const { findings } = await check('wide');
    expect(findings.filter(({ code }) => code === 'profile/unknown-parent')).toHaveLength(64);
    expect(findings.at(-1)).toMatchObject({ code: 'profile/too-many-parents', path: 'extends.64', line: 1 });
  });

  it('follows no link in a circle for ever', async () => {
    await mkdir(join(cwd, 'deep'));
    await symlink(join(cwd, 'deep'), join(cwd, 'deep/loop'));
    await put('deep/a.yaml', 'model: a\nextends: ./loop/a.yaml\n');
    const { findings, profile } = await check('./deep/a.yaml');
    expect(profile).toBeUndefined();
    expect(findings).toMatchObject([{ code: 'profile/unknown-parent', line: 2, path: 'extends' }]);
  });

  it.each([
    ['with a byte order mark', Buffer.from('\uFEFFmodel: a\nmodle: b\n'), ['2:1 profile/unknown-key']],
    ['in UTF-16', Buffer.from('\uFEFFmodel: a\n', 'utf16le'), ['1:1 profile/not-utf8']],
    ['in UTF-16 without a mark', Buffer.from('model: a\n', 'utf16le'), ['1:1 profile/not-utf8']],
    ['in UTF-16, the other way round', Buffer.from('\uFEFFmodel: a\n', 'utf16le').swap16(), ['1:1 profile/not-utf8']],
    ['in Latin-1', Buffer.from('model: a\ndescription: für alle\n', 'latin1'), ['2:15 profile/not-utf8']],
    ['with zeros', Buffer.from('model: a\nlabels: {a: b\0}\n'), ['2:14 profile/control-character']],
    ['of binary', Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]), ['1:1 profile/control-character']],
    ['of more than a mebibyte', Buffer.alloc(2 ** 20 + 1, 0x20), ['1:1 profile/too-large']],
  ])('reads a file %s', async (_, bytes, expected) => {
    await put('a.yaml', bytes);
    const { findings } = await check('./a.yaml');
    expect(findings.map(({ line, column, code }) => `${line}:${column} ${code}`)).toEqual(expected);
  });

  it('reads no more of an endless file than a profile may have', async () => {
    await symlink('/dev/zero', join(cwd, 'endless.yaml'));
    expect((await check('./endless.yaml')).findings).toMatchObject([{ code: 'profile/too-large' }]);
  });

  it('finds parents that are directories', async () => {
    await mkdir(join(cwd, 'dir.yaml'));
    await put('a.yaml', 'model: a\nextends: [tiny, ./dir.yaml]\n');
    expect((await check('./a.yaml')).findings).toMatchObject([
      { code: 'profile/unknown-parent', line: 2, column: 17, path: 'extends.1', message: { id: 'profile.unreadable-parent' } },
    ]);
  });

  it('says so when a profile of ones own hides a shipped one', async () => {
    const own = await put('profiles/tiny.yaml', 'extends: tiny\n');
    const { findings, profile } = await check('tiny');
    expect(profile?.source).toBe(own);
    expect(findings).toMatchObject([
      { code: 'profile/shadows', severity: 'info', file: own, message: { params: { shadowed: 'shipped:tiny' } } },
    ]);
    expect((await check('./profiles/tiny.yaml')).findings).toEqual([]);
  });

  it('takes a flag of vLLM at the top for what it is', async () => {
    await put('a.yaml', 'model: a\nmax_model_len: 4096\nserver: {tensor-parallel-size: 2}\n');
    const { findings } = await check('./a.yaml');
    expect(findings).toMatchObject([
      { code: 'profile/wrong-place', line: 2, fix: { 'vllm.max-model-len': 4096, max_model_len: null } },
      { code: 'profile/wrong-place', line: 3, fix: { 'vllm.tensor-parallel-size': 2, 'server.tensor-parallel-size': null } },
    ]);
  });

  it('is cured by what its findings tell to set', async () => {
    const text = [
      'model: own/model',
      'servedNames: [a]',
      'port: 9000',
      'server: {hots: "::1"}',
      'engine: {version: 0.32}',
      'max-num-seqs: 4',
      'vllm: {max_model_len: 4096, gpu-memory-utilisation: 0.8, default-chat-template-kwargs: {enable_thinking: true}}',
      'stop: {drain: 5s, x-why: because}',
    ];
    await put('a.yaml', text.join('\n'));
    const { findings } = await check('./a.yaml');
    const fixes = findings.flatMap(({ fix = {} }) => Object.entries(fix).map(([path, value]) => `${path}=${JSON.stringify(value)}`));
    const cured = await check('./a.yaml', [...fixes, 'vllm.gpu-memory-utilisation=']);
    expect(cured.findings).toEqual([]);
    expect(cured.profile).toMatchObject({
      servedNames: ['a'],
      server: { host: '::1', port: 9000 },
      thinking: 'on',
      engine: { version: '0.32' },
      vllm: { 'max-model-len': 4096, 'max-num-seqs': 4 },
    });
  });

  it('refuses what takes away a thing that is not there', async () => {
    await put('a.yaml', 'model: a\n');
    expect((await check('./a.yaml', ['server.prot=null'])).findings).toMatchObject([{ code: 'profile/unknown-key', path: 'server.prot' }]);
  });

  it('reads what several need once, when told so', async () => {
    const base = await put('profiles/base.yaml', 'model: a\n');
    await put('profiles/one.yaml', 'extends: base\n');
    const options = { places: places(), cwd, sets: [], cache: createReadCache({ places: places() }) };
    expect((await checkProfile('one', options)).profile?.model.id).toBe('a');
    await writeFile(base, 'model: b\n');
    await put('profiles/two.yaml', 'extends: base\n');
    expect((await checkProfile('two', options)).profile?.model.id).toBe('a');
    expect(await readFile(base, 'utf8')).toContain('b');
    expect((await load('two')).model.id).toBe('b');
  });

  it('reports the problems of all files and of --set together', async () => {
    const base = await put('profiles/base.yaml', 'vllm: {port: 1}\n');
    const child = await put('profiles/child.yaml', '# child\nextends: [base, nowhere]\nmodel: a\nstop: {drain: soon}\n');
    await put('profiles/orphan.yaml', 'model: a\nextends: nowhere\n');
    const error = await failureOf(load('child', ['server.port=x']));
    expect(error).toMatchObject({ code: 'profile/invalid', exitStatus: 3, params: { count: 4 } });
    expect(error.findings.map(({ code, file, line }) => [code, file, line])).toEqual([
      ['profile/unknown-parent', child, 2],
      ['profile/wrong-value', child, 4],
      ['profile/wrong-place', base, 1],
      ['profile/wrong-value', undefined, undefined],
    ]);
    expect((await failureOf(load('orphan'))).findings).toMatchObject([{ code: 'profile/unknown-parent', line: 2 }]);
  });

  it('names the file of what only the whole can show', async () => {
    const path = await put('empty.yaml', 'description: nothing\n');
    expect((await failureOf(load('./empty.yaml'))).findings).toMatchObject([{ code: 'profile/no-model', file: path }]);
  });
});

describe('loadProfile without checks', () => {
  const unchecked = (ref: string, sets: readonly string[] = []) => loadProfile(ref, { places: places(), cwd, sets, unchecked: true });

  it.each([
    ["vllm's own file of settings", 'config: other.yaml', { config: 'other.yaml' }],
    ['what is switched off by its name', 'no-such-flag: true', { 'no-such-flag': true }],
    ['underscores', 'max_num_seqs: 4', { max_num_seqs: 4 }],
  ])('lets vLLM say what it has against %s', async (_, setting, vllm) => {
    const file = await put('mine.yaml', `model: m\nvllm: { ${setting} }\n`);
    expect((await failureOf(load(file))).code).toBe('profile/invalid');
    expect((await unchecked(file)).vllm).toEqual(vllm);
    const [key, value] = Object.entries(vllm)[0] ?? [];
    const plain = await put('plain.yaml', 'model: m\n');
    expect((await unchecked(plain, [`vllm.${key}=${value}`])).vllm).toEqual(vllm);
  });

  it('lets variables through that are reserved', async () => {
    const file = await put('mine.yaml', 'model: m\nengine: { env: { VLLM_PORT: tcp://10.0.0.1:8000 } }\n');
    expect((await failureOf(load(file))).code).toBe('profile/invalid');
    expect((await unchecked(file)).engine.env).toEqual({ VLLM_PORT: 'tcp://10.0.0.1:8000' });
  });

  it.each([
    ['a setting of ours below vllm', 'vllm: { port: 9000 }', 'profile/wrong-place'],
    ['a secret', 'vllm: { hf-token: hf_0123456789 }', 'profile/secret'],
    ['what would be more than one word', "vllm: { '--max-num-seqs': 4 }", 'profile/spelling'],
    ['a variable without a name', "engine: { env: { 'A=B': x } }", 'profile/reserved-variable'],
    ['a port that cannot be', 'server: { port: 99999999 }', 'profile/wrong-value'],
    ['no names', 'served-names: []', 'profile/wrong-value'],
  ])('still refuses %s, and nothing else of its file', async (_, lines, code) => {
    const file = await put('mine.yaml', `model: m\n${lines}\n`);
    const { findings } = await failureOf(unchecked(file));
    expect(findings.filter(({ severity }) => severity === 'error').map((finding) => finding.code)).toEqual([code]);
  });
});

describe('listProfiles', () => {
  it('lists each name once, the nearest one, with broken ones too', async () => {
    await put('profiles/tiny.yaml', 'model: mine\ndescription: my own\n');
    await put('profiles/broken.yaml', 'modle: x\n');
    await put('profiles/notes.txt', 'not a profile');
    const found = await listProfiles({ places: places(), cwd });
    const names = found.map(({ name }) => name);
    expect(names).toEqual([...new Set(names)].sort((a, b) => a.localeCompare(b)));
    expect(names).toEqual(expect.arrayContaining(['broken', 'cpu', 'demo', 'tiny']));
    expect(found.find(({ name }) => name === 'tiny')).toEqual({
      name: 'tiny',
      source: join(cwd, 'profiles/tiny.yaml'),
      path: join(cwd, 'profiles/tiny.yaml'),
      description: 'my own',
      model: 'mine',
      shadows: ['shipped:tiny'],
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
