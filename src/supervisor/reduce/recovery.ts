/** A deployment whose engine we do not know yet, or cannot see, or about which we made a mistake: look first. */
import type { ExitReport } from '../../core/event.ts';
import { isServing, type LifeState } from '../deployment.ts';
import type { Command, Effect, Moment, Recovery, Signal } from '../signal.ts';
import type { State } from '../state.ts';
import { longestDelayMs } from './backoff.ts';
import { planStep } from './fallback.ts';
import { toIdentity } from './start.ts';
import { beginStart, cancel, emit, killLaunch, reclaimLaunch, type Step, settleStopped, timer, without } from './transitions.ts';

/** How long one look may take, and how often it is tried while nobody can tell. */
const lookMs = 10_000;
const lookAgainMs = 5000;

/** States in which nothing is known, so that nothing may be started or ended. */
export function isBlind(life: LifeState): boolean {
  return life === 'recovering' || life === 'unknown';
}

export function isCommand(signal: Signal): signal is Command {
  return signal.type === 'up' || signal.type === 'down' || signal.type === 'restart';
}

/** A new supervisor begins. What was frozen stays so until somebody asks for something. */
export function beginRecovery(state: State): Step {
  const next: State = { ...state, life: 'recovering', before: state.before ?? state.life };
  return [next, [{ do: 'recover' }, timer('sight', lookMs)]];
}

/** Wanted is what was asked for last; it is done as soon as anything can be. */
export function defer(state: State, command: Command): Step {
  const desired = command.type === 'down' ? 'down' : 'up';
  const by = command.type === 'up' ? command.by : command.type;
  return [{ ...state, desired, deferred: command }, [emit({ type: 'requested', desired, by })]];
}

/** A command is a person's decision to go on; what really lives is looked at before. */
export function thaw(before: State, signal: Signal): Step {
  if (!isCommand(signal)) return [before, []];
  const { frozen: _, ...state } = before;
  const [recovering, effects] = beginRecovery(state);
  const [next, told] = defer(recovering, signal);
  return [next, [...told, ...effects]];
}

interface Blindness {
  readonly reason: string;
  /** Whether the kernel shows no process of it any more; undefined: not looked, or it cannot tell. */
  readonly gone?: boolean;
}

/** Nothing of a launch is there that could be lost from sight. */
const empty: readonly LifeState[] = ['stopped', 'preflight', 'backoff', 'crashloop', 'failed'];

/**
 * What runs the engine does not answer: that says nothing about the engine, which may well serve on. Where the kernel
 * shows that nothing of it is left, only what it ran in is still to be removed: that is said, and waited for all the same.
 */
export function loseSight(state: State, { reason, gone }: Blindness): Step {
  if (empty.includes(state.life)) return [state, []];
  const known = state.before ?? state.life;
  const { owed: before, ...kept } = state;
  const owed = gone === undefined ? before : gone ? state.launch?.containerId : undefined;
  const told = emit({ type: 'unknown', reason, ...(owed === undefined ? {} : { owed }) });
  const health = { ...state.health, ready: gone ? false : state.health.ready, reason };
  const next: State = { ...kept, life: 'unknown', before: known, health, ...(owed === undefined ? {} : { owed }) };
  // Said once, and again when more is known.
  if (state.life === 'unknown' && owed === before) return [state, [timer('sight', lookAgainMs)]];
  return [next, [told, timer('sight', lookAgainMs)]];
}

/** The look took too long (`recovering`), or it is time for another one (`unknown`). */
export function lookAgain(state: State): Step {
  if (state.life === 'recovering') return loseSight(state, { reason: 'ETIMEDOUT' });
  return state.life === 'unknown' ? [state, [{ do: 'recover' }, timer('sight', lookMs)]] : [state, []];
}

interface Resuming {
  readonly moment: Moment;
  /** The whole reducer, for what was asked meanwhile. */
  readonly goOn: (state: State, signal: Signal, moment: Moment) => Step;
}

export function endRecovery(before: State, { alive, reason, gone, exit, record }: Recovery, { moment, goOn }: Resuming): Step {
  if (!isBlind(before.life)) return [before, []];
  if (alive === 'unknown') return loseSight(before, { reason: reason ?? 'unknown', ...(gone === undefined ? {} : { gone }) });
  const { deferred } = before;
  const known = before.before ?? 'stopped';
  // A start that had not begun is not begun for its own sake when something else was asked for since.
  const life = known === 'preflight' && deferred !== undefined ? 'stopped' : known;
  const found = record?.run === before.run ? { launch: record } : {};
  const state: State = { ...without(before, ['before', 'deferred', 'owed']), ...found, life };
  const [resumed, effects] = resume(exit === undefined ? state : { ...state, lastExit: exit }, alive, { moment, exit });
  const seen: readonly Effect[] = [cancel('sight'), ...effects];
  if (deferred === undefined) return [resumed, seen];
  const [next, more] = goOn(resumed, deferred, moment);
  return [next, [...seen, ...more.filter((effect) => effect.do !== 'emit' || effect.event.type !== 'requested')]];
}

/** As the last supervisor would have gone on, had it seen this. */
function resume(state: State, alive: boolean, { moment, exit }: { readonly moment: Moment; readonly exit: ExitReport | undefined }): Step {
  const lost = () => toLostEnding(state, moment, exit);
  switch (state.life) {
    case 'stopped':
    case 'failed':
      return [state, []];
    case 'backoff':
    case 'crashloop': {
      if (state.falling) return planStep(state, moment);
      // Bounded: the clock may have been set back since the time was written.
      const mostMs = Math.max(longestDelayMs, state.wanted.spec.restart.maxDelayMs);
      const delayMs = Math.min(mostMs, Math.max(0, Date.parse(state.nextStartAt ?? '') - moment.wallMs || 0));
      return [state, [timer('next-start', delayMs)]];
    }
    case 'preflight':
      return state.desired === 'up' ? beginStart(state) : settleStopped(state);
    case 'unhealthy':
      // It hung, and was not ended: that comes first.
      return alive ? killLaunch(state, 'interrupted-stop') : reclaimLaunch(state, state.ending ?? lost());
    case 'starting':
    case 'ready':
    case 'degraded':
      return alive ? adopt(state, moment) : endUnwatched(state, lost(), exit);
    default:
      return alive ? killLaunch(state, 'interrupted-stop') : reclaimLaunch(state, state.ending ?? { is: 'down' });
  }
}

/** The engine went on without us: one that served serves, with its counts; one that was starting goes through its gate. */
function adopt(state: State, moment: Moment): Step {
  const adopted = emit({ type: 'adopted', ...(state.launch ? toIdentity(state.launch) : {}) });
  const { health, restart } = state.wanted.spec;
  if (!isServing(state.life))
    return [state, [{ do: 'quiet' }, adopted, { do: 'watch-start' }, timer('start-deadline', health.startDeadlineMs)]];
  const readyForMs = Math.max(0, moment.wallMs - Date.parse(state.readyAt ?? '') || 0);
  const stableMs = Math.max(0, restart.stableAfterMs - readyForMs);
  return [state, [{ do: 'quiet' }, adopted, { do: 'watch-health' }, timer('stable', stableMs)]];
}

/** It ended while nobody watched. Of somebody's hand in that people have not heard yet. */
function endUnwatched(state: State, ending: NonNullable<State['ending']>, exit: ExitReport | undefined): Step {
  const [next, effects] = reclaimLaunch(state, ending);
  return exit?.cause === 'stopped-by-hand' ? [next, [emit({ type: 'exited', expected: false, exit }), ...effects]] : [next, effects];
}

function toLostEnding(state: State, moment: Moment, exit: ExitReport | undefined): NonNullable<State['ending']> {
  if (state.desired === 'down' || exit?.cause === 'stopped-by-hand') return { is: 'down' };
  return { is: 'failure', exit: exit ?? { cause: 'exit', at: new Date(moment.wallMs).toISOString() }, permanent: false };
}
