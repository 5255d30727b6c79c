import { execFile } from 'node:child_process';
import { chmod, chown, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { createDockerRuntime } from '../../src/runtime/docker/runtime.ts';
import type { Deployment, DeploymentList } from '../../src/supervisor/deployment.ts';
import { makeOrder } from '../contract/stage.ts';
import { createSandbox, eventually, freePort, killQuietly, root, type Sandbox } from '../scenarios/sandbox.ts';
import type { TestEngine } from './engine.ts';
import { image, openBox, openEngine } from './h-rows.ts';

const run = promisify(execFile);
let engine: TestEngine;
let box: Sandbox;

beforeAll(async () => {
  engine = await openEngine();
});
afterAll(() => engine?.stop());

beforeEach(async () => {
  box = await openBox(engine);
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

  it('H15: says which group lets one in, where the socket may not be opened', async () => {
    const nobody = 65_534;
    const place = await mkdtemp(join(tmpdir(), 'qd-nobody-'));
    try {
      // As it is packed: nobody may enter every directory above a checkout.
      const { files } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { readonly files: readonly string[] };
      for (const file of ['package.json', ...files]) await cp(join(root, file), join(place, file), { recursive: true });
      await chmod(place, 0o755);
      await mkdir(join(place, 'home'));
      await chown(join(place, 'home'), nobody, nobody);
      const env = { ...box.env, HOME: join(place, 'home'), QWEN_DEPLOY_HOME: join(place, 'home/qd') };
      const args = [join(place, 'dist/main.js'), 'up', '-p', 'tiny', '--backend', 'docker'];
      const refused = await run(process.execPath, args, { env, cwd: join(place, 'home'), uid: nobody, gid: nobody }).catch(
        (error: { readonly code: number; readonly stderr: string }) => error,
      );
      expect(refused).toMatchObject({ code: 4, stderr: expect.stringContaining('docker/forbidden') });
      expect(refused.stderr).toMatch(/group.*docker|docker.*group/s);
    } finally {
      await rm(place, { recursive: true, force: true });
    }
  });

  it('H16: refuses GPUs where Docker has no way to them, and leaves nothing', async () => {
    const [directory, port] = [await mkdtemp(join(tmpdir(), 'qd-gpu-')), 8000];
    const container = {
      ...{ image, mounts: [], shmBytes: 2 ** 26, port, stopSeconds: 40, log: { maxSizeBytes: 2 ** 26, files: 3 } },
      gpus: { by: 'nvidia' as const, ids: ['GPU-00000000-0000-0000-0000-000000000000'] },
    };
    try {
      const order = await makeOrder({ directory, backend: 'docker', program: 'vllm', inside: { host: '0.0.0.0', port }, container });
      const launched = createDockerRuntime({ ...engine.env, HOME: box.home }).launch(order);
      await expect(launched).rejects.toMatchObject({ code: 'docker/gpu-runtime', exitStatus: 4 });
      expect(await listContainers()).toEqual([]);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
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
