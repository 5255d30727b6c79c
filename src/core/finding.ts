import type { Message } from './message.ts';

export type Severity = 'error' | 'warning' | 'info';

/** One of many results of checking. `line` and `column` count from 1; `path` is the key path in the profile. */
export interface Finding {
  readonly code: string;
  readonly severity: Severity;
  readonly message: Message;
  readonly hint?: Message;
  readonly path?: string;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  /** The words that it is about, where they do not stand in a profile. */
  readonly evidence?: string;
  /** A `--set`-able map that would cure it. */
  readonly fix?: Readonly<Record<string, unknown>>;
}

/** Why an engine died or hangs. `cause` is a stable id, or `unknown`; `permanent` says that starting again cannot help. */
export interface Diagnosis {
  readonly cause: string;
  readonly title: Message;
  readonly phase?: string;
  readonly permanent: boolean;
  readonly confidence: 'sure' | 'likely' | 'unsure';
  /** `line` counts from 1; 0 where it is not a line of the log (an exit code, the kernel, a GPU). */
  readonly evidence: readonly { readonly line: number; readonly text: string }[];
  /** What would mend it, the best first. */
  readonly remedies?: readonly Remedy[];
  /** Other causes that the log has lines of, the likeliest first. */
  readonly alsoSeen?: readonly string[];
  /** As the log names it. */
  readonly engineVersion?: string;
}

export interface Remedy {
  readonly text: Message;
  /** A `--set`-able map that would do it. `null` leaves a setting out. */
  readonly set?: Readonly<Record<string, unknown>>;
  /** To be run by a person, outside of this program. */
  readonly command?: string;
}
