/** A Docker that is told what to answer, and launches for it. */
import type { Container, ContainerEvent, Docker, LogLine, LogsOptions } from '../../../src/host/docker/docker.ts';
import type { ContainerSpec, LaunchSpec } from '../../../src/plan/launch-spec.ts';
import { labelNames } from '../../../src/runtime/docker/labels.ts';
import type { LaunchRecord } from '../../../src/runtime/runtime.ts';

export const containerId = 'c'.repeat(64);
export const launchId = '0198a2c4-0000-7000-8000-00000000abcd';

export const running: Container = {
  id: containerId,
  name: 'qwen-deploy-tiny-00000000abcd',
  imageId: `sha256:${'a'.repeat(64)}`,
  state: 'running',
  pid: 0,
  oomKilled: false,
  error: '',
  restartPolicy: 'no',
  labels: { [labelNames.launch]: launchId },
  hostConfig: {},
  config: {},
  mounts: [],
};

export interface Script {
  /** What `inspect` says, asked each time; `Error`: it fails. */
  readonly inspect?: () => Container | undefined | Error;
  readonly logs?: (options: LogsOptions) => AsyncIterable<LogLine>;
  readonly events?: () => AsyncIterable<ContainerEvent>;
}

/** Whatever it was not told about is a mistake of the test. */
export function toDocker({ inspect = () => running, logs = never, events = never }: Script): Docker {
  const refuse = () => Promise.reject(new Error('nobody asked for this'));
  return {
    address: '/run/docker.sock',
    apiVersion: '1.41',
    isLocal: true,
    hidesStops: false,
    images: { inspect: refuse, list: refuse, pull: refuse, load: refuse, save: refuse, tag: refuse, remove: refuse },
    create: refuse,
    start: refuse,
    signal: refuse,
    unpause: refuse,
    remove: refuse,
    exec: refuse,
    forbidRestart: refuse,
    list: async () => [],
    async inspect() {
      const answer = inspect();
      if (answer instanceof Error) throw answer;
      return answer;
    },
    events: () => events(),
    logs: (_, options) => logs(options),
  };
}

/** Ends when it is given up. */
async function* never(): AsyncIterable<never> {
  await new Promise(() => undefined);
  yield* [];
}

export const container: ContainerSpec = {
  image: 'vllm/vllm-openai:v0.32.0',
  mounts: [{ source: '/home/me/.cache/qwen-deploy/containers/x', target: '/cache', readOnly: false, create: true }],
  shmBytes: 2 ** 31,
  port: 8000,
  log: { maxSizeBytes: 100e6, files: 5 },
  stopSeconds: 45,
};

export function toSpec(more: Partial<LaunchSpec> = {}): LaunchSpec {
  return {
    backend: 'docker',
    container,
    program: 'vllm',
    args: ['serve', 'Qwen/Qwen3-0.6B', '--port', '8000'],
    env: { VLLM_NO_USAGE_STATS: '1' },
    secretEnv: {},
    endpoint: { host: '127.0.0.1', port: 8000 },
    model: 'Qwen/Qwen3-0.6B',
    servedNames: ['m'],
    resources: {},
    drainMs: 30_000,
    health: {} as LaunchSpec['health'],
    restart: {} as LaunchSpec['restart'],
    engineVersion: '0.32.0',
    simulated: false,
    hash: '0123456789abcdef',
    ...more,
  };
}

export function toRecord(directory: string, more: Partial<LaunchRecord> = {}): LaunchRecord {
  return {
    launchId,
    run: 1,
    backend: 'docker',
    createdAt: '2026-01-01T00:00:00.000Z',
    bootId: 'boot',
    logFile: `${directory}/engine.log`,
    exitFile: `${directory}/exit.json`,
    tmpDir: `${directory}/tmp`,
    port: 8000,
    host: '127.0.0.1',
    containerId,
    ...more,
  };
}
