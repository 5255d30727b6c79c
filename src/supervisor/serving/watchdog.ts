/**
 * Whether a ready engine still makes progress. Pure: (what was seen so far, one look at the engine) → the same a moment
 * later, and what to do. `/health` says 200 while the engine is frozen, and a busy engine misses probes: only its own
 * counters tell. Slow is not dead, and a lack of evidence is no evidence: the last word has always a real inference of
 * one token that was not answered.
 *
 *   work is waiting ∧ no counter moved for the budget  → ask for one token → no answer, still no counter  → stall
 *   nothing to do for a while                          → ask for one token, three times, no answer        → canary
 *   no page of metrics, and no token either            →                                                  → api
 *
 * Measured on vLLM 0.32: the gauges are written by the engine's own steps, so requests that arrive after it froze show
 * as none running and none waiting; `/load`, counted by the API server, has them. A step moves
 * `iteration_tokens_total_count` by one whatever its batch, and an idle engine never does.
 */

import type { StallCause } from '../../core/event.ts';

export interface WatchSettings {
  /** Work without progress for this long is suspicious. */
  readonly stallAfterMs: number;
  /** An idle engine is asked for one token this often; 0: never. */
  readonly canaryEveryMs: number;
  /** The longest prompt, tokens: where a prefill is one step, nothing moves meanwhile. */
  readonly maxModelLen?: number;
}

/** One engine of several (data parallel) as the page of metrics tells of it. */
export interface EngineLook {
  readonly engine: string;
  /** Running and waiting requests. */
  readonly unfinished: number;
  /** Sum of counters that move with work. */
  readonly progress: number;
  readonly promptTokens: number;
}

export interface Look {
  /** Monotonic. */
  readonly atMs: number;
  /** We did not run for a while (starved, suspended): then nothing that we timed says anything of the engine. */
  readonly stoodStill: boolean;
  /** Undefined: the page could not be had. */
  readonly engines?: readonly EngineLook[];
  /** Put to sleep by somebody: it has nothing to do and answers nothing. */
  readonly asleep?: boolean;
  /** Generation was paused by somebody (`/pause`): requests wait for as long as that somebody wants. */
  readonly suspended?: boolean;
  /** Its processes were stopped by somebody's hand: they go on when that somebody wants. */
  readonly paused?: boolean;
  /** The machine does little but wait for memory: everything takes longer. */
  readonly thrashing?: boolean;
  /** Requests that the API server has open (`/load`), where it tells. */
  readonly open?: number;
  /** Why there was no page. */
  readonly problem?: string;
}

interface EngineWatch {
  readonly progress: number;
  readonly promptTokens: number;
  readonly movedAtMs: number;
  /** The longest time without progress while there was work, after which there was progress again. */
  readonly longestGapMs: number;
}

export interface WatchState {
  readonly engines: Readonly<Record<string, EngineWatch>>;
  readonly lookedAtMs: number;
  /** Since then without a break: work is waiting. Undefined: none is. */
  readonly busySinceMs?: number;
  readonly idleSinceMs?: number;
  /** The last page of metrics, or answered token. */
  readonly heardAtMs: number;
  /** Tokens per second of prompts, the best that was seen. */
  readonly prefillRate: number;
  readonly canaryAtMs: number;
  readonly canaryMisses: number;
  /** A token was asked for because of a stall, and did not come. */
  readonly unconfirmed: boolean;
}

export type WatchTask =
  | { readonly is: 'nothing' }
  /** Ask for one token now. */
  | { readonly is: 'ask'; readonly because: 'stall' | 'idle' | 'silence' }
  | { readonly is: 'verdict'; readonly cause: StallCause; readonly forMs: number };

export interface WatchStep {
  readonly state: WatchState;
  readonly task: WatchTask;
  readonly progressed: boolean;
  /** It may be slow: said, and nothing more. */
  readonly slow?: string;
}

/** Twenty minutes: the longest that a prefill or a gap of the past may excuse. */
const mostBudgetMs = 20 * 60_000;
/** Fewer prompt tokens between two looks are no measure of a prefill. */
const tellingTokens = 512;
const gapsAllowed = 3;
const canaryMissesMost = 3;
const jitter = 0.2;
/** Times the budget, where the machine thrashes. */
const patience = 3;

export function toFirstWatch(atMs: number, settings: WatchSettings): WatchState {
  return {
    engines: {},
    lookedAtMs: atMs,
    heardAtMs: atMs,
    idleSinceMs: atMs,
    prefillRate: 0,
    canaryAtMs: atMs + settings.canaryEveryMs,
    canaryMisses: 0,
    unconfirmed: false,
  };
}

export function lookAgain(before: WatchState, look: Look, given: WatchSettings): WatchStep {
  if (look.thrashing) return lookPatiently(before, look, given);
  return weigh(before, look, given);
}

function lookPatiently(before: WatchState, look: Look, given: WatchSettings): WatchStep {
  const step = weigh(before, look, { ...given, stallAfterMs: patience * given.stallAfterMs });
  return { ...step, slow: step.slow ?? 'thrashing' };
}

function weigh(before: WatchState, look: Look, settings: WatchSettings): WatchStep {
  if (look.paused) return { state: forgetTimes(before, look.atMs, settings), task: { is: 'nothing' }, progressed: false, slow: 'paused' };
  if (look.stoodStill) return { state: forgetTimes(before, look.atMs, settings), task: { is: 'nothing' }, progressed: false };
  if (look.engines === undefined) return weighSilence(before, look, settings);
  const { engines, progressed, prefillRate } = compare(before, look.engines, look);
  const seen: WatchState = { ...before, engines, prefillRate, lookedAtMs: look.atMs, heardAtMs: look.atMs };
  const resting = look.asleep ? 'asleep' : look.suspended ? 'suspended' : undefined;
  if (resting) return { state: forgetTimes(seen, look.atMs, settings), task: { is: 'nothing' }, progressed, slow: resting };
  const busy = look.engines.some(({ unfinished }) => unfinished > 0) || (look.open ?? 0) > 0;
  return busy ? weighWork(seen, look, { settings, progressed }) : weighIdleness(seen, look, { settings, progressed });
}

/** What became of the token that was asked for. `atMs`: when it came, or was given up. */
export function noteToken(
  before: WatchState,
  token: { readonly came: boolean; readonly atMs: number; readonly because: 'stall' | 'idle' | 'silence' },
  settings: WatchSettings,
): WatchState {
  const { came, atMs, because } = token;
  const canaryAtMs = atMs + settings.canaryEveryMs;
  if (!came) {
    if (because === 'stall') return { ...before, unconfirmed: true };
    return { ...before, canaryMisses: before.canaryMisses + 1, canaryAtMs: because === 'idle' ? atMs : canaryAtMs };
  }
  const answered = { ...before, heardAtMs: atMs, canaryMisses: 0, canaryAtMs, unconfirmed: false };
  // Of several engines it may have come from another one than the one that stands still.
  const alone = Object.keys(before.engines).length <= 1;
  return because === 'stall' && !alone ? answered : { ...answered, engines: moveAll(before.engines, atMs) };
}

/** Adds 0 to 20 % either way, so that many supervisors do not go in step. */
export function jitterCanary(state: WatchState, random: number, settings: WatchSettings): WatchState {
  return { ...state, canaryAtMs: state.canaryAtMs + settings.canaryEveryMs * jitter * (2 * random - 1) };
}

interface Compared {
  readonly engines: WatchState['engines'];
  readonly progressed: boolean;
  readonly prefillRate: number;
}

/** A counter that went down is a new beginning, and a beginning is progress. */
function compare(before: WatchState, seen: readonly EngineLook[], { atMs }: Look): Compared {
  const engines: Record<string, EngineWatch> = {};
  let progressed = false;
  let prefillRate = before.prefillRate;
  for (const { engine, progress, promptTokens } of seen) {
    const last = before.engines[engine];
    if (last !== undefined && last.progress === progress) {
      engines[engine] = last;
      continue;
    }
    const waited = before.busySinceMs === undefined || last === undefined ? 0 : atMs - Math.max(last.movedAtMs, before.busySinceMs);
    const tokens = promptTokens - (last?.promptTokens ?? promptTokens);
    // The rate of a few tokens between two looks says how often we look, and nothing of the engine.
    if (tokens >= tellingTokens) prefillRate = Math.max(prefillRate, (tokens * 1000) / Math.max(1, atMs - before.lookedAtMs));
    engines[engine] = { progress, promptTokens, movedAtMs: atMs, longestGapMs: Math.max(last?.longestGapMs ?? 0, waited) };
    progressed ||= last !== undefined;
  }
  return { engines, progressed, prefillRate };
}

interface Weighing {
  readonly settings: WatchSettings;
  readonly progressed: boolean;
}

function weighWork(seen: WatchState, look: Look, { settings, progressed }: Weighing): WatchStep {
  const busySinceMs = seen.busySinceMs ?? look.atMs;
  const canaryAtMs = look.atMs + settings.canaryEveryMs;
  const { idleSinceMs: _, ...rest } = seen;
  const state: WatchState = { ...rest, busySinceMs, canaryAtMs, canaryMisses: 0 };
  const still = findStandstill(state, look, settings);
  if (still === undefined) return { state: { ...state, unconfirmed: false }, task: { is: 'nothing' }, progressed };
  const { forMs, budgetMs, among } = still;
  // One of several: another engine may answer for it, so that only time can tell.
  const sure = state.unconfirmed || (among > 1 && forMs > 2 * budgetMs);
  if (sure) return { state, task: { is: 'verdict', cause: 'stall', forMs }, progressed };
  return { state, task: { is: 'ask', because: 'stall' }, progressed, slow: 'stall' };
}

interface Standstill {
  readonly forMs: number;
  readonly budgetMs: number;
  readonly among: number;
}

/** The engine that has had work for longer than its budget and did not move. */
function findStandstill(state: WatchState, { atMs, engines = [] }: Look, settings: WatchSettings): Standstill | undefined {
  const told = engines.some(({ unfinished }) => unfinished > 0);
  // Where only the API server knows of the work, it may be with any of them: all must stand still.
  const suspects = told ? engines.filter(({ unfinished }) => unfinished > 0) : engines;
  const still = suspects.map(({ engine }) => {
    const watch = state.engines[engine];
    const forMs = atMs - Math.max(watch?.movedAtMs ?? atMs, state.busySinceMs ?? atMs);
    return { forMs, budgetMs: toBudget(state, watch, settings), among: engines.length };
  });
  const over = still.filter(({ forMs, budgetMs }) => forMs > budgetMs);
  const found = told ? over.length > 0 : over.length === still.length;
  return found ? over.toSorted((a, b) => b.forMs - a.forMs)[0] : undefined;
}

/** At least three times the longest gap of this launch, and the time of the longest prompt at the best rate seen. */
function toBudget({ prefillRate }: WatchState, watch: EngineWatch | undefined, { stallAfterMs, maxModelLen = 0 }: WatchSettings): number {
  const gapMs = gapsAllowed * (watch?.longestGapMs ?? 0);
  const prefillMs = prefillRate > 0 ? (maxModelLen * 1000) / prefillRate : 0;
  return Math.max(stallAfterMs, Math.min(mostBudgetMs, Math.max(gapMs, prefillMs)));
}

function weighIdleness(seen: WatchState, look: Look, { settings, progressed }: Weighing): WatchStep {
  const { busySinceMs: _, ...rest } = seen;
  const state: WatchState = { ...rest, idleSinceMs: seen.idleSinceMs ?? look.atMs, unconfirmed: false };
  if (progressed) {
    const moved = { ...state, canaryMisses: 0, canaryAtMs: look.atMs + settings.canaryEveryMs };
    return { state: moved, task: { is: 'nothing' }, progressed };
  }
  if (state.canaryMisses >= canaryMissesMost) {
    return { state, task: { is: 'verdict', cause: 'canary', forMs: look.atMs - toLastMove(state) }, progressed };
  }
  const due = settings.canaryEveryMs > 0 && look.atMs >= state.canaryAtMs;
  return {
    state,
    task: due ? { is: 'ask', because: 'idle' } : { is: 'nothing' },
    progressed,
    ...(state.canaryMisses > 0 ? { slow: 'canary' } : {}),
  };
}

/** No page. Saturated, or its loop is frozen: a token decides, and only when there was nothing at all for the budget. */
function weighSilence(before: WatchState, look: Look, settings: WatchSettings): WatchStep {
  const state: WatchState = { ...before, lookedAtMs: look.atMs };
  const forMs = look.atMs - state.heardAtMs;
  const slow = look.problem ?? 'silence';
  if (forMs <= settings.stallAfterMs) return { state, task: { is: 'nothing' }, progressed: false, slow };
  if (state.canaryMisses >= canaryMissesMost) return { state, task: { is: 'verdict', cause: 'api', forMs }, progressed: false, slow };
  return { state, task: { is: 'ask', because: 'silence' }, progressed: false, slow };
}

/** Time that we did not see, or that counts for nothing: all clocks begin again. */
function forgetTimes(before: WatchState, atMs: number, settings: WatchSettings): WatchState {
  const { busySinceMs: _, ...rest } = before;
  return {
    ...rest,
    engines: moveAll(before.engines, atMs),
    lookedAtMs: atMs,
    heardAtMs: atMs,
    idleSinceMs: atMs,
    canaryAtMs: atMs + settings.canaryEveryMs,
    canaryMisses: 0,
    unconfirmed: false,
  };
}

function moveAll(engines: WatchState['engines'], atMs: number): WatchState['engines'] {
  return Object.fromEntries(Object.entries(engines).map(([engine, watch]) => [engine, { ...watch, movedAtMs: atMs }]));
}

function toLastMove({ engines, heardAtMs }: WatchState): number {
  const moves = Object.values(engines).map(({ movedAtMs }) => movedAtMs);
  return moves.length === 0 ? heardAtMs : Math.max(...moves);
}
