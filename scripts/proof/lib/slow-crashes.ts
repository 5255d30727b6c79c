/** The reducer and an engine that crashes some time after each start, on a clock of their own. */
import { reduce } from '../../../src/supervisor/reduce/reduce.ts';
import type { Effect, Signal, TimerName } from '../../../src/supervisor/signal.ts';
import type { State } from '../../../src/supervisor/state.ts';
import { makeRecord, makeState, makeWanted } from '../../../test/supervisor/make.ts';

export interface CrashPlan {
  /** From the launch to the crash. */
  readonly livesMs: number;
  /** Undefined: it never is. */
  readonly readyAfterMs: number | undefined;
}

export interface Starts {
  /** In the first half hour. */
  readonly first: number;
  /** In any hour after it. */
  readonly later: number;
  readonly total: number;
}

const dayMs = 24 * 3_600_000;
const hourMs = 3_600_000;
const beganMs = Date.parse('2026-01-01T00:00:00Z');

interface Planned {
  readonly atMs: number;
  readonly signal: Signal;
  /** Of a timer: it can be cancelled. */
  readonly timer?: TimerName;
}

export function countStarts(plan: CrashPlan): Starts {
  const world = new CrashWorld(plan);
  world.feed({ type: 'up', wanted: makeWanted(), rollback: true, by: 'up' });
  world.runUntil(dayMs);
  const { starts } = world;
  const halfMs = hourMs / 2;
  const late = starts.filter((at) => at >= halfMs);
  const perHour = late.map((from) => late.filter((at) => at >= from && at < from + hourMs).length);
  return { first: starts.length - late.length, later: Math.max(0, ...perHour), total: starts.length };
}

class CrashWorld {
  readonly starts: number[] = [];
  private state: State = makeState();
  private nowMs = 0;
  private planned: Planned[] = [];
  private readonly plan: CrashPlan;

  constructor(plan: CrashPlan) {
    this.plan = plan;
  }

  runUntil(endMs: number): void {
    for (;;) {
      const next = this.planned.toSorted((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined || next.atMs > endMs) return;
      this.planned = this.planned.filter((one) => one !== next);
      this.nowMs = next.atMs;
      this.feed(next.signal);
    }
  }

  feed(signal: Signal): void {
    // The shortest delays that there are: without the random share.
    const [state, effects] = reduce(this.state, signal, { wallMs: beganMs + this.nowMs, random: 0 });
    this.state = state;
    for (const effect of effects) this.perform(effect);
  }

  private perform(effect: Effect): void {
    const { run } = this.state;
    switch (effect.do) {
      case 'timer':
        this.cancel(effect.timer);
        return this.later(effect.delayMs, { type: 'timer', run, timer: effect.timer }, effect.timer);
      case 'cancel':
        return this.cancel(effect.timer);
      case 'preflight':
        return this.later(0, { type: 'preflight-passed', run, record: makeRecord(run) });
      case 'launch':
        return this.launch(run);
      case 'reclaim':
        return this.later(0, { type: 'reclaimed', run, survivors: [] });
      default:
    }
  }

  private launch(run: number): void {
    const { livesMs, readyAfterMs } = this.plan;
    this.starts.push(this.nowMs);
    this.later(0, { type: 'launched', run, record: makeRecord(run) });
    if (readyAfterMs !== undefined) this.later(readyAfterMs, { type: 'gate-passed', run, firstTokenMs: 60 });
    const exit = { cause: 'exit', at: new Date(beganMs + this.nowMs + livesMs).toISOString(), code: 1 };
    // Another message each time: the same twice in a row would end it at the second.
    this.later(livesMs, { type: 'exited', run, exit, permanent: false, signature: `crash ${run}` });
  }

  private later(delayMs: number, signal: Signal, timer?: TimerName): void {
    this.planned.push({ atMs: this.nowMs + delayMs, signal, ...(timer === undefined ? {} : { timer }) });
  }

  private cancel(timer: TimerName): void {
    this.planned = this.planned.filter((one) => one.timer !== timer);
  }
}
