import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { Deployment, DeploymentList } from '../../src/supervisor/deployment.ts';
import { createSandbox, eventually, freePort, killQuietly, type Sandbox } from '../scenarios/sandbox.ts';
import { startNetworkedEngine, type TestEngine } from './engine.ts';
import { importStandIn } from './images.ts';

const image = 'qwen-deploy-stand-in:v0.32.0';
let engine: TestEngine;
let box: Sandbox;

beforeAll(async () => {
  engine = await startNetworkedEngine();
  await importStandIn(engine, image);
});
afterAll(() => engine?.stop());

beforeEach(async () => {
  box = await createSandbox({ env: { DOCKER_HOST: engine.env['DOCKER_HOST'], DOCKER_CONFIG: engine.env['DOCKER_CONFIG'] } });
  const lines = [
    'extends: tiny',
    `engine: {backend: docker, image: "${image}"}`,
    `server: {port: ${await freePort()}}`,
    'resources: {memory: 4GiB, cpus: 0}',
    'restart: {first-delay: 100ms}',
    'stop: {drain: 2s}',
  ];
  await writeFile(join(box.home, 'boxed.yaml'), `${lines.join('\n')}\n`);
});
afterEach(() => box.dispose());

const up = () => box.cli('up', '-p', './boxed.yaml', '--yes');
const status = async () => (await box.cli('status', '-o', 'json')).json<DeploymentList>().deployments[0] as Deployment;
const listContainers = async () => (await engine.docker('ps', '-aq', '--no-trunc')).split('\n').filter(Boolean);
const types = async () => (await box.cli('events', '-o', 'json')).json<EventList>().events.map(({ type }) => type);

interface EventList {
  readonly events: readonly { readonly type: string }[];
}

async function findContainer(): Promise<string> {
  const [id] = await listContainers();
  if (id === undefined) throw new Error('there is no container');
  return id;
}

/** Ready again, in another container than the one that was there. */
async function untilReadyAgain(old: string): Promise<Deployment> {
  await eventually(
    async () => {
      const now = await status();
      const ids = await listContainers();
      return now.state === 'ready' && now.restarts.total >= 1 && ids.length === 1 && !ids.includes(old);
    },
    (isReady) => isReady,
  );
  return status();
}

describe('an engine in Docker', () => {
  it('comes up, answers, and goes without a trace', async () => {
    const started = await up();
    expect(started.stderr).not.toContain('error:');
    expect(started.code).toBe(0);
    expect(await status()).toMatchObject({ state: 'ready', backend: 'docker', engine: { version: '0.32.0' } });
    expect((await box.cli('ask', 'Hello')).code).toBe(0);
    expect((await box.cli('logs')).stdout).toContain('Application startup complete');
    const [inspected] = JSON.parse(await engine.docker('inspect', await findContainer()));
    expect(inspected.HostConfig).toMatchObject({ Memory: 4 * 2 ** 30, MemorySwap: 4 * 2 ** 30, CpusetCpus: '0', Init: true });
    expect((await box.cli('down')).code).toBe(0);
    expect(await listContainers()).toEqual([]);
    // The supervisor stays for a moment, for whoever asks next.
    await eventually(box.processes, (left) => left.length === 0);
  });

  it('is started again when it is killed from outside (A1)', async () => {
    await up();
    const id = await findContainer();
    killQuietly(Number((await engine.docker('inspect', '-f', '{{.State.Pid}}', id)).trim()));
    expect(await untilReadyAgain(id)).toMatchObject({ state: 'ready' });
  });

  it('H5: is started again when its container is removed by hand', async () => {
    await up();
    const id = await findContainer();
    await engine.docker('rm', '-f', id);
    await untilReadyAgain(id);
  });

  it('E1: is taken over by a new supervisor as it is', async () => {
    await up();
    const id = await findContainer();
    const before = await status();
    killQuietly(before.supervisor?.pid ?? 0);
    expect((await up()).code).toBe(0);
    const after = await status();
    expect(after).toMatchObject({ state: 'ready', restarts: { total: 0 } });
    expect(after.supervisor?.pid).not.toBe(before.supervisor?.pid);
    expect(await listContainers()).toEqual([id]);
    expect(await types()).toContain('adopted');
  });

  it('H10: leaves a container of somebody else alone, whatever its name', async () => {
    const foreign = (await engine.docker('create', '--name', 'qwen-deploy-boxed', image)).trim();
    onTestFinished(() => engine.docker('rm', foreign).then(() => undefined));
    expect((await up()).code).toBe(0);
    await box.cli('down');
    expect(await listContainers()).toEqual([foreign]);
  });

  it('says what is missing: no engine, no image, no GPUs', async () => {
    const absent = await createSandbox({ env: { DOCKER_HOST: `unix://${box.home}/none.sock` } });
    try {
      const refused = await absent.cli('up', '-p', 'tiny', '--backend', 'docker');
      expect(refused.code).toBe(4);
      expect(refused.stderr).toContain('docker/absent');
    } finally {
      await absent.dispose();
    }
    const missing = await box.cli('up', '-p', './boxed.yaml', '--set', 'engine.image=registry.invalid/vllm:v0.32.0');
    expect(missing.code).not.toBe(0);
    expect(missing.stderr).toContain('registry.invalid/vllm:v0.32.0');
    expect(await listContainers()).toEqual([]);
  });
});
