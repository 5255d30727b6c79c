/** What a process has read and written so far, and the variables that it was started with, from /proc. */
import { readFile } from 'node:fs/promises';

const pageBytes = 4096;

/**
 * Bytes from and to disks, mapped files too: their pages count as bytes read on some file systems only, and as faults
 * on all. 0 for a process that is gone or is not ours.
 */
export async function readDiskBytes(pid: number): Promise<number> {
  const [stat, io] = await Promise.all([readOptional(`/proc/${pid}/stat`), readOptional(`/proc/${pid}/io`)]);
  // The name may hold spaces and brackets, so fields are counted from the last closing one; major faults are field 12.
  const faults = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[9] ?? 0);
  const bytes = ['read_bytes', 'write_bytes'].map((name) => Number(new RegExp(`^${name}: (\\d+)$`, 'm').exec(io)?.[1] ?? 0));
  return bytes.reduce((sum, one) => sum + one, faults * pageBytes);
}

/** Empty for one that is gone, is not ours, or has overwritten them. */
export async function readProcessEnvironment(pid: number): Promise<Readonly<Record<string, string>>> {
  const pairs = (await readOptional(`/proc/${pid}/environ`)).split('\0').filter((pair) => pair.includes('='));
  return Object.fromEntries(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]));
}

/** Gone, or not ours to read: there is nothing to be said then. */
async function readOptional(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}
