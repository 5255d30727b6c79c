/**
 * What must hold of every step, looked at before it is taken. A step that would break it is a mistake of ours: it is
 * not taken, the deployment is frozen as it is, and says so. Nothing is ever killed for it.
 *
 *  I1 never two live launches                    I4 `stopped` only with proof
 *  I3 nothing is started while `down` is wanted  I5 the launch's record is in the state before the launch
 *  I6 a transient state always waits for something  I8 a lack of evidence ends nothing
 *
 * I2 (no signal to a process that was not verified) holds where signals are sent: runtime/remains.ts. I7 (everybody
 * who waits is answered) is the control server's.
 */
import type { LifeState } from '../deployment.ts';
import type { Effect, Moment, Signal, TimerName } from '../signal.ts';
import type { State } from '../state.ts';
import { reduce } from './reduce.ts';
import { emit, type Step } from './transitions.ts';

export type Invariant = 'I1' | 'I3' | 'I4' | 'I5' | 'I6' | 'I8';

/** The reducer, guarded. */
export function reduceSafely(state: State, signal: Signal, moment: Moment): Step {
  const step = reduce(state, signal, moment);
  const broken = findBroken(state, signal, step);
  return broken ? freeze(state, signal, { ...broken, moment }) : step;
}

export interface Broken {
  readonly invariant: Invariant;
  readonly detail: string;
}

export function findBroken(before: State, signal: Signal, [after, effects]: Step): Broken | undefined {
  const name = signal.type === 'timer' ? `timer ${signal.timer}` : signal.type;
  const detail = `${before.life} → ${after.life} by ${name}`;
  for (const { invariant, holds } of rules) {
    if (!holds({ before, signal, after, effects })) return { invariant, detail };
  }
  return undefined;
}

interface Taken {
  readonly before: State;
  readonly signal: Signal;
  readonly after: State;
  readonly effects: readonly Effect[];
}

/** Without a launch that could live: each was entered with proof, or before anything was launched. */
const empty: readonly LifeState[] = ['stopped', 'preflight', 'backoff', 'crashloop', 'failed'];
/** Signals that tell something about an engine's end, or are a person's wish; all others are no reason to end one. */
const harmless: readonly Signal['type'][] = [
  'health',
  'progress',
  'slow',
  'phase',
  'downloading',
  'gate-waiting',
  'in-flight',
  'out-of-sight',
  'preflight-passed',
  'launched',
  'recovering',
  'fallback-planned',
];
/** What each transient state waits for; one of them must begin when it is entered. */
const answers: Partial<Record<LifeState, readonly (TimerName | Effect['do'])[]>> = {
  preflight: ['preflight'],
  starting: ['start-deadline'],
  unhealthy: ['bundle'],
  draining: ['kill'],
  killing: ['kill'],
  reclaiming: ['reclaim'],
  backoff: ['next-start'],
  crashloop: ['next-start'],
  unkillable: ['recheck'],
  recovering: ['recover'],
  unknown: ['sight'],
};

const rules: readonly { readonly invariant: Invariant; readonly holds: (taken: Taken) => boolean }[] = [
  {
    invariant: 'I1',
    holds: ({ before, after, effects }) =>
      (!has(effects, 'launch') || (before.life === 'preflight' && effects.filter((one) => one.do === 'launch').length === 1)) &&
      (!has(effects, 'preflight') || isEmpty(before) || isProven(before)) &&
      after.run - before.run === (has(effects, 'preflight') ? 1 : 0),
  },
  { invariant: 'I3', holds: ({ after, effects }) => after.desired === 'up' || (!has(effects, 'launch') && !has(effects, 'preflight')) },
  {
    invariant: 'I4',
    holds: ({ before, signal, after }) =>
      after.life !== 'stopped' || isEmpty(before) || (isProven(before) && signal.type === 'reclaimed' && signal.survivors.length === 0),
  },
  { invariant: 'I5', holds: ({ after, effects }) => !has(effects, 'launch') || after.launch?.run === after.run },
  {
    invariant: 'I6',
    holds: ({ before, after, effects }) => {
      const wanted = answers[after.life];
      if (wanted === undefined || after.life === before.life) return true;
      return effects.some((one) => wanted.includes(one.do === 'timer' ? one.timer : one.do));
    },
  },
  {
    invariant: 'I8',
    holds: ({ signal, after, effects }) =>
      !effects.some((one) => ends.includes(one.do)) || (!harmless.includes(signal.type) && after.life !== 'unknown'),
  },
];

const ends: readonly Effect['do'][] = ['terminate', 'kill', 'reclaim'];

function has(effects: readonly Effect[], kind: Effect['do']): boolean {
  return effects.some((one) => one.do === kind);
}

/** What a blind state remembers counts: nothing was done since. */
function isEmpty({ life, before }: State): boolean {
  return empty.includes(before ?? life);
}

function isProven({ life }: State): boolean {
  return life === 'reclaiming' || life === 'unkillable';
}

function freeze(state: State, signal: Signal, { invariant, detail, moment }: Broken & { readonly moment: Moment }): Step {
  const at = new Date(moment.wallMs).toISOString();
  const desired = signal.type === 'down' ? 'down' : state.desired;
  return [{ ...state, desired, frozen: { invariant, detail, at } }, [emit({ type: 'frozen', invariant, detail })]];
}
