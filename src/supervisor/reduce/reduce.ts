/**
 * The life of a deployment as a pure function: (state, signal, moment) → (state, effects). No clock, no process, no
 * file. The supervisor persists the new state, then performs the effects in order; what comes of them returns as
 * signals. Reads top to bottom: commands first, then what a new supervisor finds (recovery.ts), then the signals
 * of a launch in the order of its life (run.ts: start.ts, serving, end.ts).
 *
 *   stopped → preflight → starting → ready ⇄ degraded ──▶ draining (down, replace)
 *                 │           │        │         │            │
 *                 │           └────────┴─────────┴─▶ unhealthy (no progress: evidence is taken)
 *                 │           exit, missed gate or deadline   │
 *                 │           └─────────────▶ stopping ◀──────┘
 *                 │                             └─▶ killing ─▶ reclaiming ──▶ stopped, preflight,
 *                 └──▶ backoff, failed                             └─▶ unkillable      backoff, crashloop, failed
 *
 *   recovering: a new supervisor looks first. unknown: nobody can tell what lives. Both do nothing and keep what is
 *   asked of them until they know.
 *
 * I1 to I6 and I8 of the specification hold here, and are asserted at each step at run time: invariants.ts.
 */

import type { Command, Effect, Moment, Signal } from '../signal.ts';
import type { State } from '../state.ts';
import { forgiveUnfit, keepRung, toBase } from './ladder.ts';
import { beginRecovery, defer, endRecovery, isBlind, isCommand, thaw } from './recovery.ts';
import { reduceRun } from './run.ts';
import { beginStart, emit, endLaunch, killLaunch, type Step, settleStopped, timer } from './transitions.ts';

export function reduce(state: State, signal: Signal, moment: Moment): Step {
  if (state.frozen) return thaw(state, signal);
  if (isCommand(signal) && isBlind(state.life)) return defer(state, signal);
  switch (signal.type) {
    case 'up':
      return reduceUp(state, signal, moment);
    case 'down':
      return reduceDown(state, signal, moment);
    case 'restart':
      return reduceRestart(state, signal, moment);
    case 'recovering':
      return beginRecovery(state);
    case 'recovered':
      return endRecovery(state, signal, { moment, goOn: reduce });
    case 'exited':
      // An end is an end, also for who could not see. One that was followed by another beginning is going to be found.
      if (isBlind(state.life) && signal.run === state.run && signal.exit.cause !== 'restarted-by-hand')
        return endRecovery(state, { ...signal, type: 'recovered', alive: false }, { moment, goOn: reduce });
      return signal.run === state.run ? reduceRun(state, signal, moment) : [state, []];
    default:
      // A late answer about an earlier launch must not touch the present one; this is the only place that checks.
      return signal.run === state.run ? reduceRun(state, signal, moment) : [state, []];
  }
}

function reduceUp(before: State, { wanted: base, rollback, by }: Extract<Command, { type: 'up' }>, moment: Moment): Step {
  const wanted = by === 'up' ? keepRung(before, base) : base;
  const same = before.wanted.spec.hash === wanted.spec.hash;
  const asked = same ? before : withoutSignature(before);
  const { lastGood } = before;
  // What stands beside the spec and its hash (whom to tell, thresholds) is as it was asked for last, after a fall back too.
  const good = lastGood?.spec.hash === wanted.spec.hash ? { lastGood: wanted } : {};
  const state: State = { ...asked, ...forgiveUnfit(asked), ...good, desired: 'up', wanted, rollback };
  const requested = emit({ type: 'requested', desired: 'up', by });
  switch (state.life) {
    case 'stopped':
    case 'failed':
    case 'backoff':
    case 'crashloop':
      // Asked for by a person: the count of failures starts again, the tally of restarts does not.
      return withFirst(requested, beginStart({ ...state, failures: 0, slowTries: 0 }));
    case 'preflight':
      return same ? [state, []] : withFirst(requested, beginStart(state));
    case 'starting':
    case 'ready':
    case 'degraded':
    case 'unhealthy':
      return same ? [state, []] : withFirst(requested, replaceLaunch(before, state, moment));
    case 'draining':
    case 'stopping':
    case 'killing':
    case 'reclaiming':
      return [{ ...state, ending: { is: 'replace' } }, [requested]];
    case 'recovering':
    case 'unknown':
    case 'unkillable':
      return [before, [emit({ type: 'unkillable', survivors: before.survivors ?? [] })]];
  }
}

/** The old engine ends in the time that it was promised when it was started, not in that of its successor. */
function replaceLaunch(before: State, wanted: State, moment: Moment): Step {
  const [ending, effects] = endLaunch(before, { is: 'replace' }, moment);
  const { desired, rollback } = wanted;
  return [{ ...withoutSignature(ending), desired, rollback, wanted: wanted.wanted }, effects];
}

/** How the last start failed says nothing about another configuration. */
function withoutSignature({ lastSignature: _, ...state }: State): State {
  return state;
}

function reduceDown(before: State, { graceMs, force }: Extract<Command, { type: 'down' }>, moment: Moment): Step {
  const state: State = { ...before, desired: 'down' };
  const requested = emit({ type: 'requested', desired: 'down', by: 'down' });
  const ending = { is: 'down' } as const;
  switch (state.life) {
    case 'stopped':
      return [state, [emit({ type: 'stopped' })]];
    case 'preflight':
    case 'failed':
    case 'backoff':
    case 'crashloop':
      // Nothing of ours runs in these: the last launch was reclaimed before they were entered.
      return withFirst(requested, settleStopped(state));
    case 'starting':
    case 'ready':
    case 'degraded':
    case 'unhealthy':
      return withFirst(
        requested,
        force
          ? killLaunch({ ...state, ending }, 'force')
          : endLaunch({ ...state, ...(graceMs === undefined ? {} : { graceMs }) }, ending, moment),
      );
    case 'draining':
    case 'stopping':
      if (force) return withFirst(requested, killLaunch({ ...state, ending }, 'force'));
      return [{ ...state, ending }, [requested, ...(graceMs === undefined ? [] : [timer('kill', graceMs)])]];
    case 'killing':
    case 'reclaiming':
      return [{ ...state, ending }, [requested]];
    case 'recovering':
    case 'unknown':
    case 'unkillable':
      // Worth another try: what blocked it may have ended.
      return withFirst(requested, killLaunch({ ...state, ending }, 'again'));
  }
}

function reduceRestart(before: State, { graceMs }: Extract<Command, { type: 'restart' }>, moment: Moment): Step {
  const state: State = { ...before, desired: 'up', ...(graceMs === undefined ? {} : { graceMs }) };
  const requested = emit({ type: 'requested', desired: 'up', by: 'restart' });
  switch (state.life) {
    case 'starting':
    case 'ready':
    case 'degraded':
    case 'unhealthy':
      return withFirst(requested, restartBase({ ...state, failures: 0, slowTries: 0 }, moment));
    default:
      return reduceUp(before, { type: 'up', wanted: toBase(before.wanted), rollback: before.rollback, by: 'restart' }, moment);
  }
}

/** What was asked for, whatever pressure had made of it; what ends does so as it was promised. */
function restartBase(state: State, moment: Moment): Step {
  const [ending, effects] = endLaunch(state, { is: 'replace' }, moment);
  return [{ ...ending, ...forgiveUnfit(ending), wanted: toBase(ending.wanted) }, effects];
}

function withFirst(effect: Effect, [state, effects]: Step): Step {
  return [state, [effect, ...effects]];
}
