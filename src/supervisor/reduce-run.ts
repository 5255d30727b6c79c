/** The signals of one launch, in the order of its life. The run number was checked before. */

import { type Message, say } from '../core/message.ts';
import { isServing } from './deployment.ts';
import type { Effect, Moment, RunSignal, TimerName } from './signal.ts';
import type { State } from './state.ts';
import {
  beginStart,
  countRestart,
  emit,
  endLaunch,
  killLaunch,
  reclaimLaunch,
  type Step,
  settle,
  settleFailure,
  termAgainMs,
  timer,
} from './transitions.ts';

/** `/health` misses in a row before a ready engine is called not ready. */
const healthMisses = 3;
/** SIGTERMs to an engine that is still starting, before the kill timer has the last word. */
const termsMost = 3;
/** What the evidence of a hang may take. */
const bundleMs = 15_000;
/** How often a process that could not be killed is looked at again. */
const recheckMs = 30_000;

/** States in which a launch may still answer: a stop can overtake it. */
const launchable: readonly State['life'][] = ['starting', 'stopping', 'killing', 'reclaiming'];

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
      return isServing(state.life) ? noteProgress(state, moment) : ignore(state);
    case 'slow':
      return isServing(state.life) ? noteSlow(state, signal) : ignore(state);
    case 'stalled':
      return isServing(state.life) ? becomeUnhealthy(state, signal, moment) : ignore(state);
    case 'bundled':
      return state.life === 'unhealthy' ? endStalled(state, signal.path, moment) : ignore(state);
    case 'exited':
      return noteExited(state, signal);
    case 'killed':
      return state.life === 'killing' ? afterKill(state, signal.survivors) : ignore(state);
    case 'reclaimed':
      if (state.life === 'unkillable') return afterRecheck(state, signal.survivors, moment);
      return state.life === 'reclaiming' ? afterReclaim(state, signal.survivors, moment) : ignore(state);
    case 'timer':
      return reduceTimer(state, signal.timer, moment);
  }
}

function startLaunch(state: State, record: NonNullable<State['launch']>, moment: Moment): Step {
  const next: State = { ...state, life: 'starting', launch: record, startedAt: new Date(moment.wallMs).toISOString(), phase: 'spawned' };
  const { health, backend } = state.wanted.spec;
  return [next, [emit({ type: 'launching', backend }), { do: 'launch' }, timer('start-deadline', health.startDeadlineMs)]];
}

function failPreflight(state: State, signal: Extract<RunSignal, { type: 'preflight-failed' }>, moment: Moment): Step {
  const { code, reason, permanent } = signal;
  const exit = { cause: 'preflight', at: new Date(moment.wallMs).toISOString(), diagnosis: code };
  const [next, effects] = settleFailure(state, { is: 'failure', exit, permanent, signature: code }, moment);
  return [next, [emit({ type: 'preflight-failed', code, reason, permanent }), ...effects]];
}

/** Arrives in `starting`, or in `stopping` and `killing` when a stop overtook the launch; the record is kept in all. */
function noteLaunched(state: State, launch: NonNullable<State['launch']>): Step {
  const about = [
    emit({ type: 'launched', ...(launch.process ? { pid: launch.process.pid } : {}) }),
    ...toCapNotes(launch).map((note) => emit({ type: 'note', note })),
  ];
  const next: State = { ...state, launch };
  return state.life === 'starting' ? [next, [...about, { do: 'watch-start' }]] : [next, about];
}

/** Caps that were asked for and do not hold: the engine runs all the same. */
function toCapNotes({ memoryCapProblem, pidsCapProblem, nofileProblem }: NonNullable<State['launch']>): readonly Message[] {
  return [
    ...(memoryCapProblem === undefined ? [] : [say('life.memory-cap', { problem: memoryCapProblem })]),
    ...(pidsCapProblem === undefined ? [] : [say('life.pids-cap', { problem: pidsCapProblem })]),
    ...(nofileProblem === undefined ? [] : [say('life.nofile', { problem: nofileProblem })]),
  ];
}

function failLaunch(state: State, signal: Extract<RunSignal, { type: 'launch-failed' }>, moment: Moment): Step {
  // A stop overtook a launch that then failed: there is nothing to stop any more.
  if (state.life === 'stopping') return reclaimLaunch(state, state.ending ?? { is: 'down' });
  if (state.life !== 'starting') return ignore(state);
  // Without a signature: what stood in the way of a launch (a full disk) may go away, however often it was met.
  const { exit, permanent } = signal;
  const [next, effects] = reclaimLaunch(state, { is: 'failure', exit, permanent });
  return [{ ...next, lastExit: exit, startedAt: state.startedAt ?? new Date(moment.wallMs).toISOString() }, effects];
}

function notePhase(state: State, signal: Extract<RunSignal, { type: 'phase' }>, moment: Moment): Step {
  const elapsedMs = toElapsed(state, moment);
  const event = emit({ type: 'phase', phase: signal.phase, elapsedMs, ...(signal.facts ? { facts: signal.facts } : {}) });
  return [{ ...state, phase: signal.phase }, [event]];
}

function noteGateWaiting(state: State, signal: Extract<RunSignal, { type: 'gate-waiting' }>): Step {
  const reason = `${signal.check}: ${signal.detail}`;
  if (state.health.reason === reason) return ignore(state);
  return [
    { ...state, health: { ready: false, reason, misses: 0 } },
    [emit({ type: 'gate-waiting', check: signal.check, detail: signal.detail })],
  ];
}

function becomeReady(before: State, firstTokenMs: number, moment: Moment): Step {
  const { lastSignature: _, ...state } = before;
  const now = new Date(moment.wallMs).toISOString();
  const next: State = {
    ...state,
    life: 'ready',
    readyAt: state.readyAt ?? now,
    lastGood: state.wanted,
    health: { ready: true, misses: 0 },
  };
  const { restart, servedNames } = state.wanted.spec;
  const effects: Effect[] = [
    { do: 'cancel', timer: 'start-deadline' },
    emit({ type: 'ready', elapsedMs: toElapsed(state, moment), firstTokenMs: Math.round(firstTokenMs), servedNames }),
    { do: 'watch-health' },
    timer('stable', restart.stableAfterMs),
  ];
  return [next, effects];
}

function noteHealth(state: State, { ok, reason }: Extract<RunSignal, { type: 'health' }>): Step {
  const { reason: _, ...rest } = state.health;
  const misses = ok ? 0 : state.health.misses + 1;
  const ready = ok || (state.health.ready && misses < healthMisses);
  const next = withHealth(state, { ...rest, ready, misses, ...(ready || reason === undefined ? {} : { reason }) });
  if (ready === state.health.ready) return [next, []];
  return [next, [emit({ type: 'health', ready, ...(ready || reason === undefined ? {} : { reason }) })]];
}

function noteProgress(state: State, moment: Moment): Step {
  return [{ ...state, health: { ...state.health, lastProgressAt: new Date(moment.wallMs).toISOString() } }, []];
}

function noteSlow(state: State, { reason }: Extract<RunSignal, { type: 'slow' }>): Step {
  const { slow: before, ...rest } = state.health;
  if (before === reason) return ignore(state);
  const next = withHealth(state, { ...rest, ...(reason === undefined ? {} : { slow: reason }) });
  if (reason !== undefined) return [next, [emit({ type: 'degraded', reason })]];
  return [next, next.life === 'ready' ? [emit({ type: 'health', ready: true })] : []];
}

/** `degraded` is all that is neither ready nor proven to hang; it serves, and nobody ends it for that. */
function withHealth(state: State, health: State['health']): State {
  return { ...state, health, life: health.ready && health.slow === undefined ? 'ready' : 'degraded' };
}

/** From here on it only ends; what can be seen of it is written down first, in bounded time. */
function becomeUnhealthy(state: State, { cause, forMs }: Extract<RunSignal, { type: 'stalled' }>, moment: Moment): Step {
  const exit = { cause, at: new Date(moment.wallMs).toISOString() };
  const health = { ...state.health, ready: false, reason: cause };
  const next: State = { ...state, life: 'unhealthy', health, ending: { is: 'failure', exit, permanent: false }, lastExit: exit };
  const effects: Effect[] = [
    { do: 'quiet' },
    { do: 'cancel', timer: 'stable' },
    emit({ type: 'unhealthy', cause, forMs }),
    { do: 'bundle' },
    timer('bundle', bundleMs),
  ];
  return [next, effects];
}

function endStalled(state: State, path: string | undefined, moment: Moment): Step {
  const before = state.ending?.is === 'failure' ? state.ending.exit : { cause: 'stall', at: new Date(moment.wallMs).toISOString() };
  const exit = path === undefined ? before : { ...before, bundle: path };
  const [next, effects] = endLaunch(state, { is: 'failure', exit, permanent: false }, moment);
  const told: readonly Effect[] = path === undefined ? [] : [emit({ type: 'bundle', path })];
  return [next, [{ do: 'cancel', timer: 'bundle' }, ...told, ...effects]];
}

/** The main process ended. Wanted or not is what *we* asked for: vLLM exits 0 when its engine dies. */
function noteExited(state: State, signal: Extract<RunSignal, { type: 'exited' }>): Step {
  const { exit, permanent, signature } = signal;
  switch (state.life) {
    case 'unhealthy':
      return reclaimLaunch(state, state.ending ?? { is: 'failure', exit, permanent: false });
    case 'starting':
    case 'degraded':
    case 'ready': {
      const ending = {
        is: 'failure',
        exit,
        permanent: permanent && state.life === 'starting',
        ...(signature ? { signature } : {}),
      } as const;
      const [next, effects] = reclaimLaunch({ ...state, lastExit: exit }, ending);
      return [next, [emit({ type: 'exited', expected: false, exit }), ...effects]];
    }
    case 'stopping': {
      const [next, effects] = reclaimLaunch(state, state.ending ?? { is: 'down' });
      return [next, [emit({ type: 'exited', expected: true, exit }), ...effects]];
    }
    default:
      // In `killing` the answer to the kill itself leads on.
      return ignore(state);
  }
}

function endUnready(state: State, about: { cause: string; line: string }, moment: Moment): Step {
  const exit = { ...about, at: new Date(moment.wallMs).toISOString() };
  return endLaunch(state, { is: 'failure', exit, permanent: false, signature: `${about.cause} ${about.line}` }, moment);
}

function afterKill(state: State, survivors: NonNullable<State['survivors']>): Step {
  return survivors.length > 0 ? becomeUnkillable(state, survivors) : reclaimLaunch(state, state.ending ?? { is: 'down' });
}

function afterReclaim(state: State, survivors: NonNullable<State['survivors']>, moment: Moment): Step {
  return survivors.length > 0 ? becomeUnkillable(state, survivors) : settle(state, moment);
}

function becomeUnkillable(state: State, survivors: NonNullable<State['survivors']>): Step {
  return [{ ...state, life: 'unkillable', survivors }, [emit({ type: 'unkillable', survivors }), timer('recheck', recheckMs)]];
}

/** Looked at again and again: a device or a file system that comes back lets go of them. Said again only if it changed. */
function afterRecheck(state: State, survivors: NonNullable<State['survivors']>, moment: Moment): Step {
  if (survivors.length === 0) return settle(state, moment);
  const pids = (of: State['survivors']) => (of ?? []).map(({ pid }) => pid).join();
  return pids(survivors) === pids(state.survivors) ? [state, [timer('recheck', recheckMs)]] : becomeUnkillable(state, survivors);
}

function reduceTimer(state: State, name: TimerName, moment: Moment): Step {
  switch (name) {
    case 'start-deadline':
      return state.life === 'starting'
        ? endUnready(state, { cause: 'start-timeout', line: state.health.reason ?? state.phase ?? '' }, moment)
        : ignore(state);
    case 'term-again':
      return state.life === 'stopping' && state.termsSent < termsMost ? termAgain(state) : ignore(state);
    case 'recheck':
      return state.life === 'unkillable' ? [state, [{ do: 'reclaim' }]] : ignore(state);
    case 'kill':
      return state.life === 'stopping' ? killLaunch(state, 'deadline') : ignore(state);
    case 'next-start': {
      const waiting = state.life === 'backoff' || state.life === 'crashloop';
      return waiting && state.desired === 'up' ? beginStart(countRestart(state, moment)) : ignore(state);
    }
    case 'stable':
      return isServing(state.life) ? [{ ...state, failures: 0, slowTries: 0 }, []] : ignore(state);
    case 'bundle':
      return state.life === 'unhealthy' ? endStalled(state, undefined, moment) : ignore(state);
  }
}

function termAgain(state: State): Step {
  const next = { ...state, termsSent: state.termsSent + 1 };
  return [next, [{ do: 'terminate' }, timer('term-again', termAgainMs)]];
}

function toElapsed(state: State, moment: Moment): number {
  return Math.max(0, moment.wallMs - Date.parse(state.startedAt ?? new Date(moment.wallMs).toISOString()));
}

function ignore(state: State): Step {
  return [state, []];
}
