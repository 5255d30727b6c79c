/** What a supervisor knows, persisted before it acts. Plain data; `reduce` is the only maker of new ones. */
import type { ExitReport, LaunchedImage, StartPhase, Survivor } from '../core/event.ts';
import type { LaunchSpec } from '../plan/launch-spec.ts';
import type { FallbackStep, LogSettings, Notification } from '../profile/profile.ts';
import type { LaunchRecord } from '../runtime/runtime.ts';
import { type Deployment, isServing, type LifeState } from './deployment.ts';
import { toRunningWith } from './fixes.ts';
import type { Falling } from './reduce/fallback.ts';
import type { Invariant } from './reduce/invariants.ts';
import { type Adapted, type AdaptPlan, toAdaptedNow } from './reduce/ladder.ts';
import type { Command } from './signal.ts';
import { toUnheld } from './unheld.ts';

/** Raised when the shape changes; a newer one on disk is refused. */
export const stateSchema = 2;

/** What somebody asked to be served: the launch spec and what `status` says of its origin. */
export interface Deployable {
  readonly profile: string;
  readonly spec: LaunchSpec;
  /** Beside the spec and its hash: to tell somebody else restarts nothing. */
  readonly notify?: readonly Notification[];
  /** UUIDs, or indexes, of the GPUs that it is started on; absent where there are none. */
  readonly gpus?: readonly string[];
  /** Beside the hash too: lighter profiles, and when to step to them. */
  readonly adapt?: AdaptPlan;
  /** Beside the hash too: what to try when it does not start. */
  readonly fallback?: readonly FallbackStep[];
  /** Beside the hash too. Absent from records of versions that kept everything. */
  readonly logs?: LogSettings;
  /** How to make the spec again from the profile as it is then, to notice drift. */
  readonly source: {
    readonly ref: string;
    /** Everything that was set, `fixes` too. */
    readonly sets: readonly string[];
    /** What was set without them; absent where there are none. */
    readonly asked?: readonly string[];
    readonly fixes?: readonly Fix[];
    /** Started although our checks refuse it, and so again. */
    readonly unchecked?: true;
    /** One of several replicas: the name of all of them together, and its number from 1. */
    readonly member?: { readonly group: string; readonly replica: number };
  };
}

/** A change to what was asked for, made because a start without it failed. It is the deployment's, not the profile's. */
export interface Fix {
  /** As in `--set`; null leaves a setting out. */
  readonly set: Readonly<Record<string, unknown>>;
  /** Id of the cause, or code of the finding, that it is for. */
  readonly cause: string;
  readonly at: string;
  /** Nobody asked for it: a step of the profile's own `fallback`, by its name. */
  readonly by?: 'fallback';
  readonly step?: string;
  /** What it changed of the launch, setting by setting. */
  readonly changes: readonly { readonly path: string; readonly from?: unknown; readonly to?: unknown }[];
}

/** A mistake of ours that was noticed before it did anything. */
export interface Frozen {
  readonly invariant: Invariant;
  readonly detail: string;
  readonly at: string;
}

/** Requests that were open when the stop was asked for, and at the last look. */
export interface Drain {
  readonly since: string;
  readonly open?: number;
  readonly left?: number;
}

export interface Download {
  readonly doneBytes: number;
  readonly totalBytes?: number;
  readonly bytesPerSecond?: number;
  /** When it was last said, ms since the epoch. */
  readonly saidMs: number;
}

export interface Health {
  readonly ready: boolean;
  readonly reason?: string;
  /** Of `/health`, in a row. */
  readonly misses: number;
  /** What makes it slow, where it is. */
  readonly slow?: string;
  /** When a counter of the engine last moved, or a token came, as far as we looked. */
  readonly lastProgressAt?: string;
}

/** Why the current launch is being ended; decides where `reclaiming` leads. */
export type EndReason =
  | { readonly is: 'down' }
  | { readonly is: 'replace' }
  | {
      readonly is: 'failure';
      readonly exit: ExitReport;
      readonly permanent: boolean;
      readonly signature?: string;
      /** Nothing failed: it cannot start yet. */
      readonly waits?: true;
    };

export interface State {
  readonly schema: typeof stateSchema;
  readonly name: string;
  readonly desired: 'up' | 'down';
  readonly life: LifeState;
  /** In `recovering` and `unknown`: what was last known. */
  readonly before?: LifeState;
  /** In `unknown`: id of the container of which no process is left; what is owed is its removal. */
  readonly owed?: string;
  /** Asked for while nothing could be done; done as soon as it can. */
  readonly deferred?: Command;
  readonly frozen?: Frozen;
  /** Number of the current or last launch; every signal about a launch carries it. */
  readonly run: number;
  readonly wanted: Deployable;
  /** The last one that was ready: what a failed replacement falls back to. */
  readonly lastGood?: Deployable;
  /** Steps that pressure has caused. */
  readonly adapted?: Adapted;
  readonly rollback: boolean;
  readonly launch?: LaunchRecord;
  /** Of the last container: a tag may mean another one at the next launch. */
  readonly lastImage?: LaunchedImage;
  readonly ending?: EndReason;
  /** How long this stop may take before everything is killed, ms. */
  readonly graceMs?: number;
  /** SIGTERMs sent to an engine that was still starting (vLLM swallows the first). */
  readonly termsSent: number;
  readonly startedAt?: string;
  readonly readyAt?: string;
  readonly nextStartAt?: string;
  readonly phase?: StartPhase;
  /** Since when. */
  readonly phaseAt?: string;
  readonly download?: Download;
  readonly drain?: Drain;
  readonly health: Health;
  /** Failures in a row since the engine was last ready for long. */
  readonly failures: number;
  /** Tries made in `crashloop`. */
  readonly slowTries: number;
  /** Unasked restarts of the last 24 hours, ISO times. */
  readonly restarts: readonly string[];
  readonly restartsTotal: number;
  readonly lastExit?: ExitReport;
  /** Normalised message of the last failed start; the same twice in a row is not worth a third try. */
  readonly lastSignature?: string;
  /** In `backoff`: a step of `fallback` is being planned. */
  readonly falling?: Falling;
  /** In `backoff`: nothing failed, what it needs is not there yet. */
  readonly waits?: true;
  /** How many times in a row. */
  readonly sameFailures?: number;
  readonly survivors?: readonly Survivor[];
}

export function toFirstState(name: string, wanted: Deployable): State {
  return {
    schema: stateSchema,
    name,
    desired: 'down',
    life: 'stopped',
    run: 0,
    wanted,
    rollback: true,
    termsSent: 0,
    health: { ready: false, misses: 0 },
    failures: 0,
    slowTries: 0,
    restarts: [],
    restartsTotal: 0,
  };
}

export interface Surroundings {
  readonly supervisorPid?: number;
  readonly wallMs: number;
  readonly load?: Deployment['load'];
  /** What starts of this plan usually take. */
  readonly usuallySeconds?: number;
  /** Hash of what the profile would give today, when the caller knows it. */
  readonly configDrift?: boolean;
}

/** The public document of a state. */
export function toDeployment(state: State, around: Surroundings): Deployment {
  const { spec, profile } = state.wanted;
  const adapted = toAdaptedNow(state);
  const known = state.before ?? state.life;
  const serving = isServing(known) || known === 'draining';
  const alive = serving || known === 'starting' || known === 'unhealthy' || (state.life === 'unknown' && ending.includes(known));
  const hourAgo = around.wallMs - 3_600_000;
  return {
    kind: 'Deployment',
    version: 1,
    name: state.name,
    state: state.life,
    desired: state.desired,
    profile,
    backend: spec.backend,
    endpoint: toEndpoint(spec),
    servedNames: spec.servedNames,
    ...(state.launch ? { launchId: state.launch.launchId } : {}),
    run: state.run,
    ...(state.owed === undefined ? {} : { owed: { containerId: state.owed } }),
    ...(alive && state.owed === undefined && state.launch?.process ? { pid: state.launch.process.pid } : {}),
    ...(alive && state.launch ? toContainer(state.launch) : {}),
    engine: { version: spec.engineVersion },
    model: spec.model,
    port: spec.endpoint.port,
    ...(alive && state.startedAt ? { startedAt: state.startedAt } : {}),
    ...(serving && state.readyAt
      ? { readyAt: state.readyAt, uptimeSeconds: Math.max(0, Math.round((around.wallMs - Date.parse(state.readyAt)) / 1000)) }
      : {}),
    restarts: {
      sinceStable: state.failures,
      lastHour: state.restarts.filter((at) => Date.parse(at) > hourAgo).length,
      total: state.restartsTotal,
    },
    // While a step is planned it is only the limit of that.
    ...(state.nextStartAt && !state.falling ? { nextStartAt: state.nextStartAt } : {}),
    ...(state.lastExit ? { lastExit: state.lastExit } : {}),
    ...(state.life === 'starting' && state.phase ? { phase: state.phase } : {}),
    ...(state.life === 'preflight' || state.life === 'starting' ? { startsIn: toStartsIn(state, around) } : {}),
    ...(state.frozen ? { frozen: state.frozen } : {}),
    ...(adapted ? { adapted } : toRunningWith(state.wanted.source)),
    health: toHealth(state.health),
    supervised: around.supervisorPid !== undefined,
    ...(around.supervisorPid === undefined ? {} : { supervisor: { pid: around.supervisorPid } }),
    simulated: spec.simulated,
    configDrift: around.configDrift ?? false,
    ...(around.load ? { load: around.load } : {}),
    ...(alive && state.launch ? toFindings(state.launch) : {}),
  };
}

function toFindings(launch: LaunchRecord): Pick<Deployment, 'findings'> {
  const findings = toUnheld(launch);
  return findings.length === 0 ? {} : { findings };
}

/** Something of it may live in these, and where it cannot be seen nobody knows. */
const ending: readonly LifeState[] = ['stopping', 'killing', 'reclaiming', 'unkillable'];

/** As it was when it was launched: nobody asks Docker for a status. */
function toContainer({ containerId: id, image }: LaunchRecord): Pick<Deployment, 'containerId' | 'container'> {
  return id === undefined ? {} : { containerId: id, container: { id, ...(image ? { image } : {}) } };
}

function toStartsIn({ download, startedAt }: State, { wallMs, usuallySeconds }: Surroundings): NonNullable<Deployment['startsIn']> {
  return {
    elapsedSeconds: startedAt === undefined ? 0 : Math.max(0, Math.round((wallMs - Date.parse(startedAt)) / 1000)),
    ...(usuallySeconds === undefined ? {} : { usuallySeconds }),
    ...(download === undefined ? {} : { downloadedBytes: download.doneBytes }),
    ...(download?.totalBytes === undefined ? {} : { totalBytes: download.totalBytes }),
  };
}

function toHealth({ ready, reason, slow, lastProgressAt }: Health): Deployment['health'] {
  // That somebody has stopped it explains why it does not answer.
  const why = slow === 'paused' ? slow : (reason ?? slow);
  return { ready, ...(why ? { reason: why } : {}), ...(lastProgressAt ? { lastProgressAt } : {}) };
}

/** A wildcard address cannot be connected to; loopback can. */
function toEndpoint(spec: LaunchSpec): string {
  return `http://${toUrlHost(toProbeHost(spec.endpoint.host))}:${spec.endpoint.port}/v1`;
}

export function toProbeHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}

function toUrlHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
