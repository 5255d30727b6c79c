/** Which container a process of this machine is in, as its control group says: it cannot leave that. */
import { errnoOf, readTextFile } from './files.ts';

/** `id`: 64 hexadecimal digits. */
export async function isInContainer(pid: number, id: string): Promise<boolean> {
  return isGroupOf(await readGroups(pid), id);
}

/**
 * Docker names groups `…/docker/ID` or `…/docker-ID.scope`, Podman `…/libpod-ID` or `…/libpod-ID.scope`. Where systemd
 * keeps them, the process that watches a container of Podman has one of its own with the same number.
 */
export function isGroupOf(groups: string, id: string): boolean {
  return groups.replaceAll(`libpod-conmon-${id}`, '').includes(id);
}

async function readGroups(pid: number): Promise<string> {
  try {
    return (await readTextFile(`/proc/${pid}/cgroup`)) ?? '';
  } catch (error) {
    // gone between the look at the list and this one
    if (errnoOf(error) === undefined) throw error;
    return '';
  }
}

/** Directory of the group that a controller of v1, or the one group of v2, has for this process. */
export async function findGroup(pid: number, controller: string): Promise<string | undefined> {
  const lines = (await readGroups(pid)).split('\n').map((line) => line.split(':'));
  const legacy = lines.find(([, controllers]) => controllers?.split(',').includes(controller));
  if (legacy) return `/sys/fs/cgroup/${controller}${legacy.slice(2).join(':')}`;
  const unified = lines.find(([number]) => number === '0');
  return unified ? `/sys/fs/cgroup${unified.slice(2).join(':')}` : undefined;
}
