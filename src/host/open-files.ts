import { readTextFile } from './files.ts';

/** How many files a process may have open (its soft limit); undefined when it is gone, or not ours to see. */
export async function readOpenFilesLimit(pid: number): Promise<number | undefined> {
  const text = await readTextFile(`/proc/${pid}/limits`).catch(() => undefined);
  const limit = /^Max open files\s+(\d+|unlimited)/m.exec(text ?? '')?.[1];
  if (limit === undefined) return undefined;
  return limit === 'unlimited' ? Number.POSITIVE_INFINITY : Number(limit);
}
