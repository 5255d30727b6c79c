/** What `doctor` found, as data, and what it comes to. */
import type { DeployError } from '../core/error.ts';
import type { Finding } from '../core/finding.ts';
import type { Message } from '../core/message.ts';
import type { Gpu } from '../gpu/gpu.ts';
import type { Memory } from '../plan/plan.ts';
import type { RankedProfile } from '../plan/rank.ts';
import type { BackendName } from '../profile/profile.ts';
import type { CheckResult, DoctorSubject } from './check.ts';
import type { HostFacts } from './host-facts.ts';

/** `error`: what was asked about cannot work here. `warn`: it can, and something is worth a look. */
export type Verdict = 'ok' | 'warn' | 'error';

export interface BackendFact {
  readonly available: boolean;
  readonly why: Message;
}

export type Backends = Readonly<Record<BackendName, BackendFact>>;

export interface DoctorReport {
  readonly verdict: Verdict;
  /** The last line: what it comes to. */
  readonly summary: Message;
  /** The one command line to type next. */
  readonly next?: string;
  readonly checks: readonly CheckResult[];
  readonly host: HostFacts;
  /** Another machine's: of saved output of nvidia-smi, or of a card that was named. */
  readonly elsewhere?: string;
  readonly gpus: readonly Gpu[];
  /** Why there are none. */
  readonly noGpus?: Message;
  readonly backends: Backends;
  readonly subject?: DoctorSubject;
  /** Why this profile, when nobody named one. */
  readonly chosen?: Message;
  /** Why there is no subject: a profile that cannot be used, or none that could be chosen. */
  readonly problem?: { readonly ref: string; readonly error: DeployError };
  /** Of the profile on this machine, errors first. */
  readonly findings: readonly Finding[];
  /** The best ones first. */
  readonly profiles: readonly RankedProfile[];
  readonly memory?: Memory;
}
