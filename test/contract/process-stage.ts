/** Engines as processes of this machine: the stand-in, or the simulator that comes with the program. */
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { isDead, listProcesses, type ProcessFacts, readDescriptor } from '../../src/host/proc.ts';
import { createProcessRuntime } from '../../src/runtime/process.ts';
import type { LaunchRecord } from '../../src/runtime/runtime.ts';
import { type EngineWay, makeOrder, type Stage } from './stage.ts';

const standIn = fileURLToPath(new URL('../fake-vllm/vllm', import.meta.url));
const simulatorEntry = fileURLToPath(new URL('../../src/runtime/simulator/main.ts', import.meta.url));

export async function openProcessStage(engine: 'stand-in' | 'simulator'): Promise<Stage> {
  const directory = await mkdtemp(join(tmpdir(), 'qd-contract-'));
  const way = engine === 'stand-in' ? toStandIn(directory) : await bundleSimulator(directory);
  return {
    openRuntime: () => createProcessRuntime(process.env),
    order: (wish) => makeOrder(way, wish),
    toImpossible: (order) => ({ ...order, spec: { ...order.spec, program: join(directory, 'no-such-program') } }),
    findMain: async (record) => record.process?.pid ?? Number.NaN,
    findAlive,
    readPublic: async () => '',
    findLeft: (record) => findPresent([record.tmpDir, record.memoryGroup, record.pidsGroup]),
    toStrangers: (record) => [
      { ...record, bootId: 'another' },
      { ...record, process: { pid: record.process?.pid ?? 0, startTicks: 1 } },
    ],
    dispose: () => rm(directory, { recursive: true, force: true }),
  };
}

function toStandIn(directory: string): EngineWay {
  return { directory, backend: 'process', program: standIn };
}

async function bundleSimulator(directory: string): Promise<EngineWay> {
  const outfile = join(directory, 'simulator.mjs');
  await build({ entryPoints: [simulatorEntry], outfile, bundle: true, format: 'esm', platform: 'node' });
  return { directory, backend: 'simulator', program: process.execPath, before: [outfile] };
}

/**
 * By the keeper's session or by the log that they write to; the keeper is none of them, nor what it writes the exit down
 * with: a fork of it is called `sh` until it has become `date` or `mv`.
 */
async function findAlive({ keeper, logFile }: LaunchRecord): Promise<readonly number[]> {
  const isOfKeeper = ({ pid, ppid, comm }: ProcessFacts) =>
    pid === keeper?.pid || (ppid === keeper?.pid && ['sh', 'date', 'mv'].includes(comm));
  const alive = (await listProcesses()).filter((facts) => !isDead(facts) && !isOfKeeper(facts));
  const found: number[] = [];
  for (const { pid, session } of alive) {
    if (session === keeper?.pid || (await readDescriptor(pid, 1)) === logFile) found.push(pid);
  }
  return found;
}

export async function findPresent(paths: readonly (string | undefined)[]): Promise<readonly string[]> {
  const looked = await Promise.all(paths.map(async (path) => (path !== undefined && (await isThere(path)) ? [path] : [])));
  return looked.flat();
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
