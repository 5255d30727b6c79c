/** Notices that the clock of the day was set, or that the machine was asleep. Intervals of ours are on another clock. */
import type { Clock } from '../core/clock.ts';

/** A clock that is kept right by small steps is no news. */
const leastMs = 30_000;

export class ClockSteps {
  private readonly clock: Clock;
  private offsetMs: number;

  constructor(clock: Clock) {
    this.clock = clock;
    this.offsetMs = toOffset(clock);
  }

  /** Milliseconds that it went forward (less than 0: back) since the last look, besides passing; 0 when it did not. */
  look(): number {
    const offsetMs = toOffset(this.clock);
    const byMs = offsetMs - this.offsetMs;
    this.offsetMs = offsetMs;
    return Math.abs(byMs) < leastMs ? 0 : byMs;
  }
}

function toOffset(clock: Clock): number {
  return clock.wall() - clock.mono();
}
