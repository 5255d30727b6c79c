/** What a check is: one question about this machine, with an answer that a person can act on. */
import type { Message } from '../core/message.ts';
import type { ObservedPython } from '../engine/python.ts';
import type { GpuObservation } from '../gpu/gpu.ts';
import type { DockerObservation } from '../host/docker/observe.ts';
import type { Places } from '../host/environment.ts';
import type { RunResult } from '../host/exec.ts';
import type { Facts } from '../plan/facts.ts';
import type { Plan } from '../plan/plan.ts';
import type { Profile } from '../profile/profile.ts';

/** In the order of the report. */
export const checkGroups = ['gpu', 'host', 'engine', 'docker', 'network', 'service'] as const;

export type CheckGroup = (typeof checkGroups)[number];

export type CheckStatus = 'pass' | 'warn' | 'fail' | 'skip';

export interface Check {
  /** Stable: `gpu.present`, `docker.reachable`. `check.ID.meaning` and `check.ID.mend` of the texts explain it. */
  readonly id: string;
  readonly group: CheckGroup;
  /** After it the answer is `skip`, said as such; 1500 ms when absent. */
  readonly limitMs?: number;
  /** Whether a failure keeps this profile from running; absent: never (a failure is then bad news, but no reason to end with status 4). */
  readonly isNeeded?: (subject: DoctorSubject) => boolean;
  /** Skips with a reason when its subject is absent. May throw: that is shown as `skip` with the error's words. */
  readonly run: (context: DoctorContext) => CheckOutcome | Promise<CheckOutcome>;
}

export interface CheckOutcome {
  readonly status: CheckStatus;
  readonly message: Message;
  /** The next step, for `warn` and `fail`. */
  readonly hint?: Message;
  /** What was read and where, untranslated: `/sys/…/numa_node: 1`. */
  readonly evidence?: readonly string[];
  readonly fix?: Fix;
}

/**
 * `command`: printed, never run by us. `directory`, `mode`: done by `doctor --fix` after showing it, only inside of our
 * own places. `profile`: a `--set`-able map that `--fix` writes into the person's own profile file.
 */
export type Fix =
  | { readonly is: 'command'; readonly command: string }
  | { readonly is: 'directory'; readonly path: string; readonly mode: number }
  | { readonly is: 'mode'; readonly path: string; readonly mode: number }
  | { readonly is: 'profile'; readonly set: Readonly<Record<string, unknown>> };

/** One of ours that no deployment knows any more. */
export interface LeftContainer {
  readonly id: string;
  readonly name: string;
  readonly deployment: string;
  /** Of the directories that are looked at now; otherwise of another home. */
  readonly isOfThisHome: boolean;
}

/** What the doctor is asked about: the profile that was named, else the one that `auto` chooses. */
export interface DoctorSubject {
  readonly profile: Profile;
  readonly plan: Plan;
  readonly facts: Facts;
  /** The person named it. */
  readonly asked: boolean;
  /** Its deployment is up: the memory and the port that are taken are taken by it. */
  readonly running: boolean;
}

/** The world as checks may see it. Tests hand in another root and other programs. */
export interface DoctorContext {
  /** `/`, but for tests: all of /proc, /sys, /dev, /etc, /run is read below it. */
  readonly root: string;
  readonly env: NodeJS.ProcessEnv;
  readonly places: Places;
  readonly cwd: string;
  readonly signal: AbortSignal;
  /** No network. */
  readonly offline: boolean;
  /** Undefined when no profile could be read or chosen. */
  readonly subject?: DoctorSubject;
  /** Observed once, whoever asks first. With `--nvidia-smi FILE` those of the file. */
  readonly gpus: () => Promise<GpuObservation>;
  /** GPUs are of a file: this machine's /sys, /dev and logs say nothing about them. */
  readonly gpusFromFile: boolean;
  readonly docker: () => Promise<DockerObservation>;
  /** Rejects with what keeps the engine from telling them. */
  readonly leftContainers: () => Promise<readonly LeftContainer[]>;
  /** Those that an engine could be installed with; each is a program to run. */
  readonly pythons: () => Promise<readonly ObservedPython[]>;
  /** Never rejects; the time limit is the check's own. */
  readonly run: (program: string, args: readonly string[]) => Promise<RunResult>;
}

export interface CheckResult extends CheckOutcome {
  readonly id: string;
  readonly group: CheckGroup;
  /** A failure that keeps the subject from running. */
  readonly needed: boolean;
}
