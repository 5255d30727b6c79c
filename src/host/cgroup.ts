/**
 * A memory cap for a process tree without systemd or Docker: a control group of our own, where the host lets us
 * make one (root, or a delegated tree). Both layouts: the unified one (v2) and the memory controller of v1.
 */
import { mkdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from './files.ts';

export interface MemoryGroup {
  /** A process that writes its pid here is a member from then on, with all its children. */
  readonly procsFile: string;
  readonly directory: string;
}

export type MemoryGroupResult = MemoryGroup | { readonly problem: string };

const root = '/sys/fs/cgroup';

/** Makes the group and sets its limit in bytes. Never throws: where it cannot be done, the reason is returned. */
export async function createMemoryGroup(name: string, limitBytes: number): Promise<MemoryGroupResult> {
  const problems: string[] = [];
  for (const layout of [unified, legacy]) {
    try {
      return await layout(name, limitBytes);
    } catch (error) {
      problems.push(errnoOf(error) ?? String(error));
    }
  }
  return { problem: problems.join(', ') };
}

/** Removes an empty group; one that still has members stays. */
export async function removeMemoryGroup(directory: string): Promise<void> {
  try {
    await rmdir(directory);
  } catch (error) {
    const code = errnoOf(error);
    if (code !== 'ENOENT' && code !== 'EBUSY' && code !== 'EROFS') throw error;
  }
}

async function unified(name: string, limitBytes: number): Promise<MemoryGroup> {
  const controllers = await readFile(join(root, 'cgroup.subtree_control'), 'utf8');
  if (!controllers.split(/\s+/).includes('memory')) throw new Error('the memory controller is not enabled');
  const directory = join(root, `qwen-deploy-${name}`);
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'memory.max'), String(limitBytes));
  return { directory, procsFile: join(directory, 'cgroup.procs') };
}

async function legacy(name: string, limitBytes: number): Promise<MemoryGroup> {
  const directory = join(root, 'memory', `qwen-deploy-${name}`);
  await readFile(join(root, 'memory', 'memory.limit_in_bytes'), 'utf8');
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'memory.limit_in_bytes'), String(limitBytes));
  return { directory, procsFile: join(directory, 'cgroup.procs') };
}
