/**
 * How much memory a container took. Its control group goes with its last process, and the kernel's counts with it: so
 * they are looked at while it runs, and the last look is what is known afterwards.
 */
import { waitFor } from '../../core/clock.ts';
import { type MemoryKills, readMemoryKills } from '../../host/cgroup-memory.ts';
import { readKernelLog } from '../../host/kernel-log.ts';
import type { Exit } from '../runtime.ts';

/** Between two looks; a peak that has just risen may rise further within a moment. */
const lookMs = { steady: 1000, rising: 100 } as const;
/** Less than that is an engine at work, not one that fills up. */
const risingShare = 0.01;

/** Looks until `signal`, or until the group is gone. Returns what was seen last. */
export function followMemory(directory: string, signal: AbortSignal): () => MemoryKills | undefined {
  let last: MemoryKills | undefined;
  const look = async () => {
    while (!signal.aborted) {
      const seen = await readMemoryKills(directory);
      if (seen === undefined) return;
      const rising = isRising(last, seen);
      // The group may go in the middle of a look: what is missing then was in the one before.
      last = { ...last, ...seen };
      await waitFor(rising ? lookMs.rising : lookMs.steady, signal);
    }
  };
  void look();
  return () => last;
}

interface Witnesses {
  readonly containerId: string;
  readonly seen: MemoryKills | undefined;
}

/**
 * Podman does not say of every layout of control groups that memory ran out. The group may have counted it in the last
 * look; else the kernel has said whose it was.
 */
export async function withMemory(exit: Exit, { containerId, seen }: Witnesses): Promise<Exit> {
  if (seen === undefined) return exit;
  const { kills, ...memory } = seen;
  if (exit.outOfMemory) return { ...exit, memory };
  const isFailure = exit.by === undefined && (exit.signal === 'SIGKILL' || (exit.code ?? 0) > 0);
  const isByMemory = isFailure && (kills > 0 || (await isInKernelLog(containerId)));
  return isByMemory ? { ...exit, outOfMemory: true, memory } : exit;
}

async function isInKernelLog(containerId: string): Promise<boolean> {
  const lines = ((await readKernelLog(process.env)) ?? '').split('\n');
  return lines.some((line) => line.includes('oom_memcg=') && line.includes(containerId));
}

function isRising(before: MemoryKills | undefined, { peakBytes = 0 }: MemoryKills): boolean {
  return peakBytes > (before?.peakBytes ?? 0) * (1 + risingShare);
}
