/** What a supervisor is told, and what it then has done. Both are data; `reduce` turns one into the other. */
import type { ExitReport, GateCheck, LifeEvent, StallCause, StartFacts, StartPhase, Survivor } from '../core/event.ts';
import type { Message } from '../core/message.ts';
import type { LaunchRecord } from '../runtime/runtime.ts';
import type { Deployable } from './state.ts';

export type TimerName = 'start-deadline' | 'bundle' | 'term-again' | 'kill' | 'recheck' | 'next-start' | 'stable';

/** Signals from people; they speak of the deployment, not of one launch. */
export type Command =
  | { readonly type: 'up'; readonly wanted: Deployable; readonly rollback: boolean; readonly by: 'up' | 'restart' }
  | { readonly type: 'down'; readonly graceMs?: number; readonly force: boolean }
  | { readonly type: 'restart'; readonly graceMs?: number };

/** Signals about one launch. They carry its run number, and one of another run is ignored. */
export type RunSignal = { readonly run: number } & (
  | { readonly type: 'preflight-passed'; readonly record: LaunchRecord }
  | { readonly type: 'preflight-failed'; readonly code: string; readonly reason: Message; readonly permanent: boolean }
  | { readonly type: 'launched'; readonly record: LaunchRecord }
  | { readonly type: 'launch-failed'; readonly exit: ExitReport; readonly permanent: boolean }
  | { readonly type: 'phase'; readonly phase: StartPhase; readonly facts?: StartFacts }
  | { readonly type: 'gate-waiting'; readonly check: GateCheck; readonly detail: string }
  | { readonly type: 'gate-passed'; readonly firstTokenMs: number }
  | { readonly type: 'gate-timed-out'; readonly check: GateCheck; readonly detail: string }
  | { readonly type: 'health'; readonly ok: boolean; readonly reason?: string }
  | { readonly type: 'progress' }
  /** Undefined: it is itself again. */
  | { readonly type: 'slow'; readonly reason?: string }
  | { readonly type: 'stalled'; readonly cause: StallCause; readonly forMs: number }
  | { readonly type: 'bundled'; readonly path?: string }
  | { readonly type: 'exited'; readonly exit: ExitReport; readonly permanent: boolean; readonly signature?: string }
  | { readonly type: 'killed'; readonly survivors: readonly Survivor[] }
  | { readonly type: 'reclaimed'; readonly survivors: readonly Survivor[] }
  | { readonly type: 'timer'; readonly timer: TimerName }
);

/** A new supervisor found this persisted state; `alive`: the recorded engine still runs and was adopted. */
export type Recovery = { readonly type: 'recovered'; readonly alive: boolean };

export type Signal = Command | RunSignal | Recovery;

export type Effect =
  | { readonly do: 'emit'; readonly event: LifeEvent }
  | { readonly do: 'preflight' }
  /** Starts the engine of the state's launch record, which is on disk by then. */
  | { readonly do: 'launch' }
  /** Startup probe, readiness gate and reading of the start log, until told to be quiet. */
  | { readonly do: 'watch-start' }
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
  | { readonly do: 'timer'; readonly timer: TimerName; readonly delayMs: number }
  | { readonly do: 'cancel'; readonly timer: TimerName };

/** What `reduce` may know of the world besides its arguments' content. */
export interface Moment {
  readonly wallMs: number;
  /** 0 ≤ x < 1, for jitter. */
  readonly random: number;
}
