/** Watches one engine that serves: its health, and whether it makes progress. */
import type { Clock } from '../../core/clock.ts';
import type { Survivor } from '../../core/event.ts';
import type { LaunchSpec } from '../../plan/launch-spec.ts';
import { type ProbeTarget, watchHealth } from '../probes.ts';
import type { RunSignal } from '../signal.ts';
import { toProbeTarget } from '../start/watch.ts';
import { isPaused } from './paused.ts';
import { watchProgress } from './progress-watch.ts';

export interface ServingWatch {
  readonly run: number;
  readonly spec: LaunchSpec;
  readonly apiKey: ProbeTarget['apiKey'];
  readonly clock: Clock;
  readonly push: (signal: RunSignal) => void;
  /** The last pages of `/metrics`, oldest first: kept for the crash bundle. */
  readonly pages: string[];
  /** Each page of `/metrics` too, for the history. */
  readonly onPage?: (page: string, run: number) => void;
  /** What lives of the launch: whether somebody has stopped all of it. */
  readonly members: () => Promise<readonly Survivor[]>;
  /** Reports when its GPUs lower their clocks, or are out of its reach, until told to stop. */
  readonly gpus: (report: (reason: string | undefined) => void, signal: AbortSignal) => Promise<void>;
}

const pagesMost = 3;

/** Until it is told to stop. When one of the two fails for reasons of ours, both end, to begin again together. */
export async function watchServing(watch: ServingWatch, signal: AbortSignal): Promise<void> {
  const { run, spec, apiKey, clock, push, pages, onPage } = watch;
  const both = new AbortController();
  const watched = AbortSignal.any([signal, both.signal]);
  const target = toProbeTarget(spec, apiKey);
  const settings = { stallAfterMs: spec.health.stallAfterMs, canaryEveryMs: spec.health.canaryIntervalMs, ...toMaxModelLen(spec.args) };
  const tellSlow = createSlowReport((reason) => push({ type: 'slow', run, ...(reason === undefined ? {} : { reason }) }));
  const reports = {
    onProgress: () => push({ type: 'progress', run }),
    onSlow: (reason: string | undefined) => tellSlow({ progress: reason }),
    onStall: (cause: Extract<RunSignal, { type: 'stalled' }>['cause'], forMs: number) => push({ type: 'stalled', run, cause, forMs }),
    onPage: (page: string) => {
      pages.push(page);
      pages.splice(0, pages.length - pagesMost);
      onPage?.(page, run);
    },
  };
  try {
    await Promise.all([
      watchHealth(target, (ok, reason) => push({ type: 'health', run, ok, ...(reason ? { reason } : {}) }), watched),
      watchProgress(
        { target, settings, clock, random: Math.random, isPaused: async () => isPaused(await watch.members()) },
        reports,
        watched,
      ),
      watch.gpus((reason) => tellSlow({ gpus: reason }), watched),
    ]);
  } finally {
    both.abort();
  }
}

/** Two may find it slow. What its own work shows says more than its GPUs. */
function createSlowReport(report: (reason: string | undefined) => void) {
  let slow: { readonly progress?: string | undefined; readonly gpus?: string | undefined } = {};
  return (found: typeof slow) => {
    slow = { ...slow, ...found };
    report(slow.progress ?? slow.gpus);
  };
}

function toMaxModelLen(args: readonly string[]): { readonly maxModelLen?: number } {
  const at = args.indexOf('--max-model-len');
  const length = at < 0 ? Number.NaN : Number(args[at + 1]);
  return length > 0 ? { maxModelLen: length } : {};
}
