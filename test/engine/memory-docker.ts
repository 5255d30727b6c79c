/** A Docker engine in memory, with a registry that it pulls from. */
import { writeFile } from 'node:fs/promises';
import type { ErrorCode } from '../../src/core/error.ts';
import { DeployError } from '../../src/core/error.ts';
import type { Params } from '../../src/core/message.ts';
import { toDockerArchitecture } from '../../src/engine/image-reference.ts';
import type { Container, Docker, DockerImages, Image } from '../../src/host/docker/docker.ts';

export interface MemoryDocker extends Docker {
  /** Reference → image: what Docker has, and what the registry gives. */
  readonly here: Map<string, Image>;
  readonly registry: Map<string, Image>;
  /** Archives by path: name (or id) → image. */
  readonly archives: Map<string, ReadonlyMap<string, Image>>;
  readonly containers: Container[];
  /** What it was asked, in order: `pull vllm/vllm-openai:v0.32.0`. */
  readonly asked: string[];
  /** Happens at the next transfer, in place of it. */
  failure: (() => unknown) | undefined;
}

export function createMemoryDocker(): MemoryDocker {
  const state = {
    here: new Map<string, Image>(),
    registry: new Map<string, Image>(),
    archives: new Map<string, ReadonlyMap<string, Image>>(),
  };
  const [containers, asked]: [Container[], string[]] = [[], []];
  const docker: MemoryDocker = {
    ...state,
    containers,
    asked,
    failure: undefined,
    address: '/run/docker.sock',
    apiVersion: '1.41',
    isLocal: true,
    hidesStops: false,
    images: toImages(() => docker),
    create: () => refuse('create'),
    start: () => refuse('start'),
    signal: () => refuse('signal'),
    unpause: () => refuse('unpause'),
    remove: () => refuse('remove'),
    exec: () => refuse('exec'),
    forbidRestart: () => refuse('forbidRestart'),
    events: () => unused(),
    logs: () => unused(),
    inspect: async (id) => containers.find((container) => container.id === id),
    list: async (labels) =>
      containers
        .filter((container) => labels.every((label) => label in container.labels))
        .map(({ id, name, state: life, labels: own }) => ({ id, names: [name], state: life, image: 'as it was called', labels: own })),
  };
  return docker;
}

function toImages(of: () => MemoryDocker): DockerImages {
  const transfer = (what: string) => {
    const docker = of();
    docker.asked.push(what);
    const { failure } = docker;
    docker.failure = undefined;
    if (failure) throw failure();
  };
  const find = (reference: string) =>
    of().here.get(reference) ?? [...of().here.values()].find(({ id, digests }) => id === reference || digests.includes(reference));
  return {
    inspect: async (reference) => find(reference),
    list: async () => [...of().here.values()],
    async pull(reference, { onProgress }) {
      transfer(`pull ${reference}`);
      const image = of().registry.get(reference);
      if (image === undefined) throw toDockerError('docker/image-not-found', { image: reference, problem: 'manifest unknown' });
      onProgress?.({ phase: 'downloading', layersDone: 1, layers: 2, doneBytes: 2 ** 20, totalBytes: 2 ** 21 });
      onProgress?.({ phase: 'downloading', layersDone: 1, layers: 2, doneBytes: 2 ** 20, totalBytes: 2 ** 21 });
      onProgress?.({ phase: 'unpacking', layersDone: 2, layers: 2, doneBytes: 0 });
      of().here.set(reference, image);
    },
    async load(path) {
      transfer(`load ${path}`);
      const held = of().archives.get(path);
      if (held === undefined) throw toDockerError('docker/bad-archive', { path, problem: 'unexpected EOF' });
      for (const [name, image] of held) of().here.set(name, image);
      return [...held.keys()];
    },
    async save(reference, path) {
      transfer(`save ${reference}`);
      await writeFile(path, 'archive');
    },
    async tag(reference, as) {
      const image = find(reference);
      if (image) of().here.set(as, image);
    },
    async remove(reference) {
      of().asked.push(`remove ${reference}`);
      return of().here.delete(reference);
    },
  };
}

/** As Docker's door throws them. */
export function toDockerError(code: ErrorCode, params: Params): DeployError {
  return DeployError.revive({ code, params });
}

let counted = 0;

/** Another one each time: `sha256:` and its number. */
export function makeImage(parts: Partial<Image> = {}): Image {
  counted += 1;
  return {
    id: toSha(counted),
    names: [],
    digests: [],
    architecture: toDockerArchitecture(process.arch),
    sizeBytes: 10 * 2 ** 20,
    labels: {},
    env: [],
    entrypoint: ['vllm', 'serve'],
    command: [],
    user: '',
    ...parts,
  };
}

export function toSha(number: number): string {
  return `sha256:${number.toString(16).padStart(64, '0')}`;
}

export function makeContainer(parts: Pick<Container, 'imageId' | 'labels'>): Container {
  return {
    id: 'c'.repeat(64),
    name: 'qwen-deploy-tiny',
    state: 'exited',
    pid: 0,
    oomKilled: false,
    error: '',
    restartPolicy: 'no',
    hostConfig: {},
    config: {},
    mounts: [],
    ...parts,
  };
}

function refuse(what: string): Promise<never> {
  return Promise.reject(new Error(`${what} is not of these tests`));
}

function unused(): never {
  throw new Error('not of these tests');
}
