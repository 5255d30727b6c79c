/** What comes of the plan of a step of `fallback`: it starts, or the next one is planned, or it goes on as without. */
import type { Moment, RunSignal } from '../signal.ts';
import type { Deployable, State } from '../state.ts';
import { type Falling, isTaken, planNext } from './fallback.ts';
import { beginStart, cancel, emit, type Step, settleWithoutStep, without } from './transitions.ts';

/** Answers that come late, of another step or after a command, are nobody's. */
export function takeFallback(before: State, signal: Extract<RunSignal, { type: 'fallback-planned' }>, moment: Moment): Step {
  const { falling, ...state } = before;
  const { step, wanted } = signal;
  if (falling === undefined || before.life !== 'backoff' || falling.step !== step) return [before, []];
  if (wanted !== undefined && isNew(wanted, step, state)) return startStep(state, { ...falling, wanted });
  return planNext(state, { ...falling, refused: [...falling.refused, step] }, moment) ?? endFalling(before, moment);
}

/** Something else, and with the step in its record: otherwise it would be taken for ever. */
function isNew(wanted: Deployable, step: string, state: State): boolean {
  return wanted.spec.hash !== state.wanted.spec.hash && isTaken(step, wanted);
}

/** No step is left, or the plan did not come in time. */
export function endFalling(before: State, moment: Moment): Step {
  const { falling, ...state } = before;
  if (falling === undefined) return [before, []];
  const [next, effects] = settleWithoutStep(without(state, ['nextStartAt']), falling, moment);
  return [next, [cancel('next-start'), ...effects]];
}

/**
 * What is left behind is no good configuration any more: to roll back to it from a step that fails too would begin the
 * ladder from its top again.
 */
function startStep(state: State, { step, cause, wanted }: Falling & { readonly wanted: Deployable }): Step {
  const fresh = without(state, ['lastGood', 'lastSignature', 'sameFailures']);
  const [next, effects] = beginStart({ ...fresh, wanted: toLadderTop(wanted, state.wanted), failures: 0, slowTries: 0 });
  const changes = wanted.source.fixes?.findLast((fix) => fix.step === step)?.changes ?? [];
  return [next, [emit({ type: 'fell-back', step, changes, because: cause }), ...effects]];
}

/** Steps of pressure go on from it, and come back to it. */
function toLadderTop(wanted: Deployable, { adapt }: Deployable): Deployable {
  if (adapt === undefined) return wanted;
  const { adapt: _, ...top } = wanted;
  return { ...top, adapt: { ...adapt, ladder: [top, ...adapt.ladder.slice(1)] } };
}
