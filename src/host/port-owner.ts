/** Who listens on a TCP port: its socket in /proc/net, then the process that holds that socket, where we may look. */
import { readdir, readFile } from 'node:fs/promises';
import { parseSocketRow } from './listeners.ts';
import { listProcesses, readCommandLine, readDescriptor } from './proc.ts';

export interface PortOwner {
  readonly pid: number;
  readonly command: string;
}

/** Undefined when nobody listens there, or when the process is another user's. */
export async function findPortOwner(port: number): Promise<PortOwner | undefined> {
  const tables = await Promise.all(['/proc/net/tcp', '/proc/net/tcp6'].map((path) => readFile(path, 'utf8').catch(() => '')));
  const sockets = new Set(tables.flatMap((table) => parseListeners(table, port)).map((inode) => `socket:[${inode}]`));
  if (sockets.size === 0) return undefined;
  for (const { pid } of await listProcesses()) {
    if (await holds(pid, sockets)) return { pid, command: await readCommandLine(pid) };
  }
  return undefined;
}

/** Inodes of the listening sockets on a port, of any local address. */
export function parseListeners(table: string, port: number): readonly string[] {
  return table
    .split('\n')
    .slice(1)
    .map(parseSocketRow)
    .filter((row) => row.listens && row.port === port)
    .flatMap(({ inode }) => inode ?? []);
}

async function holds(pid: number, sockets: ReadonlySet<string>): Promise<boolean> {
  // Gone, or another user's: its descriptors cannot be seen.
  const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
  const targets = await Promise.all(descriptors.map((descriptor) => readDescriptor(pid, Number(descriptor))));
  return targets.some((target) => target !== undefined && sockets.has(target));
}
