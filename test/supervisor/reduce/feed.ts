/** The reducer as the supervisor calls it, fed with several signals. */
import { reduceSafely } from '../../../src/supervisor/reduce/invariants.ts';
import type { Effect, Moment, Signal } from '../../../src/supervisor/signal.ts';
import type { State } from '../../../src/supervisor/state.ts';

export interface Fed {
  readonly state: State;
  /** All that was ordered on the way, in the words of the test. */
  readonly effects: readonly string[];
}

export interface Feeding {
  readonly moment: Moment;
  readonly toWord: (effect: Effect) => string;
}

export function feed(first: State, signals: readonly Signal[], { moment, toWord }: Feeding): Fed {
  let state = first;
  const effects: string[] = [];
  for (const signal of signals) {
    const [next, ordered] = reduceSafely(state, signal, moment);
    state = next;
    effects.push(...ordered.map(toWord));
  }
  return { state, effects };
}
