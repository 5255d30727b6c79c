/** Engines as containers of the stand-in's image, on a Docker engine of the test's own. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDead, listProcesses } from '../../src/host/proc.ts';
import { createDockerRuntime } from '../../src/runtime/docker/runtime.ts';
import type { LaunchRecord } from '../../src/runtime/runtime.ts';
import { findPresent } from '../contract/process-stage.ts';
import { type EngineWay, makeOrder, type Stage } from '../contract/stage.ts';
import { startNetworkedEngine, type TestEngine } from './engine.ts';
import { importStandIn } from './images.ts';

const image = 'qwen-deploy-stand-in:test';
const inside = { host: '0.0.0.0', port: 8000 };
const mebibyte = 2 ** 20;

export async function openDockerStage(start: () => Promise<TestEngine> = startNetworkedEngine): Promise<Stage> {
  const engine = await start();
  try {
    await importStandIn(engine, image);
    return toStage(engine, await mkdtemp(join(tmpdir(), 'qd-contract-')));
  } catch (error) {
    await engine.stop();
    throw error;
  }
}

function toStage(engine: TestEngine, directory: string): Stage {
  const container = {
    image,
    mounts: [],
    shmBytes: 64 * mebibyte,
    port: inside.port,
    log: { maxSizeBytes: 64 * mebibyte, files: 3 },
    stopSeconds: 40,
  };
  const way: EngineWay = { directory, backend: 'docker', program: 'vllm', inside, container };
  return {
    openRuntime: () => createDockerRuntime(engine.env),
    order: (wish) => makeOrder(way, wish),
    toImpossible: (order) => ({ ...order, spec: { ...order.spec, container: { ...container, image: 'qwen-deploy-no-such:test' } } }),
    findMain: (record) => findMain(engine, record),
    findAlive: (record) => findAlive(engine, record),
    readPublic: (record) => readPublic(engine, record),
    async findLeft(record) {
      return [...(await listContainers(engine, record)), ...(await findPresent([record.tmpDir]))];
    },
    toStrangers: (record) => [
      { ...record, bootId: 'another' },
      { ...record, launchId: 'another' },
      { ...record, containerId: 'f'.repeat(64) },
    ],
    async dispose() {
      await engine.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function listContainers({ docker }: TestEngine, { launchId, containerId }: LaunchRecord): Promise<readonly string[]> {
  const all = (await docker('ps', '--all', '--quiet', '--no-trunc')).split('\n').filter((id) => id !== '');
  const labelled = (await docker('ps', '--all', '--quiet', '--no-trunc', '--filter', `label=qwen-deploy.launch-id=${launchId}`)).split(
    '\n',
  );
  return all.filter((id) => id === containerId || labelled.includes(id));
}

/** By their control groups: what Docker says of a container is what the runtime hears as well. */
async function findAlive(engine: TestEngine, record: LaunchRecord): Promise<readonly number[]> {
  const ids = new Set([...(await listContainers(engine, record)), record.containerId ?? 'none']);
  const found: number[] = [];
  for (const facts of await listProcesses()) {
    const groups = await readFile(`/proc/${facts.pid}/cgroup`, 'utf8').catch(() => '');
    if (!isDead(facts) && [...ids].some((id) => groups.includes(id))) found.push(facts.pid);
  }
  return found;
}

/** Of the container's first process, which is Docker's init, the one child. */
async function findMain(engine: TestEngine, record: LaunchRecord): Promise<number> {
  const alive = new Set(await findAlive(engine, record));
  const members = (await listProcesses()).filter(({ pid }) => alive.has(pid));
  const init = members.find(({ ppid }) => !alive.has(ppid));
  const main = members.find(({ ppid }) => ppid === init?.pid);
  if (main === undefined) throw new Error(`no main process among ${JSON.stringify(members)}`);
  return main.pid;
}

async function readPublic(engine: TestEngine, record: LaunchRecord): Promise<string> {
  const ids = await listContainers(engine, record);
  const told = await Promise.all(ids.flatMap((id) => [engine.docker('inspect', id), engine.docker('logs', id)]));
  return [...told, await engine.docker('ps', '--all', '--no-trunc')].join('\n');
}
