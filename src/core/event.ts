/**
 * What happened, as data. Domain code emits these, the supervisor journals its own, views render them.
 * Everything here survives a round trip through JSON.
 */
import type { Diagnosis } from './finding.ts';
import type { Message } from './message.ts';
import type { Pressure, PressureDirection } from './pressure.ts';

/** vLLM's start-up as its log tells it, in order; `verifying` is our own readiness gate. */
export type StartPhase =
  | 'spawned'
  | 'importing'
  | 'configuring'
  | 'engine'
  | 'downloading'
  | 'loading'
  | 'compiling'
  | 'profiling'
  | 'kv-cache'
  | 'capturing'
  | 'warming'
  | 'listening'
  | 'verifying';

/** Numbers that the engine printed about itself while starting. */
export interface StartFacts {
  readonly weightsBytes?: number;
  readonly weightsSeconds?: number;
  readonly kvBytes?: number;
  readonly kvTokens?: number;
  readonly maxConcurrency?: number;
  readonly graphBytes?: number;
  readonly maxModelLen?: number;
  readonly percent?: number;
}

export interface ExitReport {
  /** Why it ended: `exit`, `start-timeout`, `gate`, `operator`, … (facts of restarts). */
  readonly cause: string;
  readonly at: string;
  readonly code?: number;
  readonly signal?: string;
  /** In a word, where it has a name: the cause that a diagnosis names, or a code of ours (`host/gpu-gone`, `xid-79`). */
  readonly reason?: string;
  /** Why the engine failed: title, proof, what would mend it. `unknown` has no name in `reason`. */
  readonly diagnosis?: Diagnosis;
  /** How far its start was, where it ended in it. */
  readonly phase?: StartPhase;
  /** The most telling line of the log. */
  readonly line?: string;
  /** Where memory ran out: the least that might do. */
  readonly neededBytes?: number;
  /** Directory with what was seen before it was ended. */
  readonly bundle?: string;
}

export interface Survivor {
  readonly pid: number;
  readonly command: string;
  /** Kernel state letter and wait channel where readable: why it cannot be ended. */
  readonly state?: string;
  readonly wchan?: string;
}

export interface LaunchedImage {
  /** As the engine was asked for it. */
  readonly reference: string;
  /** `sha256:…` of its configuration. */
  readonly id: string;
  /** `sha256:…` of the registry that it came from; absent for one that was built or loaded here. */
  readonly digest?: string;
}

/** Events of a deployment's life: journaled by its supervisor, in this order of truth. */
export type LifeEvent =
  | { readonly type: 'supervisor-started'; readonly pid: number }
  | { readonly type: 'supervisor-ended' }
  | { readonly type: 'requested'; readonly desired: 'up' | 'down'; readonly by: 'up' | 'down' | 'restart' | 'rollback' }
  | { readonly type: 'preflight' }
  | { readonly type: 'preflight-failed'; readonly code: string; readonly reason: Message; readonly permanent: boolean }
  | { readonly type: 'launching'; readonly backend: string }
  | { readonly type: 'launched'; readonly pid?: number; readonly containerId?: string; readonly image?: LaunchedImage }
  | { readonly type: 'adopted'; readonly pid?: number; readonly containerId?: string; readonly image?: LaunchedImage }
  | { readonly type: 'phase'; readonly phase: StartPhase; readonly elapsedMs: number; readonly facts?: StartFacts }
  | { readonly type: 'ready'; readonly elapsedMs: number; readonly firstTokenMs?: number; readonly servedNames: readonly string[] }
  | { readonly type: 'health'; readonly ready: boolean; readonly reason?: string }
  /** Alive, and slow or hard to see: said, and nothing is done about it. */
  | { readonly type: 'degraded'; readonly reason: string }
  /** It hangs: the last word about this launch. Evidence is taken before it is ended. */
  | { readonly type: 'unhealthy'; readonly cause: StallCause | StartStallCause; readonly forMs: number }
  | { readonly type: 'download'; readonly doneBytes: number; readonly totalBytes?: number; readonly bytesPerSecond?: number }
  /** Requests that were open when the stop began: how many ended by themselves, and how many were cut off. */
  | { readonly type: 'drained'; readonly finished: number; readonly aborted: number }
  /**
   * What runs the engine cannot be asked; nothing is started or ended until it can. `owed`: id of the container of which
   * no process is left, so that only its removal is to be waited for.
   */
  | { readonly type: 'unknown'; readonly reason: string; readonly owed?: string }
  /** A step of ours would have broken an invariant: it was not taken, and nothing is until somebody asks. */
  | { readonly type: 'frozen'; readonly invariant: string; readonly detail: string }
  | { readonly type: 'bundle'; readonly path: string }
  | { readonly type: 'gate-waiting'; readonly check: GateCheck; readonly detail: string }
  | { readonly type: 'exited'; readonly expected: boolean; readonly exit: ExitReport }
  | { readonly type: 'survivors'; readonly survivors: readonly Survivor[] }
  | { readonly type: 'backoff'; readonly attempt: number; readonly delayMs: number; readonly nextStartAt: string }
  | { readonly type: 'crashloop'; readonly attempt: number; readonly delayMs: number; readonly nextStartAt: string }
  | { readonly type: 'failed'; readonly exit: ExitReport }
  | { readonly type: 'stopping'; readonly reason: string; readonly graceMs: number }
  | { readonly type: 'killing'; readonly reason: string }
  | { readonly type: 'stopped' }
  | { readonly type: 'unkillable'; readonly survivors: readonly Survivor[] }
  | { readonly type: 'rolling-back'; readonly reason: string }
  /** A step between profiles because of pressure, or because it is over: names of profiles, and the numbers. */
  | {
      readonly type: 'adapted';
      readonly from: string;
      readonly to: string;
      readonly direction: PressureDirection;
      readonly because: readonly Pressure[];
    }
  /** A step of `fallback`: what it changes of the launch, and the id of the cause that it may cure. */
  | {
      readonly type: 'fell-back';
      readonly step: string;
      readonly changes: readonly { readonly path: string; readonly from?: unknown; readonly to?: unknown }[];
      readonly because: string;
    }
  | { readonly type: 'note'; readonly note: Message };

/** `stall`: work and no progress; `canary`: idle, and not one token; `api`: not even a page of metrics. */
export type StallCause = 'stall' | 'canary' | 'api';
/** While it starts: no sign of life at all, or no byte of the model. */
export type StartStallCause = 'start-stall' | 'download-stall';

export type GateCheck = 'health' | 'models' | 'completion' | 'chat';

/** Events of a command's own work before a supervisor is involved. */
export type WorkEvent =
  | { readonly type: 'step-started'; readonly step: string; readonly text: Message }
  | {
      readonly type: 'step-progress';
      readonly step: string;
      readonly text: Message;
      readonly doneBytes?: number;
      readonly totalBytes?: number;
    }
  | { readonly type: 'step-done'; readonly step: string; readonly text: Message }
  | { readonly type: 'step-failed'; readonly step: string; readonly text: Message }
  | { readonly type: 'said'; readonly level: 'info' | 'warning'; readonly text: Message };

/** Envelope of a life event. `seq` counts from 1 within a deployment; `run` numbers its launches. */
export interface Stamp {
  readonly seq: number;
  /** ISO 8601 UTC. */
  readonly at: string;
  readonly deployment: string;
  readonly run: number;
  readonly launchId?: string;
  readonly simulated?: true;
}
export type DeploymentEvent = Stamp & LifeEvent;
export type DeployEvent = WorkEvent | DeploymentEvent;

export type Emit = (event: DeployEvent) => void;
