/**
 * A day of an engine that is busy beyond its means, on a clock of its own: the watchdog's looks, the tokens that it
 * asks for, and the reducer that hears of all of it. Progress never ends, but comes late; pages and `/health` are
 * missed; the supervisor itself is starved. At the end of the day the engine freezes, which must be found.
 */
import { reduce } from '../../../src/supervisor/reduce/reduce.ts';
import {
  type Look,
  lookAgain,
  noteToken,
  toFirstWatch,
  type WatchSettings,
  type WatchState,
  type WatchTask,
} from '../../../src/supervisor/serving/watchdog.ts';
import type { Signal } from '../../../src/supervisor/signal.ts';
import type { State } from '../../../src/supervisor/state.ts';
import { makeRecord, makeState, makeWanted } from '../../../test/supervisor/make.ts';
import { seeded } from '../../../test/supervisor/reduce/world.ts';

export interface Day {
  readonly seed: number;
  readonly looks: number;
  /** Looks that count for nothing, because we did not run. */
  readonly starved: number;
  readonly pageless: number;
  readonly tokens: number;
  readonly unanswered: number;
  /** Words that would have ended the engine. */
  readonly verdicts: number;
  readonly frozenFound: boolean;
}

const dayMs = 24 * 3_600_000;
/** The defaults of a profile. */
const settings: WatchSettings = { stallAfterMs: 120_000, canaryEveryMs: 60_000, maxModelLen: 40_960 };
const lookEveryMs = 10_000;
const tokenLimitMs = 30_000;
/** Longest time without any step, of many long prompts at once: longer than `stall-after`, over before the token that is then asked for is given up. */
const longestGapMs = 140_000;
/** Longest time without a page of metrics. */
const longestSpellMs = 90_000;
const longestFreezeMs = 3_600_000;

export function watchDay(seed: number): Day {
  const engine = new SlowEngine(seeded(seed), seed % 2 === 1);
  let state = becomeReady();
  let watch = toFirstWatch(0, settings);
  const count = { looks: 0, starved: 0, pageless: 0, tokens: 0, unanswered: 0, verdicts: 0 };
  while (engine.nowMs < dayMs) {
    const { look, health } = engine.look();
    count.looks += 1;
    if (look.stoodStill) count.starved += 1;
    if (look.engines === undefined) count.pageless += 1;
    const step = lookAgain(watch, look, settings);
    watch = step.state;
    for (const signal of toSignals(step, health)) state = feed(state, signal, engine.nowMs);
    if (step.task.is === 'ask') {
      const token = engine.answer(step.task);
      count.tokens += 1;
      if (token !== undefined && !token.came) count.unanswered += 1;
      if (token !== undefined) watch = noteToken(watch, token, settings);
    }
    engine.wait(lookEveryMs);
    if (state.life !== 'ready' && state.life !== 'degraded') {
      count.verdicts += 1;
      state = becomeReady();
      watch = toFirstWatch(engine.nowMs, settings);
    }
  }
  return { seed, ...count, frozenFound: isFound(engine, watch) };
}

/** The other way round: without this a watchdog that never says anything would pass. */
function isFound(engine: SlowEngine, before: WatchState): boolean {
  engine.freeze();
  const untilMs = engine.nowMs + longestFreezeMs;
  let watch = before;
  while (engine.nowMs < untilMs) {
    const step = lookAgain(watch, engine.look().look, settings);
    watch = step.state;
    if (step.task.is === 'verdict') return true;
    const token = step.task.is === 'ask' ? engine.answer(step.task) : undefined;
    if (token !== undefined) watch = noteToken(watch, token, settings);
    engine.wait(lookEveryMs);
  }
  return false;
}

function toSignals({ task, progressed, slow }: ReturnType<typeof lookAgain>, health: boolean): readonly Signal[] {
  return [
    { type: 'health', run: 1, ok: health, ...(health ? {} : { reason: 'ETIMEDOUT' }) },
    ...(progressed ? [{ type: 'progress', run: 1 } as const] : []),
    { type: 'slow', run: 1, ...(slow === undefined ? {} : { reason: slow }) },
    ...(task.is === 'verdict' ? [{ type: 'stalled', run: 1, cause: task.cause, forMs: task.forMs } as const] : []),
  ];
}

function becomeReady(): State {
  const signals: readonly Signal[] = [
    { type: 'up', wanted: makeWanted(), rollback: true, by: 'up' },
    { type: 'preflight-passed', run: 1, record: makeRecord(1) },
    { type: 'launched', run: 1, record: makeRecord(1) },
    { type: 'gate-passed', run: 1, firstTokenMs: 60 },
  ];
  return signals.reduce((state, signal) => feed(state, signal, 0), makeState());
}

function feed(state: State, signal: Signal, nowMs: number): State {
  return reduce(state, signal, { wallMs: Date.parse('2026-01-01T00:00:00Z') + nowMs, random: 0.5 })[0];
}

class SlowEngine {
  nowMs = 0;
  private progress = 1;
  private nextStepMs = 0;
  private pagelessUntilMs = 0;
  private frozen = false;
  private readonly random: () => number;
  private readonly hidden: boolean;

  /** `hidden`: seen badly too, which makes the watchdog patient; of one that is seen well each long gap asks for a token. */
  constructor(random: () => number, hidden: boolean) {
    this.hidden = hidden;
    this.random = random;
  }

  /** From here on nothing moves, and no token comes; pages and `/health` do. */
  freeze(): void {
    this.frozen = true;
  }

  wait(ms: number): void {
    // A starved timer fires late.
    this.nowMs += ms * (1 + 0.3 * this.random());
    while (!this.frozen && this.nextStepMs <= this.nowMs) {
      this.progress += 1 + Math.floor(this.random() * 64);
      this.nextStepMs += this.chooseGap();
    }
  }

  /** Mostly a step or more a second; now and then long prompts take seconds, and rarely nearly all there is. */
  private chooseGap(): number {
    const dice = this.random();
    if (dice < 0.0001) return longestGapMs;
    return dice < 0.02 ? 30_000 * this.random() : 1000 * this.random() + 50;
  }

  look(): { readonly look: Look; readonly health: boolean } {
    // Spells that run into each other would be an engine that cannot be seen for longer than its budget.
    const apart = this.nowMs > this.pagelessUntilMs + longestSpellMs;
    if (this.hidden && !this.frozen && apart && this.random() < 0.02) this.pagelessUntilMs = this.nowMs + longestSpellMs * this.random();
    const stoodStill = this.hidden && !this.frozen && this.random() < 0.1;
    const health = this.frozen || this.random() < 0.4;
    const atMs = this.nowMs;
    if (atMs < this.pagelessUntilMs) return { look: { atMs, stoodStill, problem: 'ETIMEDOUT' }, health };
    const engines = [{ engine: '0', unfinished: 64 + Math.floor(this.random() * 64), progress: this.progress, promptTokens: 0 }];
    return { look: { atMs, stoodStill, engines, open: 128 }, health };
  }

  /** At the end of a full queue a token comes late, or too late. */
  answer({ because }: Extract<WatchTask, { is: 'ask' }>): Parameters<typeof noteToken>[1] | undefined {
    const takesMs = this.frozen ? Number.POSITIVE_INFINITY : 60_000 * this.random();
    this.wait(Math.min(takesMs, tokenLimitMs));
    if (this.random() < 0.1 && !this.frozen) return undefined;
    return { came: takesMs < tokenLimitMs, because, atMs: this.nowMs };
  }
}
