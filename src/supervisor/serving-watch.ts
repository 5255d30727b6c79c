/** Watches one engine that serves: its health, and whether it makes progress. */
import type { Clock } from '../core/clock.ts';
import type { LaunchSpec } from '../plan/launch-spec.ts';
import { type ProbeTarget, watchHealth } from './probes.ts';
import { watchProgress } from './progress-watch.ts';
import type { RunSignal } from './signal.ts';
import { toProbeTarget } from './start-watch.ts';

export interface ServingWatch {
  readonly run: number;
  readonly spec: LaunchSpec;
  readonly apiKey: ProbeTarget['apiKey'];
  readonly clock: Clock;
  readonly push: (signal: RunSignal) => void;
  /** The last pages of `/metrics`, oldest first: kept for the crash bundle. */
  readonly pages: string[];
}

const pagesMost = 3;

/** Until it is told to stop. When one of the two fails for reasons of ours, both end, to begin again together. */
export async function watchServing({ run, spec, apiKey, clock, push, pages }: ServingWatch, signal: AbortSignal): Promise<void> {
  const both = new AbortController();
  const watched = AbortSignal.any([signal, both.signal]);
  const target = toProbeTarget(spec, apiKey);
  const settings = { stallAfterMs: spec.health.stallAfterMs, canaryEveryMs: spec.health.canaryIntervalMs, ...toMaxModelLen(spec.args) };
  const reports = {
    onProgress: () => push({ type: 'progress', run }),
    onSlow: (reason: string | undefined) => push({ type: 'slow', run, ...(reason === undefined ? {} : { reason }) }),
    onStall: (cause: Extract<RunSignal, { type: 'stalled' }>['cause'], forMs: number) => push({ type: 'stalled', run, cause, forMs }),
    onPage: (page: string) => {
      pages.push(page);
      pages.splice(0, pages.length - pagesMost);
    },
  };
  try {
    await Promise.all([
      watchHealth(target, (ok, reason) => push({ type: 'health', run, ok, ...(reason ? { reason } : {}) }), watched),
      watchProgress({ target, settings, clock, random: Math.random }, reports, watched),
    ]);
  } finally {
    both.abort();
  }
}

function toMaxModelLen(args: readonly string[]): { readonly maxModelLen?: number } {
  const at = args.indexOf('--max-model-len');
  const length = at < 0 ? Number.NaN : Number(args[at + 1]);
  return length > 0 ? { maxModelLen: length } : {};
}
