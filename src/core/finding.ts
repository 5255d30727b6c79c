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

/** Why an engine died or hangs. `cause` is a stable id; `permanent` says that starting again cannot help. */
export interface Diagnosis {
  readonly cause: string;
  readonly title: Message;
  readonly phase?: string;
  readonly permanent: boolean;
  readonly confidence: 'sure' | 'likely' | 'unsure';
  readonly evidence: readonly { readonly line: number; readonly text: string }[];
}
