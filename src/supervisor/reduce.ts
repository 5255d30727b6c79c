/**
 * The life of a deployment as a pure function: (state, signal, moment) → (state, effects). No clock, no process, no
 * file. The supervisor persists the new state, then performs the effects in order; what comes of them returns as
 * signals. Reads top to bottom: commands first, then the signals of a launch in the order of its life (reduce-run).
 *
 *   stopped → preflight → starting → ready ⇄ degraded
 *                 │           │        │  └──▶ unhealthy (no progress: evidence is taken)
 *                 │           │        │          │  exit, missed gate or deadline, down, replace
 *                 │           └────────┴──────────┴──▶ stopping → killing ─┐
 *                 └──▶ backoff, failed ◀─── reclaiming ◀───────────────────┘──▶ stopped, preflight, backoff, crashloop, failed
 *
 * Held here (I1–I6 of the specification): a start only from a state whose last launch is reclaimed; never one while
 * `down` is wanted; `stopped` only after a reclaim without survivors; the launch record is in the state before
 * `launch` is asked for; every transient state has a timer or an effect that always answers.
 */
import { longestDelayMs } from './backoff.ts';
import { reduceRun } from './reduce-run.ts';
import type { Command, Effect, Moment, Recovery, Signal } from './signal.ts';
import type { State } from './state.ts';
import { beginStart, emit, endLaunch, killLaunch, reclaimLaunch, type Step, settleStopped, timer } from './transitions.ts';

export function reduce(state: State, signal: Signal, moment: Moment): Step {
  switch (signal.type) {
    case 'up':
      return reduceUp(state, signal, moment);
    case 'down':
      return reduceDown(state, signal, moment);
    case 'restart':
      return reduceRestart(state, signal, moment);
    case 'recovered':
      return reduceRecovered(state, signal, moment);
    default:
      // A late answer about an earlier launch must not touch the present one; this is the only place that checks.
      return signal.run === state.run ? reduceRun(state, signal, moment) : [state, []];
  }
}

function reduceUp(before: State, { wanted, rollback, by }: Extract<Command, { type: 'up' }>, moment: Moment): Step {
  const same = before.wanted.spec.hash === wanted.spec.hash;
  const asked = same ? before : withoutSignature(before);
  const state: State = { ...asked, desired: 'up', wanted, rollback };
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
    case 'stopping':
    case 'killing':
    case 'reclaiming':
      return [{ ...state, ending: { is: 'replace' } }, [requested]];
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
    case 'stopping':
      if (force) return withFirst(requested, killLaunch({ ...state, ending }, 'force'));
      return [{ ...state, ending }, [requested, ...(graceMs === undefined ? [] : [timer('kill', graceMs)])]];
    case 'killing':
    case 'reclaiming':
      return [{ ...state, ending }, [requested]];
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
      return withFirst(requested, endLaunch({ ...state, failures: 0, slowTries: 0 }, { is: 'replace' }, moment));
    default:
      return reduceUp(before, { type: 'up', wanted: before.wanted, rollback: before.rollback, by: 'restart' }, moment);
  }
}

/** A new supervisor takes over what the last one left on disk. */
function reduceRecovered(state: State, { alive }: Recovery, moment: Moment): Step {
  switch (state.life) {
    case 'stopped':
    case 'failed':
      return [state, []];
    case 'backoff':
    case 'crashloop': {
      // Bounded: the clock may have been set back since the time was written.
      const mostMs = Math.max(longestDelayMs, state.wanted.spec.restart.maxDelayMs);
      const delayMs = Math.min(mostMs, Math.max(0, Date.parse(state.nextStartAt ?? '') - moment.wallMs || 0));
      return [state, [timer('next-start', delayMs)]];
    }
    case 'preflight':
      return state.desired === 'up' ? beginStart(state) : settleStopped(state);
    case 'unhealthy':
      // It hung, and was not ended: that comes first.
      return alive ? killLaunch(state, 'interrupted-stop') : reclaimLaunch(state, state.ending ?? toLostEnding(state, moment));
    case 'starting':
    case 'ready':
    case 'degraded':
      return alive ? adopt(state) : reclaimLaunch(state, toLostEnding(state, moment));
    case 'stopping':
    case 'killing':
    case 'reclaiming':
    case 'unkillable':
      return alive ? killLaunch(state, 'interrupted-stop') : reclaimLaunch(state, state.ending ?? { is: 'down' });
  }
}

/** The engine served on without us. It must pass the readiness gate again before we say that it is ready. */
function adopt(state: State): Step {
  const process = state.launch?.process;
  const effects: Effect[] = [
    emit({ type: 'adopted', ...(process ? { pid: process.pid } : {}) }),
    { do: 'watch-start' },
    timer('start-deadline', state.wanted.spec.health.startDeadlineMs),
  ];
  return [{ ...state, life: 'starting', health: { ready: false, misses: 0 } }, effects];
}

function toLostEnding(state: State, moment: Moment): NonNullable<State['ending']> {
  if (state.desired === 'down') return { is: 'down' };
  const exit = { cause: 'exit', at: new Date(moment.wallMs).toISOString() };
  return { is: 'failure', exit: state.lastExit?.at === exit.at ? state.lastExit : exit, permanent: false };
}

function withFirst(effect: Effect, [state, effects]: Step): Step {
  return [state, [effect, ...effects]];
}
