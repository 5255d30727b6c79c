/** The steps that several signals share: begin a start, end a launch, settle after it is reclaimed. */
import type { ExitReport, LifeEvent } from '../../core/event.ts';
import { isServing } from '../deployment.ts';
import type { Effect, Moment, TimerName } from '../signal.ts';
import type { EndReason, State } from '../state.ts';
import { chooseNextStart, type FailureCount } from './backoff.ts';
import { type Falling, fallBack } from './fallback.ts';
import { isFailedStep, noteUnfit, toBase } from './ladder.ts';

export type Step = readonly [State, readonly Effect[]];

/** vLLM's drain limit does not end a stop while a client holds on; this much later everything is killed. */
const afterDrainMs = 10_000;
/** An engine that never became ready has nothing to drain. */
const failedStopMs = 10_000;
/** Enough for an engine that is well to end itself. */
const leastStopMs = 1000;
/** The first SIGTERM during start-up is swallowed by vLLM, so it is repeated this often. */
export const termAgainMs = 5000;
const startStopMs = 15_000;
const dayMs = 24 * 3_600_000;
/** What is said of one launch and means nothing for the next. */
const ofOneLaunch = [
  'waits',
  'falling',
  'ending',
  'graceMs',
  'startedAt',
  'readyAt',
  'phase',
  'phaseAt',
  'download',
  'drain',
  'survivors',
] as const;

/** Starts that find the port taken before that is believed to stay so: a stranger's server may be about to end. */
const preflightTries = 3;
/** Between two looks at whether a start is possible by now. */
const waitMs = 15_000;
/** Starts that fail in the same way before a further one is not worth it. */
const sameTries = 2;

export function emit(event: LifeEvent): Effect {
  return { do: 'emit', event };
}

export function timer(name: TimerName, delayMs: number): Effect {
  return { do: 'timer', timer: name, delayMs };
}

/** From a state without a launch to the next one. Only called when the last launch is reclaimed. */
export function beginStart(before: State): Step {
  const kept = without(before, ['launch', 'nextStartAt', ...ofOneLaunch]);
  const state: State = { ...kept, life: 'preflight', run: before.run + 1, termsSent: 0, health: { ready: false, misses: 0 } };
  return [state, [cancel('next-start'), emit({ type: 'preflight' }), { do: 'preflight' }]];
}

/** Asks a running launch to stop. What happens afterwards is decided by `ending` when it is reclaimed. */
export function endLaunch(state: State, ending: EndReason, moment: Moment): Step {
  const starting = state.life === 'starting';
  const draining = isServing(state.life) && ending.is !== 'failure';
  const killAfterMs = toKillDelay(state, ending);
  const next: State = {
    ...state,
    life: draining ? 'draining' : 'stopping',
    ending,
    termsSent: 1,
    health: { ready: false, reason: 'stopping', misses: 0 },
    ...(draining ? { drain: { since: new Date(moment.wallMs).toISOString() } } : {}),
  };
  const effects: Effect[] = [
    { do: 'quiet' },
    cancel('start-deadline'),
    cancel('stable'),
    cancel('bundle'),
    emit({ type: 'stopping', reason: toReasonText(ending), graceMs: killAfterMs }),
    { do: 'terminate' },
    ...(draining ? [{ do: 'watch-drain' } as const] : []),
    ...(starting ? [timer('term-again', termAgainMs)] : []),
    timer('kill', killAfterMs),
  ];
  return [ending.is === 'failure' ? noteExit(next, ending.exit, moment) : next, effects];
}

function toKillDelay(state: State, ending: EndReason): number {
  // Nothing to wait for: whoever wants stops to be quick means these too.
  if (ending.is === 'failure' || state.life === 'unhealthy')
    return Math.min(failedStopMs, Math.max(state.wanted.spec.drainMs, leastStopMs));
  if (state.life === 'starting') return Math.min(startStopMs, state.graceMs ?? startStopMs);
  const { drainMs } = state.wanted.spec;
  const graceMs = state.graceMs ?? drainMs;
  return graceMs < drainMs ? graceMs : graceMs + afterDrainMs;
}

export function killLaunch(state: State, reason: string): Step {
  const [drained, told] = endDrain(state, state.drain?.left ?? 0);
  const next: State = { ...drained, life: 'killing', health: { ready: false, reason: 'stopping', misses: 0 } };
  return [next, [{ do: 'quiet' }, ...stopTimers(), ...told, emit({ type: 'killing', reason }), { do: 'kill' }]];
}

/** Says what became of the requests that were open when the stop began, once. */
export function endDrain(before: State, aborted: number): Step {
  const { drain, ...state } = before;
  if (drain?.open === undefined || drain.open === 0) return [state, []];
  return [state, [emit({ type: 'drained', finished: Math.max(0, drain.open - aborted), aborted })]];
}

/** The main process is gone: end what it left behind and prove that nothing is there. */
export function reclaimLaunch(state: State, ending: EndReason): Step {
  const next: State = { ...state, life: 'reclaiming', ending, health: { ready: false, misses: 0 } };
  return [next, [{ do: 'quiet' }, ...stopTimers(), { do: 'reclaim' }]];
}

/** After the proof: where `ending` leads. `down` wins over everything. `held`: memory of the GPU that did not come back. */
export function settle(before: State, moment: Moment, held?: ExitReport): Step {
  const state = held === undefined ? before : noteExit(before, held, moment);
  const { ending } = state;
  if (state.desired === 'down' || ending === undefined || ending.is === 'down') return settleStopped(state);
  // Another configuration would not find that memory either.
  if (held) return fail({ ...without(state, ofOneLaunch), failures: state.failures + 1 }, held);
  if (ending.is === 'replace') return beginStart(state);
  if (ending.waits) return waitUntilPossible(state, ending.exit, moment);
  return settleFailure(state, ending, moment);
}

export function settleStopped(before: State): Step {
  const kept = without(before, ['nextStartAt', ...ofOneLaunch]);
  const still = { failures: 0, slowTries: 0, health: { ready: false, misses: 0 } } as const;
  // Where pressure had led it is over with what ran.
  const state: State = { ...kept, ...still, life: 'stopped', desired: 'down', wanted: toBase(before.wanted) };
  return [state, [cancel('next-start'), ...stopTimers(), emit({ type: 'stopped' })]];
}

export function settleFailure(before: State, failure: Extract<EndReason, { is: 'failure' }>, moment: Moment): Step {
  const wasReady = before.readyAt !== undefined;
  const repeated = !wasReady && failure.signature !== undefined && failure.signature === before.lastSignature;
  const inARow = repeated ? (before.sameFailures ?? 1) + 1 : 1;
  const sameAgain = inARow >= (failure.exit.cause === 'preflight' ? preflightTries : sameTries);
  const kept = without(before, ['lastSignature', 'sameFailures', ...ofOneLaunch]);
  const state: State = {
    ...noteExit(kept, failure.exit, moment),
    failures: before.failures + 1,
    ...(wasReady || failure.signature === undefined ? {} : { lastSignature: failure.signature, sameFailures: inARow }),
  };
  if (failure.permanent || sameAgain || (isFailedStep(before) && canRollBack(state))) return giveUp(state, failure.exit, moment);
  const verdict = chooseNextStart(toFailureCount(state, moment), state.wanted.spec.restart);
  if (verdict.is === 'give-up') return giveUp(state, failure.exit, moment);
  if (verdict.is === 'retry') return waitForNextStart(state, verdict, moment);
  if (canRollBack(state)) return rollBack(state, failure.exit);
  const { exit } = failure;
  return fallBack(state, { exit, againMs: verdict.delayMs, moment }) ?? waitForNextStart(state, verdict, moment);
}

/** Where a fall back leads that no step is left for. */
export function settleWithoutStep(state: State, { exit, againMs }: Falling, moment: Moment): Step {
  return againMs === undefined ? fail(state, exit) : waitForNextStart(state, { is: 'crashloop', delayMs: againMs }, moment);
}

/** Nothing failed: it cannot start yet. Met again with every try, which counts against nobody. */
export function waitUntilPossible(before: State, exit: ExitReport, moment: Moment): Step {
  const kept = without(before, [...ofOneLaunch]);
  const delayMs = Math.round(waitMs * (1 + moment.random / 5));
  const nextStartAt = new Date(moment.wallMs + delayMs).toISOString();
  const state: State = { ...noteExit(kept, exit, moment), life: 'backoff', nextStartAt, waits: true };
  return [state, [emit({ type: 'backoff', attempt: state.failures, delayMs, nextStartAt }), timer('next-start', delayMs)]];
}

function waitForNextStart(state: State, verdict: { is: 'retry' | 'crashloop'; delayMs: number }, moment: Moment): Step {
  const nextStartAt = new Date(moment.wallMs + verdict.delayMs).toISOString();
  const life = verdict.is === 'retry' ? 'backoff' : 'crashloop';
  const next: State = { ...state, life, nextStartAt, slowTries: state.slowTries + (life === 'crashloop' ? 1 : 0) };
  const about = { attempt: state.failures, delayMs: verdict.delayMs, nextStartAt };
  return [next, [emit({ type: life, ...about }), timer('next-start', verdict.delayMs)]];
}

/** What served before comes first, a step down second. */
function giveUp(state: State, exit: ExitReport, moment: Moment): Step {
  return canRollBack(state) ? rollBack(state, exit) : (fallBack(state, { exit, moment }) ?? fail(state, exit));
}

function fail(state: State, exit: ExitReport): Step {
  return [{ ...state, life: 'failed' }, [emit({ type: 'failed', exit })]];
}

function canRollBack(state: State): boolean {
  return state.rollback && state.lastGood !== undefined && state.lastGood.spec.hash !== state.wanted.spec.hash;
}

function rollBack(state: State, exit: ExitReport): Step {
  const wanted = state.lastGood ?? state.wanted;
  const [next, effects] = beginStart({ ...without(state, ['lastSignature']), ...noteUnfit(state), wanted, failures: 0 });
  return [next, [emit({ type: 'rolling-back', reason: exit.line ?? exit.cause }), ...effects]];
}

/** An unasked start after a failure: counted where people look for it. */
export function countRestart(state: State, moment: Moment): State {
  const since = moment.wallMs - dayMs;
  const restarts = [...state.restarts.filter((at) => Date.parse(at) > since), new Date(moment.wallMs).toISOString()];
  return { ...state, restarts, restartsTotal: state.restartsTotal + 1 };
}

function toFailureCount(state: State, moment: Moment): FailureCount {
  return {
    failures: state.failures,
    restartTimes: state.restarts.map((at) => Date.parse(at)),
    slowTries: state.slowTries,
    wallMs: moment.wallMs,
    random: moment.random,
  };
}

/** First reason wins: an exit that we caused by ending a failed launch does not replace the failure itself. */
function noteExit(state: State, exit: ExitReport, moment: Moment): State {
  return { ...state, lastExit: { ...exit, at: exit.at || new Date(moment.wallMs).toISOString() } };
}

function toReasonText(ending: EndReason): string {
  return ending.is === 'failure' ? ending.exit.cause : ending.is;
}

export function stopTimers(): readonly Effect[] {
  return [
    cancel('sight'),
    cancel('term-again'),
    cancel('kill'),
    cancel('recheck'),
    cancel('start-deadline'),
    cancel('stable'),
    cancel('bundle'),
  ];
}

export function cancel(name: TimerName): Effect {
  return { do: 'cancel', timer: name };
}

export function without<K extends keyof State>(state: State, keys: readonly K[]): Omit<State, K> & Partial<Pick<State, never>> {
  const copy: Partial<State> = { ...state };
  for (const key of keys) delete copy[key];
  return copy as Omit<State, K>;
}
