import type { Clock } from '../../src/core/clock.ts';

export interface FakeClock extends Clock {
  /** Lets so much time pass, and what it brings happen. */
  advance(ms: number): Promise<void>;
  /** The clock of the day is set; intervals notice nothing. */
  setWall(byMs: number): void;
}

export function createFakeClock(wallMs = Date.parse('2026-01-01T00:00:00Z')): FakeClock {
  let now = 0;
  let set = 0;
  const timers = new Set<{ readonly at: number; readonly run: () => void }>();
  return {
    wall: () => wallMs + now + set,
    setWall(byMs) {
      set += byMs;
    },
    mono: () => now,
    after(delayMs, run) {
      const timer = { at: now + delayMs, run };
      timers.add(timer);
      return { cancel: () => void timers.delete(timer) };
    },
    async advance(ms) {
      const end = now + ms;
      for (;;) {
        const next = [...timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
        if (next === undefined) break;
        timers.delete(next);
        now = Math.max(now, next.at);
        next.run();
        // What a timer sets off may set the next one.
        await new Promise((resolve) => setImmediate(resolve));
      }
      now = end;
    },
  };
}
