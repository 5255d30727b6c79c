/** Caps on what one launch may take: memory, processes, open files, CPUs. One that cannot be set is said, and no reason not to start. */
import { waitFor } from '../core/clock.ts';
import { readAllowedCpus } from '../host/allowed-cpus.ts';
import { type Cap, type CapGroups, createCapGroups, isCapped } from '../host/cgroup.ts';
import { readOpenFilesLimit } from '../host/open-files.ts';
import { parseCpuList, toCpuList } from '../plan/cpu-list.ts';
import type { LaunchResources } from '../plan/launch-spec.ts';
import type { LaunchRecord } from './runtime.ts';

export function applyCaps({ memoryBytes, pids }: LaunchResources, launchId: string): Promise<CapGroups> {
  return createCapGroups(launchId, {
    ...(memoryBytes === undefined ? {} : { memory: memoryBytes }),
    ...(pids === undefined ? {} : { pids }),
  });
}

/** What must be removed when the launch is over. */
export function toGroupsNoted({ groups }: CapGroups): Pick<LaunchRecord, 'memoryGroup' | 'pidsGroup'> {
  const find = (cap: Cap) => groups.find(({ caps }) => caps.includes(cap))?.directory;
  const [memoryGroup, pidsGroup] = [find('memory'), find('pids')];
  return { ...(memoryGroup === undefined ? {} : { memoryGroup }), ...(pidsGroup === undefined ? {} : { pidsGroup }) };
}

type Problems = Pick<LaunchRecord, 'memoryCapProblem' | 'pidsCapProblem' | 'nofileProblem' | 'cpusProblem'>;

/** Asked of the kernel about the process itself: what was ordered is not yet what holds. */
export async function checkLimits(pid: number, { nofile, cpus }: LaunchResources, caps: CapGroups): Promise<Problems> {
  const [memory, processes, files, allowed] = await Promise.all([
    checkCap('memory', pid, caps),
    checkCap('pids', pid, caps),
    checkFiles(pid, nofile),
    checkCpus(pid, cpus),
  ]);
  return {
    ...(memory === undefined ? {} : { memoryCapProblem: memory }),
    ...(processes === undefined ? {} : { pidsCapProblem: processes }),
    ...(files === undefined ? {} : { nofileProblem: files }),
    ...(allowed === undefined ? {} : { cpusProblem: allowed }),
  };
}

async function checkCap(cap: Cap, pid: number, { groups, problems }: CapGroups): Promise<string | undefined> {
  const group = groups.find(({ caps }) => caps.includes(cap));
  if (group === undefined) return problems[cap];
  return (await isCapped(pid, cap, group)) ? undefined : 'the engine could not join its group';
}

async function checkFiles(pid: number, wanted: number | undefined): Promise<string | undefined> {
  if (wanted === undefined) return undefined;
  const limit = await readOpenFilesLimit(pid);
  return limit === undefined || limit === wanted ? undefined : String(limit);
}

/** It has its number before it is given its CPUs, a moment later. */
const cpusLateMs = 1000;
const lookMs = 10;

/** Those that are not there, or not ours to use, the kernel leaves out without a word. */
async function checkCpus(pid: number, wanted: string | undefined): Promise<string | undefined> {
  if (wanted === undefined) return undefined;
  const ordered = toCpuList(parseCpuList(wanted));
  for (const deadline = performance.now() + cpusLateMs; ; await waitFor(lookMs)) {
    const allowed = await readAllowedCpus(pid);
    if (allowed === undefined || allowed === ordered) return undefined;
    if (performance.now() > deadline) return allowed;
  }
}
