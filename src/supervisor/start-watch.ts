/** Watches one start: phases from the engine's log, readiness over HTTP. Ends by itself when the gate is decided. */
import { waitFor } from '../core/clock.ts';
import { openTail } from '../host/tail.ts';
import type { LaunchSpec } from '../plan/launch-spec.ts';
import type { LaunchRecord } from '../runtime/runtime.ts';
import { emptyStartLog, reduceStartLog } from '../vllm/start-log.ts';
import { type ProbeTarget, waitUntilServing } from './probes.ts';
import type { RunSignal } from './signal.ts';

const logPollMs = 150;

export interface StartWatch {
  readonly spec: LaunchSpec;
  readonly record: LaunchRecord;
  readonly apiKey: ProbeTarget['apiKey'];
  readonly push: (signal: RunSignal) => void;
}

export async function watchStart(watch: StartWatch, signal: AbortSignal): Promise<void> {
  const { spec, record, push } = watch;
  const { run } = record;
  const done = new AbortController();
  const both = AbortSignal.any([signal, done.signal]);
  const following = followPhases(watch, both);
  const outcome = await waitUntilServing(
    toProbeTarget(spec, watch.apiKey),
    {
      // The log is read to its end first: its phases come before ours.
      onAnswering: () => {
        done.abort();
        void following.then(() => push({ type: 'phase', run, phase: 'verifying' }));
      },
      onWaiting: (check, detail) => push({ type: 'gate-waiting', run, check, detail }),
    },
    signal,
  );
  done.abort();
  await following;
  if (outcome.is === 'passed') push({ type: 'gate-passed', run, firstTokenMs: outcome.firstTokenMs });
  if (outcome.is === 'timed-out') push({ type: 'gate-timed-out', run, check: outcome.check, detail: outcome.detail });
}

export function toProbeTarget(spec: LaunchSpec, apiKey: ProbeTarget['apiKey']): ProbeTarget {
  return { ...spec.endpoint, servedNames: spec.servedNames, apiKey, health: spec.health };
}

async function followPhases({ record, push }: StartWatch, signal: AbortSignal): Promise<void> {
  const tail = openTail(record.logFile);
  let state = emptyStartLog;
  for (;;) {
    for (const line of await tail.readLines()) {
      const step = reduceStartLog(state, line);
      state = step.state;
      if (step.news) push({ type: 'phase', run: record.run, ...step.news });
    }
    if (signal.aborted) return;
    await waitFor(logPollMs, signal);
  }
}
