import type { Emit } from '../core/event.ts';
import type { Message } from '../core/message.ts';
import { type Places, toPlaces } from '../host/environment.ts';

/** What every use case gets from outside: where it is, whom it tells, and when to give up. */
export interface Context {
  readonly places: Places;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly emit: Emit;
  /** Aborted by Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
  /** Aborted by the second Ctrl-C, for commands that can end faster than gracefully. */
  readonly force: AbortSignal;
  /** How to run parts of ourselves. */
  readonly programs: {
    /** Program and first arguments that run this command line, e.g. `[node, dist/main.js]`. */
    readonly self: readonly [string, ...string[]];
    /** Path of the simulator's entry. */
    readonly simulator: string;
  };
  /**
   * Asks a yes/no question. Without a terminal it throws `confirm/needed`, naming the option that answers it.
   */
  readonly confirm: (question: Message, option: string) => Promise<boolean>;
}

/** A context whose places are those of its environment. */
export function createContext(parts: Omit<Context, 'places'>): Context {
  return { ...parts, places: toPlaces(parts.env) };
}
