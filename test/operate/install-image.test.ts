import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listShelvedImages } from '../../src/engine/image-shelf.ts';
import { ensureImage } from '../../src/operate/ensure-image.ts';
import { exportImage } from '../../src/operate/export-image.ts';
import { installImage, planImageInstall } from '../../src/operate/install-image.ts';
import { toErrorText, toText } from '../../src/text/render.ts';
import { createMemoryDocker, type MemoryDocker, makeImage, toDockerError, toSha } from '../engine/memory-docker.ts';
import { createTestContext, type TestContext } from './context.ts';

const reference = 'vllm/vllm-openai:v0.32.0';
let home: string;
let context: TestContext;
let docker: MemoryDocker;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'image-'));
  context = createTestContext(home);
  docker = createMemoryDocker();
});
afterEach(() => rm(home, { recursive: true, force: true }));

const told = () => context.said.flatMap((event) => ('text' in event ? [`${event.type} ${toText(event.text)}`] : []));
const refusal = (work: Promise<unknown>) => work.then(() => undefined).catch((error) => error);

describe('engine install image', () => {
  it('fetches the pinned image with progress, and keeps on file what it was', async () => {
    const digest = toSha(0xd);
    const image = makeImage({ digests: [`vllm/vllm-openai@${digest}`], labels: { 'org.opencontainers.image.version': '0.32.0' } });
    docker.registry.set(reference, image);
    const installed = await installImage({ version: '0.32.0' }, context, docker);
    const [shelved] = await listShelvedImages(context.places);
    expect(shelved).toMatchObject({ reference, id: image.id, digest, version: '0.32.0', from: 'registry' });
    expect(installed).toEqual({ kind: 'EngineImages', version: 1, how: 'pulled', images: [shelved] });
    expect(told()).toEqual([
      `step-started Fetching ${reference}`,
      'step-progress Downloading · 1 of 2 layers',
      'step-progress Unpacking · 2 of 2 layers',
      `step-done ${reference} is fetched: vLLM 0.32.0, 10.0 MiB`,
    ]);
    expect(context.said[1]).toMatchObject({ doneBytes: 2 ** 20, totalBytes: 2 ** 21 });
  });

  it('fetches nothing that is here', async () => {
    docker.here.set(reference, makeImage());
    expect(await installImage({ reference: `docker.io/${reference}` }, context, docker)).toMatchObject({ how: 'here' });
    expect(docker.asked).toEqual([]);
    expect(await listShelvedImages(context.places)).toMatchObject([{ reference, from: 'engine' }]);
  });

  it('refuses a tag that was moved until --update takes the new image', async () => {
    docker.registry.set(reference, makeImage({ id: toSha(1) }));
    await installImage({ reference }, context, docker);
    docker.here.set(reference, makeImage({ id: toSha(2) }));
    docker.registry.set(reference, makeImage({ id: toSha(3) }));
    const error = await refusal(installImage({ reference }, context, docker));
    expect(error).toMatchObject({ code: 'engine/image-changed', params: { before: toSha(1), now: toSha(2) }, exitStatus: 8 });
    expect(toErrorText(error).hint).toContain(`engine install image ${reference} --update`);
    expect(await installImage({ reference, update: true }, context, docker)).toMatchObject({ how: 'updated', images: [{ id: toSha(3) }] });
    expect(await installImage({ reference, update: true }, context, docker)).toMatchObject({ how: 'here' });
    expect(await installImage({ reference }, context, docker)).toMatchObject({ how: 'here' });
  });

  it('goes through the mirror that the environment names', async () => {
    const name = 'mirror.example/hub/vllm/vllm-openai:v0.31.0';
    docker.registry.set(name, makeImage());
    const mirrored = { ...context, env: { ...context.env, QWEN_DEPLOY_IMAGE_PREFIX: 'mirror.example/hub' } };
    expect(await installImage({ version: '0.31.0' }, mirrored, docker)).toMatchObject({ images: [{ reference: name }] });
  });

  it('without a registry says how to bring it, and what it has tried', async () => {
    docker.failure = () => toDockerError('docker/registry', { image: reference, registry: 'docker.io', problem: 'i/o timeout' });
    const error = await refusal(installImage({ reference }, context, docker));
    expect(error).toMatchObject({ code: 'engine/image-unreachable', exitStatus: 4 });
    const { message, hint } = toErrorText(error);
    expect(message).toBe(`The image ${reference} cannot be fetched: i/o timeout`);
    expect(hint).toContain(`qwen-deploy engine export ${reference} --out image.tar`);
    expect(hint).toContain('qwen-deploy engine install image --from image.tar');
    expect(context.said.at(-1)).toMatchObject({ type: 'step-failed' });
  });

  it('interrupted, says that the next time goes on', async () => {
    const stop = new AbortController();
    docker.failure = () => {
      stop.abort();
      return new Error('socket hang up');
    };
    const error = await refusal(installImage({ reference }, { ...context, signal: stop.signal }, docker));
    expect(error).toMatchObject({ code: 'engine/image-interrupted', cause: { message: 'socket hang up' } });
    expect(await listShelvedImages(context.places)).toEqual([]);
  });

  it.each([
    ['another architecture', { reference }, { architecture: 's390x' }, 'engine/image-architecture'],
    ['another version', { reference, version: '0.31.0' }, {}, 'engine/image-version'],
  ])('does not count an image of %s as installed', async (_, request, parts, code) => {
    docker.registry.set(reference, makeImage(parts));
    expect(await refusal(installImage(request, context, docker))).toMatchObject({ code });
    expect(await listShelvedImages(context.places)).toEqual([]);
  });

  it.each([
    [{ reference: 'No Name' }, 'engine/image-bad-name'],
    [{ version: 'latest' }, 'usage/bad-version'],
  ])('%j: %s', async (request, code) => {
    expect(await refusal(installImage(request, context, docker))).toMatchObject({ code, exitStatus: 2 });
    expect(docker.asked).toEqual([]);
  });

  it('warns of a tag that moves', async () => {
    docker.registry.set('vllm/vllm-openai:latest', makeImage());
    await installImage({ reference: 'vllm/vllm-openai' }, context, docker);
    expect(context.words()).toEqual(['engine.image-moving']);
  });

  it('as a plan asks nobody', () => {
    expect(planImageInstall({}, context).line).toMatch(/^docker pull vllm\/vllm-openai:v\d+\.\d+\.\d+$/);
    expect(planImageInstall({ from: 'my image.tar' }, context).line).toBe(`docker load --input '${join(home, 'my image.tar')}'`);
  });
});

describe('engine install image --from', () => {
  const file = () => join(home, 'image.tar');

  it('takes all that the archive holds', async () => {
    docker.archives.set(
      file(),
      new Map([
        [reference, makeImage()],
        ['mine:dev', makeImage()],
      ]),
    );
    const installed = await installImage({ from: 'image.tar' }, context, docker);
    expect(installed).toMatchObject({ how: 'loaded', images: [{ reference, from: 'archive' }, { reference: 'mine:dev' }] });
    expect(await listShelvedImages(context.places)).toHaveLength(2);
  });

  it('takes the one that was asked for, and gives a name to one that has none', async () => {
    docker.archives.set(
      file(),
      new Map([
        [reference, makeImage()],
        ['mine:dev', makeImage()],
      ]),
    );
    expect(await installImage({ from: file(), reference }, context, docker)).toMatchObject({ images: [{ reference }] });
    docker.archives.set(file(), new Map([[toSha(7), makeImage({ id: toSha(7) })]]));
    const named = await installImage({ from: file(), reference: 'mine:new' }, context, docker);
    expect(named).toMatchObject({ images: [{ reference: 'mine:new', id: toSha(7) }] });
  });

  it('says what it holds instead', async () => {
    docker.archives.set(file(), new Map([['mine:dev', makeImage()]]));
    const error = await refusal(installImage({ from: file(), reference }, context, docker));
    expect(toErrorText(error).message).toBe(`${file()} does not hold ${reference}. It holds: mine:dev.`);
    expect(await refusal(installImage({ from: 'other.tar' }, context, docker))).toMatchObject({ code: 'docker/bad-archive' });
  });
});

describe('engine export', () => {
  it('fetches what is not here, and writes it', async () => {
    docker.registry.set(reference, makeImage({ id: toSha(1), sizeBytes: 7 }));
    const exported = await exportImage({ version: '0.32.0', out: 'image.tar' }, context, docker);
    const file = join(home, 'image.tar');
    expect(exported).toEqual({ kind: 'ExportedImage', version: 1, reference, id: toSha(1), engineVersion: '0.32.0', file, sizeBytes: 7 });
    expect(docker.asked).toEqual([`pull ${reference}`, `save ${reference}`]);
  });

  it('writes nothing where there is no room or no directory', async () => {
    docker.here.set(reference, makeImage({ sizeBytes: 2 ** 60 }));
    const full = await refusal(exportImage({ reference, out: 'image.tar' }, context, docker));
    expect(toErrorText(full).message).toMatch(/image\.tar cannot be written: .* TiB are needed there, .* are free\.$/);
    const nowhere = await refusal(exportImage({ reference, out: 'none/image.tar' }, context, docker));
    expect(nowhere).toMatchObject({ code: 'host/not-written', params: { problem: 'ENOENT' } });
    expect(docker.asked).toEqual([]);
  });

  it('says that an archive keeps no digests', async () => {
    const pinned = `a/b@${toSha(5)}`;
    docker.here.set(pinned, makeImage({ digests: [pinned] }));
    await exportImage({ reference: pinned, out: 'image.tar' }, context, docker);
    expect(context.words()).toEqual(['engine.image-nameless']);
  });
});

describe('the image that a start needs', () => {
  const options = () => ({ places: context.places, allowPull: false });

  it('is there at once, or is refused, or is fetched', async () => {
    expect(await refusal(ensureImage(docker, reference, options()))).toMatchObject({ code: 'engine/image-absent' });
    docker.registry.set(reference, makeImage());
    expect(await ensureImage(docker, reference, { ...options(), allowPull: true })).toMatchObject({ pulled: true, findings: [] });
    expect(await ensureImage(docker, reference, options())).toMatchObject({ pulled: false, findings: [], image: { version: '0.32.0' } });
    expect(docker.asked).toEqual([`pull ${reference}`]);
  });

  it('is told to be another one than was brought', async () => {
    docker.registry.set(reference, makeImage());
    await ensureImage(docker, reference, { ...options(), allowPull: true });
    docker.here.set(reference, makeImage({ id: toSha(2) }));
    expect(await ensureImage(docker, reference, options())).toMatchObject({
      findings: [{ code: 'engine/image-changed', evidence: toSha(2) }],
    });
  });

  it('is refused before anything starts when it cannot run here', async () => {
    docker.here.set(reference, makeImage({ architecture: 's390x' }));
    expect(await refusal(ensureImage(docker, reference, options()))).toMatchObject({ code: 'engine/image-architecture' });
    docker.here.set(reference, makeImage());
    const version = { ...options(), version: '0.31.0' };
    expect(await refusal(ensureImage(docker, reference, version))).toMatchObject({ code: 'engine/image-version' });
  });
});
