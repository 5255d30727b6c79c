/**
 * What the control groups that we are in allow: those of a container, a unit, a batch job. Both layouts, the unified one
 * (v2) and one tree per controller (v1), which may stand beside each other. A limit of any group above holds too, so the
 * smallest counts; those above what is mounted here cannot be seen.
 */
import { dirname, join, relative } from 'node:path';
import { parseCpuList } from '../plan/cpu-list.ts';
import type { DoctorContext } from './check.ts';
import { type Mount, readMounts } from './mounts.ts';
import { readBelow } from './read.ts';

export interface GroupLimits {
  readonly memory?: MemoryLimit;
  /** How many CPUs' time. */
  readonly cpus?: Limit;
  readonly pids?: Limit & { readonly current?: number };
  readonly cpuset?: { readonly list: string; readonly cpus: readonly number[]; readonly file: string };
  /** Files that are there and could not be read. */
  readonly unread: readonly string[];
}

interface Limit {
  readonly limit: number;
  readonly file: string;
}

/** Bytes. */
export interface MemoryLimit extends Limit {
  /** What could still be taken: what is used for files counts as free, as the kernel gives it away first. */
  readonly available?: number;
}

/** Undefined where the kernel has no control groups, or does not say. */
export function readGroupLimits(context: DoctorContext): GroupLimits | undefined {
  const own = readBelow(context, '/proc/self/cgroup');
  if (own.is !== 'text') return undefined;
  const groups = new Groups(context, own.text);
  const memory = toSmallest(groups.levels('memory').flatMap((level) => readMemory(groups, level)));
  const cpus = toSmallest(groups.levels('cpu').flatMap((level) => readCpuTime(groups, level)));
  const pids = toSmallest(groups.levels('pids').flatMap((level) => readPids(groups, level)));
  const cpuset = groups.levels('cpuset').flatMap((level) => readCpuset(groups, level))[0];
  return {
    ...(memory ? { memory } : {}),
    ...(cpus ? { cpus } : {}),
    ...(pids ? { pids } : {}),
    ...(cpuset ? { cpuset } : {}),
    unread: groups.unread,
  };
}

function toSmallest<T extends Limit>(limits: readonly T[]): T | undefined {
  return limits.toSorted((a, b) => a.limit - b.limit)[0];
}

/** A directory of a group of ours. */
interface Level {
  readonly directory: string;
  readonly unified: boolean;
}

class Groups {
  readonly unread: string[] = [];
  private readonly context: DoctorContext;
  private readonly mounts: readonly Mount[];
  /** Controller → path of our group; the unified layout has the empty name. */
  private readonly paths: ReadonlyMap<string, string>;

  constructor(context: DoctorContext, own: string) {
    this.context = context;
    const mounts = readMounts(context);
    this.mounts = 'is' in mounts ? [] : mounts;
    const lines = own.split('\n').flatMap((line) => {
      const match = /^\d+:([^:]*):(.*)$/.exec(line);
      return match ? [[match[1] ?? '', match[2] ?? '/'] as const] : [];
    });
    this.paths = new Map(lines.flatMap(([names, path]) => names.split(',').map((name) => [name, path] as const)));
  }

  /** Our group of a controller and those above it, as far as they are mounted; of both layouts. */
  levels(controller: string): readonly Level[] {
    const alone = this.climb(controller, this.findMount(controller), `/sys/fs/cgroup/${controller}`);
    const unified = this.climb(
      '',
      this.mounts.find(({ type }) => type === 'cgroup2'),
      '/sys/fs/cgroup',
    );
    return [...alone.map((directory) => ({ directory, unified: false })), ...unified.map((directory) => ({ directory, unified: true }))];
  }

  read({ directory }: Level, name: string): string | undefined {
    const path = join(directory, name);
    const reading = readBelow(this.context, path);
    if (reading.is === 'unreadable') this.unread.push(`${path}: ${reading.problem}`);
    return reading.is === 'text' ? reading.text.trim() : undefined;
  }

  private findMount(controller: string): Mount | undefined {
    return this.mounts.find(({ type, superOptions }) => type === 'cgroup' && superOptions.includes(controller));
  }

  /** In a container our path may be one of the host, which is not mounted: then the mount itself is our group. */
  private climb(controller: string, mount: Mount | undefined, usual: string): readonly string[] {
    const path = this.paths.get(controller);
    if (path === undefined) return [];
    const top = mount?.point ?? usual;
    const below = relative(mount?.root ?? '/', path);
    const directories: string[] = [];
    for (let at = below.startsWith('..') ? '' : below; at !== '' && at !== '.'; at = dirname(at)) directories.push(join(top, at));
    return [...directories, top];
  }
}

/** v1 writes "no limit" as the largest number of pages. */
const noLimit = 2 ** 60;

function readMemory(groups: Groups, level: Level): readonly MemoryLimit[] {
  const [most, used, cached] = level.unified
    ? ['memory.max', 'memory.current', 'inactive_file']
    : ['memory.limit_in_bytes', 'memory.usage_in_bytes', 'total_inactive_file'];
  const limit = toNumber(groups.read(level, most));
  if (limit === undefined || limit >= noLimit) return [];
  const current = toNumber(groups.read(level, used));
  const files = new RegExp(`^${cached} (\\d+)$`, 'm').exec(groups.read(level, 'memory.stat') ?? '')?.[1];
  const available = current === undefined ? undefined : Math.min(Math.max(limit - current + Number(files ?? 0), 0), limit);
  return [{ limit, file: `${join(level.directory, most)}: ${limit}`, ...(available === undefined ? {} : { available }) }];
}

function readCpuTime(groups: Groups, level: Level): readonly Limit[] {
  const [quota, period] = level.unified
    ? (groups.read(level, 'cpu.max')?.split(' ') ?? [])
    : [groups.read(level, 'cpu.cfs_quota_us'), groups.read(level, 'cpu.cfs_period_us')];
  const [share, of] = [toNumber(quota), toNumber(period)];
  if (share === undefined || share <= 0 || !of) return [];
  return [{ limit: share / of, file: `${join(level.directory, level.unified ? 'cpu.max' : 'cpu.cfs_quota_us')}: ${share} ${of}` }];
}

function readPids(groups: Groups, level: Level): NonNullable<GroupLimits['pids']>[] {
  const limit = toNumber(groups.read(level, 'pids.max'));
  if (limit === undefined) return [];
  const current = toNumber(groups.read(level, 'pids.current'));
  return [{ limit, file: `${join(level.directory, 'pids.max')}: ${limit}`, ...(current === undefined ? {} : { current }) }];
}

function readCpuset(groups: Groups, level: Level): NonNullable<GroupLimits['cpuset']>[] {
  const names = level.unified ? ['cpuset.cpus.effective'] : ['cpuset.effective_cpus', 'cpuset.cpus'];
  for (const name of names) {
    const list = groups.read(level, name);
    if (list) return [{ list, cpus: parseCpuList(list), file: `${join(level.directory, name)}: ${list}` }];
  }
  return [];
}

/** `max` is no number, and no limit. */
function toNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^-?\d+$/.test(text) ? Number(text) : undefined;
}
