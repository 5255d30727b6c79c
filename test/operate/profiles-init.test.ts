import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { checkProfiles } from '../../src/operate/profiles-check.ts';
import { type InitAsked, initProfile, readParent } from '../../src/operate/profiles-init.ts';
import { createTestContext } from './context.ts';

let home = '';
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'init-'));
});
afterEach(() => rm(home, { recursive: true, force: true }));

const plain: InitAsked = { name: 'mine', from: 'base/gpu', settings: { model: 'Qwen/Qwen3-4B' }, yes: false };
const init = (asked: Partial<InitAsked>, context = createTestContext(home)) => initProfile({ ...plain, ...asked }, context);

async function findingsOf(ref: string) {
  const { files } = await checkProfiles({ refs: [ref], sets: [] }, createTestContext(home));
  return files.flatMap(({ findings }) => findings);
}

describe('initProfile', () => {
  it('writes a profile that passes its check, with a schema beside it', async () => {
    const { file, schema, ref } = await init({});
    expect([file, schema, ref]).toEqual([join(home, 'profiles/mine.yaml'), join(home, 'profiles/profile.schema.json'), 'mine']);
    expect(await findingsOf('mine')).toEqual([]);
    const text = await readFile(file, 'utf8');
    expect(text).toMatch(/^# yaml-language-server: \$schema=\.\/profile\.schema\.json\n/);
    expect(text).toContain('qwen-deploy profiles check mine');
    expect(text).not.toMatch(/[{}]/);
    expect(parse(text)).toEqual({ extends: 'base/gpu', description: 'Serves Qwen/Qwen3-4B', model: 'Qwen/Qwen3-4B' });
    expect(JSON.parse(await readFile(schema, 'utf8'))).toMatchObject({ title: expect.stringContaining('0.32.0') });
  });

  it('writes down what was asked for, and leaves the rest as comments', async () => {
    const settings = {
      model: 'Qwen/Qwen3-8B',
      quantization: 'fp8_per_tensor',
      'vllm.max-model-len': '16K',
      'resources.gpus': '[0, 1]',
      'server.port': '8001',
    };
    const { file } = await init({ settings });
    expect(parse(await readFile(file, 'utf8'))).toEqual({
      extends: 'base/gpu',
      description: 'Serves Qwen/Qwen3-8B',
      model: 'Qwen/Qwen3-8B',
      quantization: 'fp8_per_tensor',
      vllm: { 'max-model-len': '16K' },
      resources: { gpus: [0, 1] },
      server: { port: 8001 },
    });
  });

  it('every line that it leaves as a comment is a sound setting', async () => {
    const { file } = await init({});
    const text = (await readFile(file, 'utf8')).replace(/^#((?: {2})*[a-z][a-z-]*:)/gm, '$1');
    await writeFile(file, text);
    expect((await findingsOf('mine')).filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(Object.keys(parse(text))).toEqual(expect.arrayContaining(['served-names', 'thinking', 'vllm', 'server']));
  });

  it('takes paths from where the command runs', async () => {
    await writeFile(join(home, 'parent.yaml'), 'extends: base/gpu\n');
    const { file } = await init({ from: 'parent.yaml', settings: { model: './weights' } });
    expect(parse(await readFile(file, 'utf8'))).toMatchObject({ extends: '../parent.yaml', model: '../weights' });
    expect(await findingsOf('mine')).toEqual([]);
    const beside = await init({ name: 'beside', file: './beside.yaml', from: './parent.yaml', settings: { model: './weights' } });
    expect(parse(await readFile(beside.file, 'utf8'))).toMatchObject({ extends: './parent.yaml', model: './weights' });
    expect(beside).toMatchObject({ ref: './beside.yaml', schema: join(home, 'profile.schema.json') });
  });

  it('refuses what no profile may have, and writes nothing', async () => {
    await expect(init({ settings: { ...plain.settings, 'server.port': 'many' } })).rejects.toMatchObject({
      code: 'profile/invalid',
      findings: [{ path: 'server.port' }],
    });
    await expect(readFile(join(home, 'profiles/mine.yaml'))).rejects.toThrow('ENOENT');
  });

  it('never writes over a profile without being told to', async () => {
    const { file } = await init({});
    await writeFile(file, 'model: dear-to-me\n');
    const questions: unknown[] = [];
    const declining = createTestContext(home, { confirm: async (question, option) => questions.push([question.id, option]) < 0 });
    await expect(init({}, declining)).rejects.toMatchObject({ code: 'confirm/declined' });
    expect(questions).toEqual([['profiles.init.overwrite', '--yes']]);
    expect(await readFile(file, 'utf8')).toBe('model: dear-to-me\n');
    await init({ yes: true });
    expect(await readFile(file, 'utf8')).toContain('Qwen3-4B');
  });

  it('says when a shipped profile cannot be named any more, and leaves a schema that is not ours', async () => {
    const context = createTestContext(home);
    const { schema } = await init({ name: 'tiny', from: 'tiny', settings: {} }, context);
    const said = (await findingsOf('tiny')).map(({ code, message }) => [code, message.id]);
    expect(said).toEqual([['profile/shadows', ...context.words()]]);
    await writeFile(schema, '{"title": "of somebody else"}');
    await init({});
    expect(await readFile(schema, 'utf8')).toBe('{"title": "of somebody else"}');
  });

  it('says where nothing can be written', async () => {
    await writeFile(join(home, 'profiles'), 'a file');
    await expect(init({})).rejects.toMatchObject({ code: 'host/not-written', exitStatus: 4 });
  });
});

describe('readParent', () => {
  it('knows what a parent already says', async () => {
    const context = createTestContext(home);
    expect(await readParent('int4', context)).toMatchObject({ model: 'Qwen/Qwen3-4B-AWQ', profile: { server: { port: 8000 } } });
    expect(await readParent('base/gpu', context)).not.toHaveProperty('model');
    await expect(readParent('nowhere', context)).rejects.toMatchObject({ code: 'profile/unknown' });
  });
});
