/** Watches one start: phases from the engine's log, signs of life, readiness over HTTP. Ends by itself when the gate is decided. */
import { type Clock, waitFor } from '../../core/clock.ts';
import { createRedactor } from '../../core/redact.ts';
import type { LaunchSpec } from '../../plan/launch-spec.ts';
import type { LaunchRecord } from '../../runtime/runtime.ts';
import { type ProbeTarget, waitUntilServing } from '../probes.ts';
import type { RunSignal } from '../signal.ts';
import { type LifeReports, watchLife } from './life.ts';
import { StartLog } from './log-reader.ts';
import type { Watched } from './signs.ts';

const logPollMs = 150;

export interface StartWatch {
  readonly spec: LaunchSpec;
  readonly record: LaunchRecord;
  readonly apiKey: ProbeTarget['apiKey'];
  /** Live processes of the launch. */
  readonly members: Watched['members'];
  readonly weightsOf?: (spec: LaunchSpec) => Promise<number | undefined>;
  /** What must not stand in what is said of it. */
  readonly secrets: () => readonly string[];
  readonly clock: Clock;
  readonly push: (signal: RunSignal) => void;
}

export async function watchStart(watch: StartWatch, signal: AbortSignal): Promise<void> {
  const { spec, record, push, members, weightsOf, clock } = watch;
  const { run } = record;
  const done = new AbortController();
  const ended = new AbortController();
  const both = AbortSignal.any([signal, done.signal]);
  const log = new StartLog(record.logFile, (news) => push({ type: 'phase', run, ...news }));
  const following = followLog(log, both);
  const living = watchLife({ spec, record, log, members, weightsOf, clock }, toReports(watch), both);
  try {
    const gate = waitUntilServing(
      toProbeTarget(spec, watch.apiKey),
      {
        // The log is read to its end first: its phases come before ours.
        onAnswering: () => {
          done.abort();
          // That it failed is said below.
          following.then(() => push({ type: 'phase', run, phase: 'verifying' })).catch(() => undefined);
        },
        onWaiting: (check, detail) => push({ type: 'gate-waiting', run, check, detail }),
      },
      AbortSignal.any([signal, ended.signal]),
    );
    // When one of them fails for reasons of ours, all end, to begin again together.
    const [outcome] = await Promise.all([gate, following, living]);
    if (outcome.is === 'passed') push({ type: 'gate-passed', run, firstTokenMs: outcome.firstTokenMs });
    if (outcome.is === 'timed-out') push({ type: 'gate-timed-out', run, check: outcome.check, detail: outcome.detail });
  } finally {
    done.abort();
    ended.abort();
  }
}

export function toProbeTarget(spec: LaunchSpec, apiKey: ProbeTarget['apiKey']): ProbeTarget {
  return { ...spec.endpoint, servedNames: spec.servedNames, apiKey, needsKey: spec.apiKey !== undefined, health: spec.health };
}

function toReports({ record: { run }, push, secrets }: StartWatch): LifeReports {
  return {
    onLife: () => push({ type: 'progress', run }),
    onDownload: (news) => push({ type: 'downloading', run, ...news }),
    onStall: ({ detail, ...stall }) => {
      const clean = createRedactor({ secrets: secrets(), home: '', hostname: '' });
      push({ type: 'start-stalled', run, ...stall, detail: clean(detail) });
    },
  };
}

/** To the end of the log, also when it is told to stop: what stands there happened before. */
async function followLog(log: StartLog, signal: AbortSignal): Promise<void> {
  for (;;) {
    const last = signal.aborted;
    await log.read();
    if (last) return;
    await waitFor(logPollMs, signal);
  }
}
