/** A launch that hangs, decided: what can be seen of it is written down, then it is ended. */
import type { ExitReport, StallCause, StartStallCause } from '../../core/event.ts';
import type { Effect, Moment, RunSignal } from '../signal.ts';
import type { State } from '../state.ts';
import { cancel, emit, endLaunch, type Step, timer } from './transitions.ts';

/** What the evidence of a hang may take. */
const bundleMs = 15_000;

export interface Hang {
  readonly exit: ExitReport & { readonly cause: StallCause | StartStallCause };
  readonly forMs: number;
  /** For a hang that would come again: the same twice is not worth a third try. */
  readonly signature?: string;
}

/** From here on it only ends; what can be seen of it is written down first, in bounded time. */
export function becomeUnhealthy(state: State, { exit, forMs, signature }: Hang): Step {
  const health = { ...state.health, ready: false, reason: exit.cause };
  const ending = { is: 'failure', exit, permanent: false, ...(signature ? { signature } : {}) } as const;
  const next: State = { ...state, life: 'unhealthy', health, ending, lastExit: exit };
  const effects: Effect[] = [
    { do: 'quiet' },
    cancel('stable'),
    cancel('start-deadline'),
    emit({ type: 'unhealthy', cause: exit.cause, forMs }),
    { do: 'bundle' },
    timer('bundle', bundleMs),
  ];
  return [next, effects];
}

type Evidence = Partial<Pick<Extract<RunSignal, { type: 'bundled' }>, 'path' | 'why'>>;

/** The evidence is there, or took too long. */
export function endStalled(state: State, { path, why }: Evidence, moment: Moment): Step {
  const failure = state.ending?.is === 'failure' ? state.ending : undefined;
  const before = failure?.exit ?? { cause: 'stall', at: new Date(moment.wallMs).toISOString() };
  const exit = { ...before, ...why, ...(path === undefined ? {} : { bundle: path }) };
  const [next, effects] = endLaunch(state, { is: 'failure', permanent: false, ...failure, exit }, moment);
  const told: readonly Effect[] = path === undefined ? [] : [emit({ type: 'bundle', path })];
  return [next, [cancel('bundle'), ...told, ...effects]];
}
