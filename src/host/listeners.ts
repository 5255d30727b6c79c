/** Who listens: the kernel's own list of sockets, which says it without knocking at somebody's server. */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';

/** A row, but for the padding of one and the last columns of the other, is at least this long. */
const leastRow = 140;
const listening = '0A';
const families = [
  { table: 'tcp', counts: 'sockstat', label: 'TCP' },
  { table: 'tcp6', counts: 'sockstat6', label: 'TCP6' },
] as const;

/**
 * Whether a socket of this network namespace listens on the TCP port, on whatever address; undefined where the kernel
 * does not tell. `root`: where /proc is found.
 *
 * The tables name those who listen first, then every connection, for which the kernel walks a quarter of a million
 * places (3 ms). So a row is read at a time, and none after the last listener or the last socket that there is.
 */
export function hasListener(port: number, root = '/'): boolean | undefined {
  try {
    return families.some((family) => isInTable(family, port, join(root, 'proc/net')));
  } catch {
    return undefined;
  }
}

function isInTable({ table, counts, label }: (typeof families)[number], port: number, directory: string): boolean {
  const sockets = new RegExp(`^${label}: inuse (\\d+)`, 'm').exec(readFileSync(join(directory, counts), 'latin1'))?.[1];
  if (sockets === undefined) throw new Error(`${counts} has no count of ${label}`);
  if (sockets === '0') return false;
  const file = openSync(join(directory, table), 'r');
  try {
    readRow(file); // names of the columns
    for (let row = 0; row < Number(sockets); row += 1) {
      const socket = parseSocketRow(readRow(file));
      if (!socket.listens) return false;
      if (socket.port === port) return true;
    }
    return false;
  } finally {
    closeSync(file);
  }
}

interface SocketRow {
  readonly listens: boolean;
  readonly port: number;
  readonly inode?: string;
}

/** A row of /proc/net/tcp or tcp6. */
export function parseSocketRow(row: string): SocketRow {
  const [, local = '', , state, , , , , , inode] = row.trim().split(/\s+/);
  return { listens: state === listening, port: Number.parseInt(local.split(':')[1] ?? '', 16), ...(inode === undefined ? {} : { inode }) };
}

/** Not a byte more: the kernel would go and find the next row for it. */
function readRow(file: number): string {
  const bytes = Buffer.alloc(leastRow);
  let row = bytes.toString('latin1', 0, readSync(file, bytes, 0, leastRow, null));
  while (!row.endsWith('\n') && readSync(file, bytes, 0, 1, null) === 1) row += bytes.toString('latin1', 0, 1);
  return row;
}
