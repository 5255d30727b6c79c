import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { waitFor } from '../../src/core/clock.ts';
import { DeployError } from '../../src/core/error.ts';
import { type Places, toPlaces } from '../../src/host/environment.ts';
import { createRecall, recallProfile } from '../../src/profile/recall.ts';

let root: string;
let places: Places;

beforeAll(() => vi.stubGlobal('__build', 'a build'));
afterAll(() => vi.unstubAllGlobals());
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'qd-recall-'));
  places = toPlaces({ QWEN_DEPLOY_HOME: join(root, 'home') });
  await mkdir(join(root, 'profiles'));
  await write('parent', 'description: from the parent');
  await write('child', 'extends: parent\nmodel: Qwen/Qwen3-0.6B');
  // What changed just now is not kept.
  await waitFor(200);
});
afterEach(() => rm(root, { recursive: true, force: true }));

const write = (name: string, text: string) => writeFile(join(root, 'profiles', `${name}.yaml`), `${text}\n`);
const load = (ref = 'child', sets: readonly string[] = []) => recallProfile(ref, { places, cwd: root, sets });
const describeChild = async () => (await load()).profile.description;

const folder = () => join(places.cache, 'profiles');
const keptFile = async () => {
  const [name = ''] = await readdir(folder());
  return join(folder(), name);
};
/** Makes what is kept differ from what is true, so that it shows which of them was used. */
const tamper = async () => {
  const file = await keptFile();
  await writeFile(file, (await readFile(file, 'utf8')).replace('from the parent', 'from memory'));
};

describe('recallProfile', () => {
  it('uses what it has kept as long as nothing changed', async () => {
    const read = await load();
    expect(await load()).toEqual(read);
    await tamper();
    expect(await describeChild()).toBe('from memory');
  });

  it.each([
    ['the file itself', () => write('child', 'extends: parent\nmodel: Qwen/Qwen3-0.6B\nthinking: on')],
    ['a parent', () => write('parent', 'description: another')],
    ['a parent that is gone', () => rm(join(root, 'profiles/parent.yaml'))],
    ['a nearer parent of that name', () => mkdir(join(root, 'profiles/parent.yml')).then(() => write('parent', 'description: x'))],
  ])('reads again what changed: %s', async (_, change) => {
    await load();
    await tamper();
    await change();
    const seen = await describeChild().catch((error: unknown) => (error instanceof DeployError ? error.code : String(error)));
    expect(seen).not.toBe('from memory');
  });

  it('a file of a nearer place that takes the name is seen', async () => {
    await mkdir(join(places.config, 'profiles'), { recursive: true });
    await writeFile(join(places.config, 'profiles/own.yaml'), 'model: a/b\n');
    await waitFor(200);
    expect((await load('own')).profile.model.id).toBe('a/b');
    await write('own', 'model: c/d');
    expect((await load('own')).profile.model.id).toBe('c/d');
  });

  it('other settings are another question', async () => {
    await load();
    await tamper();
    expect((await load('child', ['description=set'])).profile.description).toBe('set');
  });

  it.each([
    ['cut', async (file: string) => writeFile(file, (await readFile(file, 'utf8')).slice(0, 50))],
    ['of another build', async (file: string) => writeFile(file, (await readFile(file, 'utf8')).replace('a build', 'another'))],
    ['writable for others', (file: string) => chmod(file, 0o666)],
  ])('takes no notice of what is %s', async (_, spoil) => {
    await load();
    await tamper();
    await spoil(await keptFile());
    expect(await describeChild()).toBe('from the parent');
  });

  it('keeps nothing of files that changed just now', async () => {
    await write('child', 'extends: parent\nmodel: Qwen/Qwen3-0.6B');
    await load();
    await expect(readdir(folder())).rejects.toThrow('ENOENT');
  });

  it('a cache that cannot be written to changes nothing', async () => {
    await mkdir(join(root, 'home'), { recursive: true });
    await writeFile(join(root, 'home/cache'), '');
    expect(await describeChild()).toBe('from the parent');
  });
});

it('findings of a broken profile are kept too, and thrown again', async () => {
  await write('broken', 'model: a\nvllm: {max-num-seps: 4}');
  await waitFor(200);
  const recall = () => createRecall({ places, cwd: root, sets: [] })('broken');
  const first = await recall();
  expect(first.findings).toMatchObject([{ code: 'profile/unknown-flag', line: 2 }]);
  expect(await recall()).toEqual(first);
  await expect(load('broken')).rejects.toThrow(DeployError);
});
