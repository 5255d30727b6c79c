import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readEngineList } from '../../src/operate/engine-list.ts';
import { installImage } from '../../src/operate/install-image.ts';
import { removeInstalled } from '../../src/operate/remove-image.ts';
import { toErrorText, toText } from '../../src/text/render.ts';
import { renderEngines, renderRemoved } from '../../src/views/engines.ts';
import { createMemoryDocker, type MemoryDocker, makeContainer, makeImage, toDockerError, toSha } from '../engine/memory-docker.ts';
import { createScreen } from '../views/samples.ts';
import { createTestContext, type TestContext } from './context.ts';

const reference = 'vllm/vllm-openai:v0.32.0';
const { palette } = createScreen('plain').screen;
let home: string;
let context: TestContext;
let docker: MemoryDocker;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'image-'));
  context = createTestContext(home);
  docker = createMemoryDocker();
  docker.registry.set(reference, makeImage({ id: toSha(0xabc) }));
  await installImage({ reference }, context, docker);
});
afterEach(() => rm(home, { recursive: true, force: true }));

const refusal = (work: Promise<unknown>) => work.then(() => undefined).catch((error) => error);

it('lists images, and what Docker has under their names now', async () => {
  const list = await readEngineList(context, docker);
  expect(list).toMatchObject({ kind: 'EngineList', engines: [], images: [{ reference, docker: 'here' }] });
  const today = new Date().toISOString().slice(0, 10);
  expect(renderEngines(list, palette)).toBe(
    [
      'IMAGE                     VERSION  SIZE      BROUGHT     DOCKER',
      `vllm/vllm-openai:v0.32.0  0.32.0   10.0 MiB  ${today}  here`,
      '',
    ].join('\n'),
  );
  docker.here.set(reference, makeImage());
  expect((await readEngineList(context, docker)).images).toMatchObject([{ docker: 'changed' }]);
  docker.here.clear();
  expect((await readEngineList(context, docker)).images).toMatchObject([{ docker: 'gone' }]);
});

it('lists images also when Docker does not answer, and says so', async () => {
  const silent = { ...docker.images, inspect: () => Promise.reject(toDockerError('docker/silent', { address: '/s', waited: '10 s' })) };
  expect((await readEngineList(context, { ...docker, images: silent })).images).toMatchObject([{ docker: 'unknown' }]);
  const last = context.said.at(-1);
  expect(last?.type === 'said' && toText(last.text)).toMatch(/^Which images Docker still has cannot be seen: .*did not answer within 10 s/);
});

it.each([reference, `docker.io/${reference}`, toSha(0xabc), '0'.repeat(60)])('removes an image by %s', async (id) => {
  const removed = await removeInstalled({ id }, context, docker);
  expect(removed).toEqual({ kind: 'RemovedImage', version: 1, reference, id: toSha(0xabc), wasThere: true });
  expect(renderRemoved(removed)).toBe(`${reference} is removed.\n`);
  expect(docker.here.size).toBe(0);
  expect((await readEngineList(context, docker)).images).toEqual([]);
});

it('forgets an image that Docker has lost', async () => {
  docker.here.clear();
  const removed = await removeInstalled({ id: reference }, context, docker);
  expect(renderRemoved(removed)).toContain('gone from Docker already');
  expect((await readEngineList(context, docker)).images).toEqual([]);
});

it('keeps an image that a container of ours is made of', async () => {
  docker.containers.push(makeContainer({ imageId: toSha(0xabc), labels: { 'qwen-deploy.instance': 'tiny' } }));
  const error = await refusal(removeInstalled({ id: reference }, context, docker));
  expect(toErrorText(error)).toEqual({ message: `The image ${reference} is used by tiny.`, hint: 'qwen-deploy down tiny first.' });
  expect(docker.here.size).toBe(1);
  expect((await readEngineList(context, docker)).images).toHaveLength(1);
});

it('does not mind containers of other images', async () => {
  docker.containers.push(makeContainer({ imageId: toSha(1), labels: { 'qwen-deploy.instance': 'tiny' } }));
  await expect(removeInstalled({ id: reference }, context, docker)).resolves.toMatchObject({ wasThere: true });
});

it('keeps an image on its list that Docker does not give up', async () => {
  const images = { ...docker.images, remove: () => Promise.reject(toDockerError('docker/failed', { address: '/s', problem: 'in use' })) };
  await expect(removeInstalled({ id: reference }, context, { ...docker, images })).rejects.toThrow('docker/failed');
  expect((await readEngineList(context, docker)).images).toHaveLength(1);
});

it('never removes what it did not bring, and offers the nearest', async () => {
  docker.here.set('somebody/elses:v1', makeImage());
  expect(await refusal(removeInstalled({ id: 'somebody/elses:v1' }, context, docker))).toMatchObject({ code: 'engine/unknown' });
  const error = await refusal(removeInstalled({ id: 'vllm/vllm-openai:v0.32.1' }, context, docker));
  expect(toErrorText(error).message).toContain(`Did you mean ${reference}?`);
  expect(docker.here.size).toBe(2);
});
