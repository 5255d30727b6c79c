/** Steps between the rungs of a ladder, as a person would make them with `up`: the engine ends, its successor starts. */
import { type Message, say } from '../../core/message.ts';
import { type Pressure, type PressureDirection, toBecause } from '../../core/pressure.ts';
import { mayStep, withStep } from '../adapt/adapt.ts';
import { isServing } from '../deployment.ts';
import type { Moment, RunSignal } from '../signal.ts';
import type { State } from '../state.ts';
import { type Adapted, findNextRung } from './ladder.ts';
import { emit, endLaunch, type Step } from './transitions.ts';

/** Judged once more here: whoever sends the signal may have looked at an older state. */
export function stepLadder(state: State, { to, because }: Extract<RunSignal, { type: 'adapt' }>, moment: Moment): Step {
  const { wanted, adapted } = state;
  const next = findNextRung(state, to);
  if (next === undefined || wanted.adapt === undefined || !isServing(state.life) || state.desired !== 'up') return [state, []];
  const steps = adapted?.steps ?? [];
  const may = mayStep(steps, wanted.adapt.settings, moment.wallMs);
  if (may === 'rest') return [state, []];
  if (may === 'spent') return [state, [emit({ type: 'note', note: toSpentNote(state, to, because) })]];
  const [ending, effects] = endLaunch(state, { is: 'replace' }, moment);
  const made: Adapted = {
    steps: withStep(steps, moment.wallMs),
    because,
    run: state.run + 1,
    to: next.spec.hash,
    unfit: adapted?.unfit ?? [],
  };
  // A lighter one that does not start must not be the end of serving, whatever was asked for the profile itself.
  const stepped: State = { ...ending, wanted: next, rollback: true, adapted: made };
  return [stepped, [emit({ type: 'adapted', from: wanted.profile, to: next.profile, direction: to, because }), ...effects]];
}

function toSpentNote({ wanted }: State, to: PressureDirection, because: readonly Pressure[]): Message {
  const about = { profile: wanted.profile, most: wanted.adapt?.settings.mostSteps ?? 0 };
  return to === 'lighter' ? say('life.adapt-spent', { ...about, because: toBecause(because, to) }) : say('life.adapt-spent-back', about);
}
