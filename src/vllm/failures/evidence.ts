/** What a diagnosis is made of: what a scan found in a log, and what others know of the end. Plain data. */
import type { StartPhase } from '../../core/event.ts';
import type { FlagCatalogue, FlagHistory } from '../flags.ts';
import type { CauseId } from './causes.ts';

export type ProcessRole = 'api' | 'engine' | 'worker' | 'other';

/** A line of a log: its number, counted from 1, and its text without the prefixes that vLLM writes. */
export interface LogPlace {
  readonly line: number;
  readonly text: string;
}

/** What a pattern took out of a line, by the names of its groups: `neededGiB`, `estimatedMaxLen`, `port`, `flag` … */
export type Facts = Readonly<Record<string, string>>;

/** A line that a signature knows. Of a thousand of them the first and the last of each burst are kept. */
export interface Hit extends LogPlace {
  readonly cause: CauseId;
  /** Index into the list of signatures. */
  readonly signature: number;
  readonly role: ProcessRole;
  /** As printed; absent where the line has no prefix. */
  readonly pid?: string;
  /** Printed as an error, or raw (a traceback, another program): not as INFO or WARNING. */
  readonly loud: boolean;
  /** Python goes on to say that another exception followed from it. */
  readonly chained: boolean;
  readonly facts: Facts;
  readonly count: number;
}

/** An exception that no signature knows. */
export interface ExceptionPlace extends LogPlace {
  readonly role: ProcessRole;
  /** The last `File "…", line …` before it, of the same process. */
  readonly place?: string;
}

/** How many lines before a death its reason may stand: what is older was survived. */
export const deathWindow = 300;

/** Everything a scan keeps. Bounded, however long the log is. */
export interface LogEvidence {
  readonly lines: number;
  readonly hits: readonly Hit[];
  /** First exception of an engine or worker process, and the last of any: to be read where nothing fits. */
  readonly exceptions: readonly ExceptionPlace[];
  /** It has been ready: the line that says so last, or 0 where a tail only shows that it answered. */
  readonly servedFrom?: number;
  /** The last line that shows an answered request of a model. */
  readonly lastServedLine: number;
  /** Its engine or a worker died, or its server ended by itself. */
  readonly death?: LogPlace;
  /** It was told to end by a signal. */
  readonly stop?: LogPlace;
  readonly phase: StartPhase;
  /** Of vLLM, as the log names it. */
  readonly version?: string;
  /** As the server printed them ("non-default args"), by vLLM's own names with dashes. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** The run before, where the log has several. */
  readonly earlier?: LogEvidence;
}

/** All that is known of an end. Whoever knows less leaves it out. */
export interface FailureEvidence {
  readonly log: LogEvidence;
  readonly exit?: { readonly code?: number; readonly signal?: string };
  /** Of the control group or container. Bytes. `line`: who says that it was killed. */
  readonly memory?: { readonly oomKilled: boolean; readonly cap?: number; readonly peak?: number; readonly line?: string };
  /** Number of an Xid that the kernel reported of one of its GPUs. */
  readonly xid?: number;
  /** Its line in the kernel's log. */
  readonly xidLine?: string;
  /** It asks for a reset or a reboot, whatever the log has seen of it. */
  readonly xidNeedsHand?: boolean;
  /** Its GPU is gone from the driver's list. */
  readonly gpuLost?: boolean;
  /** Path whose file system is full. */
  readonly diskFull?: string;
  /** What a probe of readiness or progress found: silent, answered without the model, or no byte of a download. */
  readonly probe?: 'hangs' | 'refused' | 'no-download';
  /** The launch settings, by vLLM's own long names without dashes in front. Those of the log are used where absent. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Long flags that its version knows, without dashes: for what was meant by one that it does not know. */
  readonly flags?: readonly string[];
  /** The same in full, and what became of flags that it does not know any more. */
  readonly catalogue?: FlagCatalogue;
  readonly history?: FlagHistory;
  /** Where the start was, as others saw it; the log's is used where absent. */
  readonly phase?: StartPhase;
  /** How long it had been in that phase. */
  readonly phaseMs?: number;
  /** It has been ready. */
  readonly served?: boolean;
  /** Whether processes of others held memory of its GPUs. */
  readonly othersOnGpu?: boolean;
  /** Its end was asked for by us. */
  readonly wanted?: boolean;
}
