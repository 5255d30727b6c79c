/**
 * How much memory a container took. Its control group goes with its last process, and the kernel's counts with it: so
 * they are looked at while it runs, and the last look is what is known afterwards.
 */
import { waitFor } from '../../core/clock.ts';
import { type MemoryKills, readMemoryKills } from '../../host/cgroup-memory.ts';
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
      last = seen;
      await waitFor(rising ? lookMs.rising : lookMs.steady, signal);
    }
  };
  void look();
  return () => last;
}

export function withMemory(exit: Exit, seen: MemoryKills | undefined): Exit {
  if (seen === undefined || exit.outOfMemory === undefined) return exit;
  const { kills: _kills, ...memory } = seen;
  return { ...exit, memory };
}

function isRising(before: MemoryKills | undefined, { peakBytes = 0, limitBytes = Number.POSITIVE_INFINITY }: MemoryKills): boolean {
  // At the limit the peak is known: it rises no further.
  return peakBytes < limitBytes && peakBytes > (before?.peakBytes ?? 0) * (1 + risingShare);
}
