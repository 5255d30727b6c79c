/** The public document of a deployment (`status`, `up`, `down`, `restart`), as COMMANDS promises it. */
import type { ExitReport, LaunchedImage, StartPhase } from '../core/event.ts';
import type { Finding } from '../core/finding.ts';
import type { Pressure } from '../core/pressure.ts';
import type { BackendName } from '../profile/profile.ts';

export type LifeState =
  | 'stopped'
  | 'preflight'
  | 'starting'
  | 'ready'
  /** Serves, and slowly or seen badly. */
  | 'degraded'
  /** It hangs; evidence is being taken before it is ended. */
  | 'unhealthy'
  /** Told to stop, and lets running requests end. */
  | 'draining'
  | 'stopping'
  | 'killing'
  | 'reclaiming'
  | 'backoff'
  | 'crashloop'
  | 'failed'
  | 'unkillable'
  /** A new supervisor looks at what the last one left. */
  | 'recovering'
  /** What runs it cannot be asked: nothing is started and nothing is ended until it can. */
  | 'unknown';

/** It answers requests, well or badly. */
export function isServing(life: LifeState): boolean {
  return life === 'ready' || life === 'degraded';
}

export interface Deployment {
  readonly kind: 'Deployment';
  readonly version: 1;
  readonly name: string;
  readonly state: LifeState;
  readonly desired: 'up' | 'down' | 'held';
  readonly profile: string;
  readonly backend: BackendName;
  /** Base URL of the OpenAI API, e.g. `http://127.0.0.1:8000/v1`. */
  readonly endpoint: string;
  readonly servedNames: readonly string[];
  readonly launchId?: string;
  /** How many launches there have been. */
  readonly run: number;
  readonly pid?: number;
  readonly containerId?: string;
  /** Where it runs in Docker. `id`: 64 hexadecimal digits. */
  readonly container?: { readonly id: string; readonly image?: LaunchedImage };
  /** Docker cannot be asked, no process of this container is left, and it is removed as soon as Docker answers. */
  readonly owed?: { readonly containerId: string };
  readonly engine: { readonly version: string };
  readonly model: string;
  readonly port: number;
  readonly startedAt?: string;
  readonly readyAt?: string;
  readonly uptimeSeconds?: number;
  readonly restarts: { readonly sinceStable: number; readonly lastHour: number; readonly total: number };
  readonly nextStartAt?: string;
  readonly lastExit?: ExitReport;
  readonly phase?: StartPhase;
  readonly startsIn?: {
    readonly elapsedSeconds: number;
    /** Median of earlier starts of the same plan. */
    readonly usuallySeconds?: number;
    readonly downloadedBytes?: number;
    readonly totalBytes?: number;
  };
  /** A broken invariant: nothing is done until somebody asks for something. */
  readonly frozen?: { readonly invariant: string; readonly detail: string; readonly at: string };
  /** A lighter profile runs than the one that was asked for (`from`). */
  readonly adapted?: { readonly from: string; readonly since: string; readonly because: readonly Pressure[] };
  /** What is otherwise than the profile says, because it did not start with that. */
  readonly running?: readonly RunningWith[];
  readonly health: { readonly ready: boolean; readonly reason?: string; readonly lastProgressAt?: string };
  readonly supervised: boolean;
  readonly supervisor?: { readonly pid: number };
  readonly simulated: boolean;
  readonly configDrift: boolean;
  /** Live numbers of the engine, when it answers. */
  readonly load?: {
    readonly running: number;
    readonly waiting: number;
    readonly kvUsage: number;
    readonly tokensPerSecond: number;
  };
  readonly findings?: readonly Finding[];
}

/** `from` or `to` absent: it was not set, or is not any more. `because`: id of a cause, or code of a finding. */
export interface RunningWith {
  readonly path: string;
  readonly from?: unknown;
  readonly to?: unknown;
  readonly because: string;
}

export interface DeploymentList {
  readonly kind: 'DeploymentList';
  readonly version: 1;
  readonly deployments: readonly Deployment[];
}
