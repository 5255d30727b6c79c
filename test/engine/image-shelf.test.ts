import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { observeImage, type PresentImage } from '../../src/engine/image.ts';
import {
  listShelvedImages,
  readShelvedImage,
  removeShelvedImage,
  toChangeFinding,
  toImageChange,
  toShelfDirectory,
  writeShelvedImage,
} from '../../src/engine/image-shelf.ts';
import { toText } from '../../src/text/render.ts';
import { createMemoryDocker, makeImage, toSha } from './memory-docker.ts';

const reference = 'vllm/vllm-openai:v0.32.0';
const brought = { from: 'registry', at: '2026-01-02T03:04:05.678Z' } as const;
let places: { readonly data: string };
beforeEach(async () => {
  places = { data: join(await mkdtemp(join(tmpdir(), 'shelf-')), 'data') };
});
afterEach(() => rm(join(places.data, '..'), { recursive: true, force: true }));

it('remembers what was brought, however its name is written', async () => {
  const image = await see(reference, { id: toSha(1), digests: [`vllm/vllm-openai@${toSha(9)}`] });
  const shelved = await writeShelvedImage(places, image, brought);
  const { architecture, sizeBytes } = image;
  expect(shelved).toEqual({ reference, id: toSha(1), digest: toSha(9), version: '0.32.0', architecture, sizeBytes, ...brought });
  expect(await readShelvedImage(places, `docker.io/${reference}`)).toEqual(shelved);
  expect(await readShelvedImage(places, 'vllm/vllm-openai:v0.31.0')).toBeUndefined();
  expect(await listShelvedImages(places)).toEqual([shelved]);
  await removeShelvedImage(places, reference);
  expect(await listShelvedImages(places)).toEqual([]);
});

it('keeps names apart that differ in signs alone, and takes the longest', async () => {
  const long = `${'a/'.repeat(120)}b:${'v'.repeat(128)}`;
  for (const name of ['a/b:v1', 'a_b:v1', long]) await writeShelvedImage(places, await see(name), brought);
  expect((await listShelvedImages(places)).map((one) => one.reference)).toEqual(expect.arrayContaining(['a/b:v1', 'a_b:v1', long]));
});

it('knows nothing of a file that is cut short or not its own', async () => {
  await writeShelvedImage(places, await see(reference), brought);
  const [name = ''] = await readdir(toShelfDirectory(places));
  for (const content of ['{"schema": 1, "refer', 'null', '[]', '{"reference": 7}', '']) {
    await writeFile(join(toShelfDirectory(places), name), content);
    expect(await readShelvedImage(places, reference)).toBeUndefined();
    expect(await listShelvedImages(places)).toEqual([]);
  }
});

it('is empty before anything was brought', async () => {
  expect(await listShelvedImages(places)).toEqual([]);
  expect(await readShelvedImage(places, reference)).toBeUndefined();
});

it('notices a tag that was moved, and says both', async () => {
  const shelved = await writeShelvedImage(places, await see(reference, { id: toSha(1) }), brought);
  expect(toImageChange(await see(reference, { id: toSha(1) }), shelved)).toBeUndefined();
  const change = toImageChange(await see(reference, { id: toSha(2) }), shelved);
  expect(change).toEqual({ reference, before: toSha(1), now: toSha(2) });
  const finding = change && toChangeFinding(change);
  expect(finding).toMatchObject({ code: 'engine/image-changed', severity: 'warning', path: 'engine.image', evidence: toSha(2) });
  expect(finding && toText(finding.message)).toContain(`${toSha(2)} instead of ${toSha(1)}`);
  expect(finding?.hint && toText(finding.hint)).toContain(`engine install image ${reference} --update`);
});

it('takes the same digest for the same image, though another store counts ids in another way', async () => {
  const digests = [`vllm/vllm-openai@${toSha(9)}`];
  const shelved = await writeShelvedImage(places, await see(reference, { id: toSha(1), digests }), brought);
  expect(toImageChange(await see(reference, { id: toSha(9), digests }), shelved)).toBeUndefined();
  expect(toImageChange(await see(reference, { id: toSha(9) }), shelved)).toBeDefined();
});

async function see(name: string, parts: Parameters<typeof makeImage>[0] = {}): Promise<PresentImage> {
  const docker = createMemoryDocker();
  docker.here.set(name, makeImage(parts));
  const image = await observeImage(docker, name);
  if (!image.present) throw new Error('it is there');
  return image;
}
