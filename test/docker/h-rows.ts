/** A deployment of the stand-in in a Docker engine of the test's own, for what may happen to the engine or its container. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DeploymentEvent } from '../../src/core/event.ts';
import type { Deployment, DeploymentList } from '../../src/supervisor/deployment.ts';
import { createSandbox, eventually, freePort, type Sandbox } from '../scenarios/sandbox.ts';
import { startNetworkedEngine, type TestEngine } from './engine.ts';
import { importStandIn } from './images.ts';

export const image = 'qwen-deploy-stand-in:v0.32.0';

export interface Row {
  readonly engine: TestEngine;
  readonly box: Sandbox;
  readonly up: () => ReturnType<Sandbox['cli']>;
  readonly status: () => Promise<Deployment>;
  readonly events: () => Promise<readonly DeploymentEvent[]>;
  /** Ids of all containers, running or not. */
  readonly list: () => Promise<readonly string[]>;
  /** The one container that there is. */
  readonly find: () => Promise<string>;
  readonly inspect: (format: string, id: string) => Promise<string>;
}

export async function openEngine(options: readonly string[] = []): Promise<TestEngine> {
  const engine = await startNetworkedEngine(options);
  try {
    await importStandIn(engine, image);
    return engine;
  } catch (error) {
    await engine.stop();
    throw error;
  }
}

/** A home whose commands ask this engine. */
export function openBox({ env }: TestEngine): Promise<Sandbox> {
  return createSandbox({ env: { DOCKER_HOST: env['DOCKER_HOST'], DOCKER_CONFIG: env['DOCKER_CONFIG'] } });
}

export async function openRow(engine: TestEngine, from = image): Promise<Row> {
  const box = await openBox(engine);
  const lines = [
    'extends: tiny',
    `engine: {backend: docker, image: "${from}"}`,
    `server: {port: ${await freePort()}}`,
    'resources: {memory: 4GiB, cpus: 0}',
    'restart: {first-delay: 100ms}',
    'stop: {drain: 2s}',
  ];
  await writeFile(join(box.home, 'boxed.yaml'), `${lines.join('\n')}\n`);
  const list = async () => (await engine.docker('ps', '-aq', '--no-trunc')).split('\n').filter(Boolean);
  return {
    engine,
    box,
    list,
    up: () => box.cli('up', '-p', './boxed.yaml', '--yes'),
    status: async () => readStatus(box),
    events: async () => (await box.cli('events', '-o', 'json')).json<{ readonly events: readonly DeploymentEvent[] }>().events,
    async find() {
      const [id, ...more] = await list();
      if (id === undefined || more.length > 0) throw new Error(`${more.length + (id === undefined ? 0 : 1)} containers`);
      return id;
    },
    inspect: async (format, id) => (await engine.docker('inspect', '-f', format, id)).trim(),
  };
}

async function readStatus(box: Sandbox): Promise<Deployment> {
  const [deployment] = (await box.cli('status', '-o', 'json')).json<DeploymentList>().deployments;
  if (deployment === undefined) throw new Error('no deployment');
  return deployment;
}

/** Ready again, in the one container that there is, which is another one than before. */
export async function untilReadyAgain(row: Row, old: string): Promise<Deployment> {
  await eventually(
    async () => [(await row.status()).state, ...(await row.list())],
    ([state, ...ids]) => state === 'ready' && ids.length === 1 && !ids.includes(old),
    25_000,
  );
  return row.status();
}
