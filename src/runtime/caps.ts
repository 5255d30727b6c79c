/** Caps on what one launch may take: memory, processes, open files. One that cannot be set is said, and no reason not to start. */
import { type Cap, type CapGroups, createCapGroups, isCapped } from '../host/cgroup.ts';
import { readOpenFilesLimit } from '../host/open-files.ts';
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

type Problems = Pick<LaunchRecord, 'memoryCapProblem' | 'pidsCapProblem' | 'nofileProblem'>;

/** Asked of the kernel about the process itself: what was ordered is not yet what holds. */
export async function checkLimits(pid: number, { nofile }: LaunchResources, caps: CapGroups): Promise<Problems> {
  const [memory, pids, files] = await Promise.all([checkCap('memory', pid, caps), checkCap('pids', pid, caps), checkFiles(pid, nofile)]);
  return {
    ...(memory === undefined ? {} : { memoryCapProblem: memory }),
    ...(pids === undefined ? {} : { pidsCapProblem: pids }),
    ...(files === undefined ? {} : { nofileProblem: files }),
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
