/**
 * A memory cap for a process tree without systemd or Docker: a control group of our own, where the host lets us
 * make one (root, or a delegated tree). Both layouts: the unified one (v2) and the memory controller of v1.
 * It is made below our own group, so that a cap that somebody put on us (a unit, a container) holds for the engine too.
 */
import { mkdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { waitFor } from '../core/clock.ts';
import { errnoOf, readTextFile } from './files.ts';

export interface MemoryGroup {
  /** A process that writes its pid here is a member from then on, with all its children. */
  readonly procsFile: string;
  readonly directory: string;
}

export type MemoryGroupResult = MemoryGroup | { readonly problem: string };

const mount = '/sys/fs/cgroup';
/** The last members of a group may still be on their way out when nothing of them can be seen any more. */
const removalLimitMs = 2000;

/** Makes the group and sets its limit in bytes. Never throws: where it cannot be done, the reason is returned. */
export async function createMemoryGroup(name: string, limitBytes: number): Promise<MemoryGroupResult> {
  const problems: string[] = [];
  for (const { limitFile, findParent } of layouts) {
    try {
      const parent = await findParent();
      return await makeGroup(join(parent, `qwen-deploy-${name}`), limitFile, limitBytes);
    } catch (error) {
      problems.push(errnoOf(error) ?? String(error));
    }
  }
  return { problem: problems.join(', ') };
}

/** Removes a group whose members are gone, waiting a moment for the last of them; one that cannot be removed stays. */
export async function removeMemoryGroup(directory: string): Promise<void> {
  const deadline = performance.now() + removalLimitMs;
  for (;;) {
    try {
      return await rmdir(directory);
    } catch (error) {
      const code = errnoOf(error);
      if (code === undefined) throw error;
      if (code !== 'EBUSY' || performance.now() > deadline) return;
    }
    await waitFor(20);
  }
}

/** Whether a process is in the group; true when it cannot be said because it has already gone. */
export async function isInMemoryGroup(pid: number, { directory }: MemoryGroup): Promise<boolean> {
  const text = await readTextFile(`/proc/${pid}/cgroup`).catch(() => undefined);
  return text === undefined || text.split('\n').some((line) => line.endsWith(directory.slice(directory.lastIndexOf('/'))));
}

async function makeGroup(directory: string, limitFile: string, limitBytes: number): Promise<MemoryGroup> {
  await mkdir(directory);
  try {
    await writeFile(join(directory, limitFile), String(limitBytes));
  } catch (error) {
    await removeMemoryGroup(directory);
    throw error;
  }
  return { directory, procsFile: join(directory, 'cgroup.procs') };
}

const layouts: readonly { readonly limitFile: string; readonly findParent: () => Promise<string> }[] = [
  { limitFile: 'memory.max', findParent: findUnifiedParent },
  { limitFile: 'memory.limit_in_bytes', findParent: findLegacyParent },
];

/** The nearest group above us that hands the memory controller down; a group with processes of its own cannot. */
async function findUnifiedParent(): Promise<string> {
  for (let path = await readOwnPath(/^0::(.*)$/m); ; path = dirname(path)) {
    const controllers = await readTextFile(join(mount, path, 'cgroup.subtree_control'));
    if (controllers?.split(/\s+/).includes('memory')) return join(mount, path);
    if (path === '/') throw new Error('the memory controller is not enabled');
  }
}

/** In a container our path may be one of the host, which is not mounted: then the mount itself is our group. */
async function findLegacyParent(): Promise<string> {
  const memory = join(mount, 'memory');
  const own = join(memory, await readOwnPath(/^\d+:(?:.*,)?memory(?:,.*)?:(.*)$/m));
  if ((await readTextFile(join(own, 'memory.limit_in_bytes'))) !== undefined) return own;
  await readFile(join(memory, 'memory.limit_in_bytes'), 'utf8');
  return memory;
}

async function readOwnPath(pattern: RegExp): Promise<string> {
  return pattern.exec(await readFile('/proc/self/cgroup', 'utf8'))?.[1] ?? '/';
}
