/** The signals of one launch, in the order of its life. The run number was checked before. */

import { isServing } from '../deployment.ts';
import type { Effect, Moment, RunSignal, TimerName } from '../signal.ts';
import type { State } from '../state.ts';
import { stepLadder } from './adapt-step.ts';
import { afterKill, afterRecheck, afterReclaim, noteExited, noteInFlight } from './end.ts';
import { endFalling, takeFallback } from './fallback-step.ts';
import { becomeUnhealthy, endStalled } from './hang.ts';
import { lookAgain, loseSight } from './recovery.ts';
import {
  becomeReady,
  endUnready,
  failLaunch,
  failPreflight,
  meetDeadline,
  noteDownload,
  noteGateWaiting,
  noteLaunched,
  notePhase,
  noteStartStall,
  startLaunch,
} from './start.ts';
import { beginStart, cancel, countRestart, emit, killLaunch, type Step, termAgainMs, timer } from './transitions.ts';

/** `/health` misses in a row before a ready engine is called not ready. */
const healthMisses = 3;
/** SIGTERMs to an engine that is still starting, before the kill timer has the last word. */
const termsMost = 3;

/** States in which a launch may still answer: a stop can overtake it. */
const launchable: readonly State['life'][] = ['starting', 'unknown', 'stopping', 'killing', 'reclaiming'];

export function reduceRun(state: State, signal: RunSignal, moment: Moment): Step {
  switch (signal.type) {
    case 'preflight-passed':
      return state.life === 'preflight' ? startLaunch(state, signal.record, moment) : ignore(state);
    case 'preflight-failed':
      return state.life === 'preflight' ? failPreflight(state, signal, moment) : ignore(state);
    case 'launched':
      return launchable.includes(state.life) ? noteLaunched(state, signal.record) : ignore(state);
    case 'launch-failed':
      return failLaunch(state, signal, moment);
    case 'phase':
      return state.life === 'starting' ? notePhase(state, signal, moment) : ignore(state);
    case 'downloading':
      return state.life === 'starting' ? noteDownload(state, signal, moment) : ignore(state);
    case 'start-stalled':
      return state.life === 'starting' ? noteStartStall(state, signal, moment) : ignore(state);
    case 'gate-waiting':
      return state.life === 'starting' ? noteGateWaiting(state, signal) : ignore(state);
    case 'gate-passed':
      return state.life === 'starting' ? becomeReady(state, signal.firstTokenMs, moment) : ignore(state);
    case 'gate-timed-out':
      return state.life === 'starting'
        ? endUnready(state, { cause: 'gate', line: `${signal.check}: ${signal.detail}` }, moment)
        : ignore(state);
    case 'health':
      return isServing(state.life) ? noteHealth(state, signal) : ignore(state);
    case 'progress':
      return isServing(state.life) || state.life === 'starting' ? noteProgress(state, moment) : ignore(state);
    case 'slow':
      return isServing(state.life) ? noteSlow(state, signal) : ignore(state);
    case 'stalled':
      return isServing(state.life) ? noteStall(state, signal, moment) : ignore(state);
    case 'adapt':
      return stepLadder(state, signal, moment);
    case 'out-of-sight':
      return loseSight(state, signal);
    case 'in-flight':
      return state.life === 'draining' ? noteInFlight(state, signal.requests, moment) : ignore(state);
    case 'bundled':
      return state.life === 'unhealthy' ? endStalled(state, signal, moment) : ignore(state);
    case 'exited':
      return noteExited(state, signal, moment);
    case 'killed':
      return state.life === 'killing' ? afterKill(state, signal.survivors) : ignore(state);
    case 'reclaimed':
      if (state.life === 'unkillable') return afterRecheck(state, signal, moment);
      return state.life === 'reclaiming' ? afterReclaim(state, signal, moment) : ignore(state);
    case 'fallback-planned':
      return takeFallback(state, signal, moment);
    case 'timer':
      return reduceTimer(state, signal.timer, moment);
  }
}

function noteHealth(state: State, { ok, reason }: Extract<RunSignal, { type: 'health' }>): Step {
  const { reason: _, ...rest } = state.health;
  const misses = ok ? 0 : state.health.misses + 1;
  const ready = ok || (state.health.ready && misses < healthMisses);
  const next = withHealth(state, { ...rest, ready, misses, ...(ready || reason === undefined ? {} : { reason }) });
  const steady = toStability(state, next);
  if (ready === state.health.ready) return [next, steady];
  return [next, [...steady, emit({ type: 'health', ready, ...(ready || reason === undefined ? {} : { reason }) })]];
}

function noteProgress(state: State, moment: Moment): Step {
  return [{ ...state, health: { ...state.health, lastProgressAt: new Date(moment.wallMs).toISOString() } }, []];
}

function noteSlow(state: State, { reason }: Extract<RunSignal, { type: 'slow' }>): Step {
  const { slow: before, ...rest } = state.health;
  if (before === reason) return ignore(state);
  const next = withHealth(state, { ...rest, ...(reason === undefined ? {} : { slow: reason }) });
  const steady = toStability(state, next);
  if (reason !== undefined) return [next, [...steady, emit({ type: 'degraded', reason })]];
  return [next, [...steady, ...(next.life === 'ready' ? [emit({ type: 'health', ready: true })] : [])]];
}

/** `degraded` is all that is neither ready nor proven to hang; it serves, and nobody ends it for that. */
function withHealth(state: State, health: State['health']): State {
  return { ...state, health, life: health.ready && health.slow === undefined ? 'ready' : 'degraded' };
}

/** Failures are forgotten after a time of being ready without a break. */
function toStability(before: State, after: State): readonly Effect[] {
  if (before.life === after.life) return [];
  return after.life === 'ready' ? [timer('stable', after.wanted.spec.restart.stableAfterMs)] : [cancel('stable')];
}

function noteStall(state: State, { cause, forMs }: Extract<RunSignal, { type: 'stalled' }>, moment: Moment): Step {
  return becomeUnhealthy(state, { exit: { cause, at: new Date(moment.wallMs).toISOString() }, forMs });
}

function reduceTimer(state: State, name: TimerName, moment: Moment): Step {
  switch (name) {
    case 'start-deadline':
      return state.life === 'starting' ? meetDeadline(state, moment) : ignore(state);
    case 'sight':
      return lookAgain(state);
    case 'term-again':
      return state.life === 'stopping' && state.termsSent < termsMost ? termAgain(state) : ignore(state);
    case 'recheck':
      return state.life === 'unkillable' ? [state, [{ do: 'reclaim' }]] : ignore(state);
    case 'kill':
      return isStopping(state) ? killLaunch(state, 'deadline') : ignore(state);
    case 'next-start': {
      if (state.life === 'backoff' && state.falling) return endFalling(state, moment);
      const waiting = state.life === 'backoff' || state.life === 'crashloop';
      return waiting && state.desired === 'up' ? beginStart(state.waits ? state : countRestart(state, moment)) : ignore(state);
    }
    case 'stable':
      return state.life === 'ready' ? [{ ...state, failures: 0, slowTries: 0 }, []] : ignore(state);
    case 'bundle':
      return state.life === 'unhealthy' ? endStalled(state, {}, moment) : ignore(state);
  }
}

function termAgain(state: State): Step {
  const next = { ...state, termsSent: state.termsSent + 1 };
  return [next, [{ do: 'terminate' }, timer('term-again', termAgainMs)]];
}

function isStopping({ life }: State): boolean {
  return life === 'stopping' || life === 'draining';
}

function ignore(state: State): Step {
  return [state, []];
}
