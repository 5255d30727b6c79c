/** What the command line gets from the process around it; main.ts makes one, tests make their own. */
import type { Readable } from 'node:stream';
import type { Output } from '../host/output.ts';
import type { Context } from '../operate/context.ts';

export interface Host {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Output;
  readonly stderr: Output;
  /** Aborted by the first Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
  /** Aborted by the second one, for a command that listens to it; others are ended by it. */
  readonly force: AbortSignal;
  /** 130 or 143 once a signal has come. */
  readonly interruptStatus: () => number | undefined;
  readonly programs: Context['programs'];
}
