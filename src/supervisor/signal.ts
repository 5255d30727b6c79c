/** What a supervisor is told, and what it then has done. Both are data; `reduce` turns one into the other. */
import type { ExitReport, GateCheck, LifeEvent, StallCause, StartFacts, StartPhase, StartStallCause, Survivor } from '../core/event.ts';
import type { Message } from '../core/message.ts';
import type { Pressure, PressureDirection } from '../core/pressure.ts';
import type { LaunchRecord } from '../runtime/runtime.ts';
import type { Deployable } from './state.ts';

export type TimerName = 'sight' | 'start-deadline' | 'bundle' | 'term-again' | 'kill' | 'recheck' | 'next-start' | 'stable';

/** Signals from people; they speak of the deployment, not of one launch. */
export type Command =
  | { readonly type: 'up'; readonly wanted: Deployable; readonly rollback: boolean; readonly by: 'up' | 'restart' }
  | { readonly type: 'down'; readonly graceMs?: number; readonly force: boolean }
  | { readonly type: 'restart'; readonly graceMs?: number };

/** Signals about one launch. They carry its run number, and one of another run is ignored. */
export type RunSignal = { readonly run: number } & (
  | { readonly type: 'preflight-passed'; readonly record: LaunchRecord }
  | {
      readonly type: 'preflight-failed';
      readonly code: string;
      readonly reason: Message;
      readonly permanent: boolean;
      readonly waits?: true;
    }
  | { readonly type: 'launched'; readonly record: LaunchRecord }
  | { readonly type: 'launch-failed'; readonly exit: ExitReport; readonly permanent: boolean; readonly waits?: true }
  | { readonly type: 'phase'; readonly phase: StartPhase; readonly facts?: StartFacts }
  /** Bytes of the model that are here. */
  | { readonly type: 'downloading'; readonly doneBytes: number; readonly totalBytes?: number; readonly bytesPerSecond?: number }
  /** No sign of life while it starts. */
  | { readonly type: 'start-stalled'; readonly cause: StartStallCause; readonly forMs: number; readonly detail: string }
  | { readonly type: 'gate-waiting'; readonly check: GateCheck; readonly detail: string }
  | { readonly type: 'gate-passed'; readonly firstTokenMs: number }
  | { readonly type: 'gate-timed-out'; readonly check: GateCheck; readonly detail: string }
  | { readonly type: 'health'; readonly ok: boolean; readonly reason?: string }
  /** Serving: a counter moved. Starting: a sign of life, which keeps the deadline off. */
  | { readonly type: 'progress' }
  /** Undefined: it is itself again. */
  | { readonly type: 'slow'; readonly reason?: string }
  | { readonly type: 'stalled'; readonly cause: StallCause; readonly forMs: number }
  /** Pressure on what serves, or none any more. */
  | { readonly type: 'adapt'; readonly to: PressureDirection; readonly because: readonly Pressure[] }
  /** Requests still open while it drains. */
  | { readonly type: 'in-flight'; readonly requests: number }
  /** What runs the engine cannot be asked any more. That says nothing about the engine; `gone` is what the kernel shows. */
  | { readonly type: 'out-of-sight'; readonly reason: string; readonly gone?: boolean }
  /** `why`: what was found says more than that it hangs. */
  | {
      readonly type: 'bundled';
      readonly path?: string;
      readonly why?: Partial<Pick<ExitReport, 'cause' | 'reason' | 'line' | 'diagnosis'>>;
    }
  | { readonly type: 'exited'; readonly exit: ExitReport; readonly permanent: boolean; readonly signature?: string }
  | { readonly type: 'killed'; readonly survivors: readonly Survivor[] }
  /** `held`: no process is left, and memory of the GPU did not come back. */
  | { readonly type: 'reclaimed'; readonly survivors: readonly Survivor[]; readonly held?: ExitReport }
  /** What a step of `fallback` would start; without `wanted` it cannot. */
  | { readonly type: 'fallback-planned'; readonly step: string; readonly wanted?: Deployable }
  | { readonly type: 'timer'; readonly timer: TimerName }
);

/** A new supervisor begins with a persisted state. */
export type Recovering = { readonly type: 'recovering' };
/** What came of looking: the recorded engine runs and was adopted, is gone, or nobody can tell. */
export type Recovery = {
  readonly type: 'recovered';
  readonly alive: boolean | 'unknown';
  readonly reason?: string;
  /** Where nobody can tell: whether the kernel has no process of it any more. */
  readonly gone?: boolean;
  readonly exit?: ExitReport;
  /** Of the adopted engine, as it was found: another process than the one that was recorded may be its first. */
  readonly record?: LaunchRecord;
};

export type Signal = Command | RunSignal | Recovering | Recovery;

export type Effect =
  | { readonly do: 'emit'; readonly event: LifeEvent }
  | { readonly do: 'preflight' }
  /** Starts the engine of the state's launch record, which is on disk by then. */
  | { readonly do: 'launch' }
  /** Startup probe, readiness gate and reading of the start log, until told to be quiet. */
  | { readonly do: 'watch-start' }
  /** Looks whether the engine of the record lives, and takes it over. Always answers with `recovered`. */
  | { readonly do: 'recover' }
  /** Counts the requests that are still open. */
  | { readonly do: 'watch-drain' }
  /** `/health` and the progress of a ready engine. */
  | { readonly do: 'watch-health' }
  /** What can be seen of a hanging engine, written down. Always answers with `bundled`. */
  | { readonly do: 'bundle' }
  /** Ends all probes and log reading of this launch. */
  | { readonly do: 'quiet' }
  | { readonly do: 'terminate' }
  | { readonly do: 'kill' }
  /** Ends leftovers, proves that nothing is left and the port is free, deletes temporary files. */
  | { readonly do: 'reclaim' }
  /** Plans the step that the state is about to take. Always answers with `fallback-planned`. */
  | { readonly do: 'plan-fallback' }
  | { readonly do: 'timer'; readonly timer: TimerName; readonly delayMs: number }
  | { readonly do: 'cancel'; readonly timer: TimerName };

/** What `reduce` may know of the world besides its arguments' content. */
export interface Moment {
  readonly wallMs: number;
  /** 0 ≤ x < 1, for jitter. */
  readonly random: number;
}
