import { describe, expect, it } from 'vitest';
import { observeImage, toImageVersion, toMachineNeeds, toUnfit } from '../../src/engine/image.ts';
import { isImageId, parseImageName, toDockerArchitecture, toImageReference, toImageSettings } from '../../src/engine/image-reference.ts';
import { toErrorText } from '../../src/text/render.ts';
import { createMemoryDocker, makeImage, toSha } from './memory-docker.ts';

const digest = toSha(0xabc);
const common = (version: string) => ({ 'org.opencontainers.image.version': version });

describe('the image of a version', () => {
  it.each([
    ['0.32.0', 'gpu', {}, 'vllm/vllm-openai:v0.32.0'],
    ['0.32.0', 'gpu', { architecture: 'arm64' }, 'vllm/vllm-openai:v0.32.0'],
    ['0.32.0', 'cpu', { architecture: 'amd64' }, 'vllm/vllm-openai-cpu:v0.32.0-x86_64'],
    ['0.32.0', 'cpu', { architecture: 'arm64' }, 'vllm/vllm-openai-cpu:v0.32.0-arm64'],
    ['0.31.0', 'gpu', { prefix: 'mirror.example/dockerhub' }, 'mirror.example/dockerhub/vllm/vllm-openai:v0.31.0'],
    ['0.31.0', 'gpu', { prefix: 'mirror.example:5000/' }, 'mirror.example:5000/vllm/vllm-openai:v0.31.0'],
    ['0.32.0', 'cpu', { image: 'mine:dev', prefix: 'mirror.example' }, 'mine:dev'],
  ] as const)('%s %s %j', (version, variant, settings, reference) => {
    expect(toImageReference(version, variant, settings)).toBe(reference);
  });

  it('takes a mirror from the environment', () => {
    expect(toImageSettings({ QWEN_DEPLOY_IMAGE_PREFIX: ' mirror.example ' })).toEqual({ prefix: 'mirror.example' });
    expect(toImageSettings({ QWEN_DEPLOY_IMAGE_PREFIX: '' }, 'mine:dev')).toEqual({ image: 'mine:dev' });
  });

  it('knows the words of Docker for architectures', () => {
    expect(['x64', 'arm64'].map(toDockerArchitecture)).toEqual(['amd64', 'arm64']);
  });
});

describe('a name of an image', () => {
  it.each([
    ['vllm/vllm-openai:v0.32.0', 'vllm/vllm-openai:v0.32.0'],
    ['docker.io/vllm/vllm-openai:v0.32.0', 'vllm/vllm-openai:v0.32.0'],
    ['docker.io/library/mine', 'mine:latest'],
    ['localhost:5000/a/b', 'localhost:5000/a/b:latest'],
    ['[::1]:5000/a:x', '[::1]:5000/a:x'],
    [`a/b@${digest}`, `a/b@${digest}`],
    [`a/b:v1@${digest}`, `a/b:v1@${digest}`],
  ])('%s', (written, text) => {
    expect(parseImageName(written)?.text).toBe(text);
  });

  it.each(['', ':v1', 'a:', 'a b', 'A', '-a', 'a/', 'a//:x', 'a@sha256:12', `a@${digest}@${digest}`, '../x', 'a:b:c', 'x'.repeat(401)])(
    '"%s" is none',
    (written) => {
      expect(parseImageName(written)).toBeUndefined();
    },
  );

  it('tells ids apart', () => {
    expect([digest, 'abcdef012345', 'abcdef', 'vllm/vllm-openai:v1'].map(isImageId)).toEqual([true, true, false, false]);
  });
});

describe('the vLLM in an image', () => {
  it.each([
    [
      'the label of its tag',
      { labels: { 'ai.vllm.image.tag': 'vllm/vllm-openai:v0.31.1-cu129' } },
      'x:y',
      { version: '0.31.1', from: 'label' },
    ],
    ['its variable', { env: ['PATH=/bin', 'VLLM_IMAGE_TAG=v0.33.0rc1'] }, 'x:y', { version: '0.33.0rc1', from: 'variable' }],
    ['the common label', { labels: common('0.32.0') }, `vllm/vllm-openai@${digest}`, { version: '0.32.0', from: 'label' }],
    [
      'the common label, marked',
      { labels: { ...common('0.32.0'), 'ai.vllm.build.commit': 'c' } },
      'x:y',
      { version: '0.32.0', from: 'label' },
    ],
    [
      'vLLM’s label, on top of which somebody has built',
      { labels: { ...common('1.4.2'), 'ai.vllm.image.tag': 'v0.32.0' } },
      'x:y',
      { version: '0.32.0', from: 'label' },
    ],
    ['its tag', {}, 'vllm/vllm-openai-cpu:v0.32.0-x86_64', { version: '0.32.0', from: 'tag' }],
    ['its tag in a mirror', {}, 'mirror.example/hub/vllm/vllm-openai:v0.32.0', { version: '0.32.0', from: 'tag' }],
    ['its tag, not the label of Ubuntu', { labels: common('22.04') }, 'vllm/vllm-openai:v0.30.0', { version: '0.30.0', from: 'tag' }],
    ['another of its names', { names: ['vllm/vllm-openai:v0.30.0'] }, toSha(1), { version: '0.30.0', from: 'tag' }],
    ['nothing: somebody numbers images of their own', { labels: common('1.4.2') }, 'mine/chat:1.4.2', undefined],
    ['nothing: the tag is a month', {}, 'nvcr.example/nvidia/vllm:26.08-py3', undefined],
    ['nothing', {}, 'vllm/vllm-openai:nightly', undefined],
  ] as const)('by %s', (_, parts, reference, told) => {
    expect(toImageVersion(makeImage(parts), reference)).toEqual(told);
  });
});

describe('an image that Docker has', () => {
  it('is seen without starting it', async () => {
    const docker = createMemoryDocker();
    const image = makeImage({ digests: [`other@${toSha(1)}`, `docker.io/vllm/vllm-openai@${digest}`], user: '2000:0' });
    docker.here.set('vllm/vllm-openai:v0.32.0', image);
    expect(await observeImage(docker, 'vllm/vllm-openai:v0.32.0')).toEqual({
      present: true,
      reference: 'vllm/vllm-openai:v0.32.0',
      id: image.id,
      digest,
      version: '0.32.0',
      versionFrom: 'tag',
      sizeBytes: image.sizeBytes,
      architecture: image.architecture,
      user: '2000:0',
    });
    expect(await observeImage(docker, 'mine:dev')).toEqual({ present: false, reference: 'mine:dev' });
  });

  it.each([
    ['of another architecture', 'a:v1', { architecture: 's390x' }, {}, 'engine/image-architecture'],
    ['of another digest', `a@${digest}`, { digests: [`a@${toSha(2)}`] }, {}, 'engine/image-digest'],
    ['of another version', 'vllm/vllm-openai:v0.31.0', {}, { version: '0.32.0' }, 'engine/image-version'],
    ['of that version', 'vllm/vllm-openai:v0.32.0', {}, { version: '0.32.0' }, undefined],
    ['of no known version', 'mine/chat:1.4.2', {}, { version: '0.32.0' }, undefined],
    ['by one of its digests', `a@${digest}`, { digests: [`a@${toSha(2)}`, `a@${digest}`] }, {}, undefined],
  ] as const)('%s', async (_, reference, parts, needs, code) => {
    const docker = createMemoryDocker();
    docker.here.set(reference, makeImage(parts));
    const image = await observeImage(docker, reference);
    if (!image.present) throw new Error('it is there');
    expect(toUnfit(image, { ...toMachineNeeds(docker), ...needs })?.code).toBe(code);
  });

  it('says which architecture it is and which is wanted', async () => {
    const docker = createMemoryDocker();
    docker.here.set('a:v1', makeImage({ architecture: 's390x' }));
    const image = await observeImage(docker, 'a:v1');
    const error = image.present && toUnfit(image, { architecture: 'amd64' });
    expect(error && toErrorText(error).message).toBe('The image a:v1 is built for s390x; this machine is amd64.');
    // Of an engine elsewhere nobody knows it here.
    expect(image.present && toUnfit(image, toMachineNeeds({ isLocal: false }))).toBeUndefined();
  });
});
