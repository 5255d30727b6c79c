/** Whether a container got what was ordered: asked of the kernel about its process, not of the engine about its order. */
import { join } from 'node:path';
import { findGroup } from '../../host/container-group.ts';
import { readTextFile } from '../../host/files.ts';
import { readOpenFilesLimit } from '../../host/open-files.ts';
import { parseCpuList } from '../../plan/cpu-list.ts';
import type { LaunchResources } from '../../plan/launch-spec.ts';
import type { LaunchRecord } from '../runtime.ts';

type Found = Pick<LaunchRecord, 'memoryGroup' | 'pidsGroup' | 'memoryCapProblem' | 'pidsCapProblem' | 'nofileProblem' | 'cpusProblem'>;

/** `memoryGroup` also where nothing was wrong: it tells of kills and peaks later. */
export async function checkContainer(pid: number, { cpus, memoryBytes, pids, nofile }: LaunchResources): Promise<Found> {
  const [memoryGroup, pidsGroup, cpusetGroup] = await Promise.all(['memory', 'pids', 'cpuset'].map((name) => findGroup(pid, name)));
  const [memory, processes, allowed, files] = await Promise.all([
    readFirst(memoryGroup, ['memory.max', 'memory.limit_in_bytes']),
    readFirst(pidsGroup, ['pids.max']),
    readFirst(cpusetGroup, ['cpuset.cpus.effective', 'cpuset.cpus']),
    readOpenFilesLimit(pid),
  ]);
  return {
    ...(memoryGroup === undefined ? {} : { memoryGroup }),
    ...differs('memoryCapProblem', memoryBytes, memory),
    ...differs('pidsCapProblem', pids, processes),
    ...differs('nofileProblem', nofile, files === undefined ? undefined : String(files)),
    ...(cpus === undefined || allowed === undefined || sameCpus(cpus, allowed) ? {} : { cpusProblem: allowed }),
  };
}

/** What cannot be read is not held against anybody. Memory is counted in whole pages. */
function differs(key: string, wanted: number | undefined, have: string | undefined): Record<string, string> {
  if (wanted === undefined || have === undefined) return {};
  return Math.abs(Number(have) - wanted) < 4096 && Number.isFinite(Number(have)) ? {} : { [key]: have };
}

function sameCpus(wanted: string, have: string): boolean {
  const sorted = (list: string) => [...parseCpuList(list)].sort((a, b) => a - b).join();
  return sorted(wanted) === sorted(have);
}

async function readFirst(directory: string | undefined, names: readonly string[]): Promise<string | undefined> {
  if (directory === undefined) return undefined;
  for (const name of names) {
    const text = await readTextFile(join(directory, name)).catch(() => undefined);
    if (text !== undefined) return text.trim();
  }
  return undefined;
}
