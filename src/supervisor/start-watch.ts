/** Watches one start: phases from the engine's log, readiness over HTTP. Ends by itself when the gate is decided. */
import { waitFor } from '../core/clock.ts';
import { errnoOf } from '../host/files.ts';
import { openTail, type Tail } from '../host/tail.ts';
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
  const following = followPhases(watch, AbortSignal.any([signal, done.signal]));
  try {
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
    await following;
    if (outcome.is === 'passed') push({ type: 'gate-passed', run, firstTokenMs: outcome.firstTokenMs });
    if (outcome.is === 'timed-out') push({ type: 'gate-timed-out', run, check: outcome.check, detail: outcome.detail });
  } finally {
    done.abort();
  }
}

export function toProbeTarget(spec: LaunchSpec, apiKey: ProbeTarget['apiKey']): ProbeTarget {
  return { ...spec.endpoint, servedNames: spec.servedNames, apiKey, needsKey: spec.apiKey !== undefined, health: spec.health };
}

/** To the end of the log, also when it is told to stop: what stands there happened before. */
async function followPhases({ record, push }: StartWatch, signal: AbortSignal): Promise<void> {
  const tail = openTail(record.logFile);
  let state = emptyStartLog;
  for (;;) {
    const last = signal.aborted;
    do {
      for (const line of await readQuietly(tail)) {
        const step = reduceStartLog(state, line);
        state = step.state;
        if (step.news) push({ type: 'phase', run: record.run, ...step.news });
      }
    } while (tail.behind);
    if (last) return;
    await waitFor(logPollMs, signal);
  }
}

/** Phases are for the eye: a log that cannot be read right now does not hold up the gate. */
async function readQuietly(tail: Tail): Promise<readonly string[]> {
  try {
    return await tail.readLines();
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return [];
  }
}
