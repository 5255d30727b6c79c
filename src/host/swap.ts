import { readTextFile } from './files.ts';

/** Whether this machine has swap; undefined where the kernel does not say. */
export async function hasSwap(): Promise<boolean | undefined> {
  const total = /^SwapTotal:\s+(\d+) kB$/m.exec((await readTextFile('/proc/meminfo').catch(() => undefined)) ?? '')?.[1];
  return total === undefined ? undefined : Number(total) > 0;
}
