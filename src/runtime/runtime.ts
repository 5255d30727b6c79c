/** The one interface behind which a vLLM runs: process, container, simulator. */
import type { LaunchedImage, Survivor } from '../core/event.ts';
import type { Message } from '../core/message.ts';
import type { GpuBaseline } from '../gpu/baseline.ts';
import type { LaunchSpec } from '../plan/launch-spec.ts';

/** Written before anything is started (so that a crash between the two leaves a trace), completed after. */
export interface LaunchRecord {
  readonly launchId: string;
  readonly run: number;
  readonly backend: LaunchSpec['backend'];
  readonly createdAt: string;
  readonly bootId: string;
  /** Absolute paths of the launch's own files. */
  readonly logFile: string;
  readonly exitFile: string;
  readonly tmpDir: string;
  readonly port: number;
  readonly host: string;
  readonly process?: ProcessIdentity;
  readonly keeper?: ProcessIdentity;
  /** 64 hexadecimal digits. */
  readonly containerId?: string;
  /** Of which the container was really made. */
  readonly image?: LaunchedImage;
  /** Directory of the control group that caps its memory. */
  readonly memoryGroup?: string;
  /** Why a wanted memory cap could not be set. */
  readonly memoryCapProblem?: string;
  /** Directory of the control group that caps the number of its processes; may be the same one. */
  readonly pidsGroup?: string;
  readonly pidsCapProblem?: string;
  /** The CPUs that it has, where those are not what was asked for. */
  readonly cpusProblem?: string;
  /** How many files it may have open, where that is not what was asked for. */
  readonly nofileProblem?: string;
  /** How much of it may be swapped out, where there was to be none of that. */
  readonly swapProblem?: string;
  /** The GPUs that its container has, where those are not what was ordered. */
  readonly gpusProblem?: string;
  /** Its GPUs right before it; absent where there are none or nothing could be told. */
  readonly gpuBaselines?: readonly GpuBaseline[];
  /** The last fault of any GPU in the kernel's log then; empty: none, absent: the log cannot be read. */
  readonly lastXid?: string;
}

/** A pid alone is not an identity: the kernel gives numbers out again. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Field 22 of `/proc/<pid>/stat`: start time in clock ticks since boot. */
  readonly startTicks: number;
}

export interface LaunchOrder {
  readonly deployment: string;
  readonly spec: LaunchSpec;
  readonly record: LaunchRecord;
  /** Values for `spec.secretEnv`, by variable name. */
  readonly secrets: Readonly<Record<string, string>>;
}

export interface Exit {
  readonly code?: number;
  readonly signal?: string;
  /** The kernel ended processes of its container because memory ran out. */
  readonly outOfMemory?: true;
  /** With `outOfMemory`, where its control group was seen: what the last look at it said. */
  readonly memory?: { readonly limitBytes?: number; readonly peakBytes?: number };
  /**
   * Somebody else's hand, where that can be told: its container was removed, was stopped (which is not to be fought), or
   * was restarted (the same one runs again, and can be adopted).
   */
  readonly by?: 'removed' | 'stopped' | 'restarted';
}

/** What happened to a launch and did not end it. */
export type Notice =
  | { readonly type: 'note'; readonly note: Message }
  /** Its main process is gone, and what runs it cannot be asked what that means. */
  | { readonly type: 'out-of-sight'; readonly reason: string };

export interface Runtime {
  /**
   * Starts one engine. Resolves once its identity is known (it is far from ready then).
   * Rejects with a DeployError when nothing was started.
   */
  launch(order: LaunchOrder): Promise<Instance>;
  /** The running engine of a record, verified by identity; undefined when its main process is gone. */
  adopt(record: LaunchRecord): Promise<Instance | undefined>;
  /** What is left of a launch whose main process is gone, so that it can be ended and proven gone. */
  remains(record: LaunchRecord): Remains;
  /**
   * Whose hand has ended the engine of a record while nobody watched; undefined where it ended by itself or nobody can
   * tell. Absent where nothing of the kind can ever be told.
   */
  findHand?(record: LaunchRecord): Promise<Exit | undefined>;
}

/** Handle on everything that belongs to one launch, alive or not. */
export interface Remains {
  /** Live processes of the launch, found by session, log descriptor and recorded descendants. Empty = none. */
  members(): Promise<readonly Survivor[]>;
  /** SIGKILL to every member, identity verified right before each signal, until none is left or `withinMs` passed. */
  kill(withinMs: number): Promise<readonly Survivor[]>;
  /**
   * Whether no process of it is left, by the kernel alone: for when what runs it cannot be asked. Undefined: that cannot
   * be told. Absent where there is nobody else to ask.
   */
  isGone?(): Promise<boolean | undefined>;
  /** Deletes what the launch left in its temporary directory and shared memory. Only after `members()` is empty. */
  tidy(): Promise<void>;
}

export interface Instance extends Remains {
  /** The record with identity filled in. */
  readonly record: LaunchRecord;
  /** Settles once, after the main process has ended; `{}` when its status cannot be known. Never after `release`. */
  readonly exited: Promise<Exit>;
  /** Tells what is noticed from now on, and what was before; asked once. Absent where nothing of the kind can be seen. */
  notices?(tell: (notice: Notice) => void): void;
  /** Throws while what runs it cannot be asked: then its port may be gone with that, and says nothing about it. */
  checkSight?(): Promise<void>;
  /**
   * Remembers what only living processes can tell: descendants that may leave session and log behind, and shared
   * memory that a SIGKILL would leave. To be called when it is ready, and now and then.
   */
  sample(): Promise<void>;
  /**
   * What a look from inside says when it has lost its GPUs, although the machine may have them. Undefined: it has not, or
   * nobody can tell. Rejects when it cannot be looked. Absent where it has the machine's own devices.
   */
  observeLostGpus?(): Promise<string | undefined>;
  /** Asks the main process alone to stop (SIGTERM, then SIGCONT). Silently nothing when it is gone. */
  terminate(): Promise<void>;
  /** Stops watching; the engine is not touched. */
  release(): void;
}
