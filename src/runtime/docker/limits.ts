/**
 * Whether a container got what was ordered. The kernel is asked about its process, where that can be seen; where not (an
 * engine elsewhere, a kernel without that control group) the engine is, which takes out of an order what it cannot do.
 */
import { join } from 'node:path';
import { toSizeText } from '../../core/units.ts';
import { readAllowedCpus } from '../../host/allowed-cpus.ts';
import { findGroup } from '../../host/container-group.ts';
import type { Container } from '../../host/docker/docker.ts';
import { readTextFile } from '../../host/files.ts';
import { readOpenFilesLimit } from '../../host/open-files.ts';
import { hasSwap } from '../../host/swap.ts';
import { parseCpuList, toCpuList } from '../../plan/cpu-list.ts';
import type { LaunchSpec } from '../../plan/launch-spec.ts';
import type { LaunchRecord } from '../runtime.ts';
import { type Given, toGiven } from './given.ts';
import { checkGpus, type LookInside } from './given-gpus.ts';

type Found = Pick<
  LaunchRecord,
  'memoryGroup' | 'pidsGroup' | 'memoryCapProblem' | 'swapProblem' | 'pidsCapProblem' | 'nofileProblem' | 'cpusProblem' | 'gpusProblem'
>;

export interface Check {
  readonly spec: LaunchSpec;
  /** Of its first process, where /proc shows it. */
  readonly pid?: number;
  readonly lookInside: LookInside;
}

/** `memoryGroup` also where nothing was wrong: it tells of kills and peaks later. */
export async function checkContainer(container: Container, { spec, pid, lookInside }: Check): Promise<Found> {
  const { cpus, memoryBytes, pids, nofile } = spec.resources;
  const told = toGiven(container);
  const [seen, gpusProblem] = await Promise.all([
    pid === undefined ? unseen : readGiven(pid),
    checkGpus(spec.container?.gpus, { told: told.gpus, lookInside }),
  ]);
  const memory = differs('memoryCapProblem', {
    wanted: memoryBytes,
    have: seen.memoryBytes ?? told.memoryBytes,
    toText: toSizeText,
    exactTo: pageBytes,
  });
  // Without a cap of memory one of swap means nothing.
  const isCapped = memoryBytes !== undefined && Object.keys(memory).length === 0;
  const swap = isCapped && (pid === undefined || (await hasSwap()) !== false) ? 0 : undefined;
  const allowed = seen.cpus ?? told.cpus;
  return {
    ...(seen.memoryGroup === undefined ? {} : { memoryGroup: seen.memoryGroup }),
    ...memory,
    ...differs('swapProblem', { wanted: swap, have: seen.swapBytes ?? told.swapBytes, toText: toSizeText, exactTo: pageBytes }),
    ...differs('pidsCapProblem', { wanted: pids, have: seen.pids ?? told.pids, toText: String }),
    ...differs('nofileProblem', { wanted: nofile, have: seen.nofile ?? told.nofile, toText: String }),
    ...(cpus === undefined || allowed === undefined || isSame(cpus, allowed) ? {} : { cpusProblem: allowed || 'all' }),
    ...(gpusProblem === undefined ? {} : { gpusProblem }),
  };
}

interface Seen extends Given {
  readonly memoryGroup?: string;
}

const unseen: Seen = {};

async function readGiven(pid: number): Promise<Seen> {
  const [memoryGroup, pidsGroup, cpusetGroup] = await Promise.all(['memory', 'pids', 'cpuset'].map((name) => findGroup(pid, name)));
  const [memory, swap, both, pids, cpus, nofile] = await Promise.all([
    readFirst(memoryGroup, ['memory.max', 'memory.limit_in_bytes']),
    readFirst(memoryGroup, ['memory.swap.max']),
    // Of the older layout: memory and swap together.
    readFirst(memoryGroup, ['memory.memsw.limit_in_bytes']),
    readFirst(pidsGroup, ['pids.max']),
    // Where there is no such group the process itself tells.
    readFirst(cpusetGroup, ['cpuset.cpus.effective', 'cpuset.cpus']).then((list) => list || readAllowedCpus(pid)),
    readOpenFilesLimit(pid),
  ]);
  const memoryBytes = toNumber(memory);
  const swapBytes = toNumber(swap) ?? (both === undefined ? undefined : Number(both) - (memoryBytes ?? 0));
  const known = { memoryGroup, memoryBytes, swapBytes, pids: toNumber(pids), cpus, nofile };
  return Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined));
}

/** `max`: as much as there is. */
function toNumber(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  return text === 'max' ? Number.POSITIVE_INFINITY : Number(text);
}

/** Memory is counted in whole pages, of up to this size. */
const pageBytes = 65_536;

interface Difference {
  readonly wanted: number | undefined;
  readonly have: number | undefined;
  readonly toText: (have: number) => string;
  /** Of the kernel's own rounding. */
  readonly exactTo?: number;
}

/** More than any machine has: what the older layout says of a group without a cap. */
const noCap = 2 ** 62;

/** What nobody can tell is not held against anybody. */
function differs(key: string, { wanted, have, toText, exactTo = 1 }: Difference): Record<string, string> {
  if (wanted === undefined || have === undefined || Math.abs(have - wanted) < exactTo) return {};
  return { [key]: have >= noCap ? 'unlimited' : toText(have) };
}

function isSame(wanted: string, have: string): boolean {
  return toCpuList(parseCpuList(wanted)) === toCpuList(parseCpuList(have));
}

async function readFirst(directory: string | undefined, names: readonly string[]): Promise<string | undefined> {
  if (directory === undefined) return undefined;
  for (const name of names) {
    const text = await readTextFile(join(directory, name)).catch(() => undefined);
    if (text !== undefined) return text.trim();
  }
  return undefined;
}
