import { describe, expect, it } from 'vitest';
import { chooseNextStart, type FailureCount } from '../../../src/supervisor/reduce/backoff.ts';
import { makeSpec } from '../make.ts';

const wallMs = Date.parse('2026-01-01T12:00:00Z');
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const settings = makeSpec().restart;

function count(changes: Partial<FailureCount> = {}): FailureCount {
  return { failures: 1, restartTimes: [], slowTries: 0, wallMs, random: 0, ...changes };
}

/** Times of so many restarts, one every `everyMs`, the last one just now. */
function restarts(many: number, everyMs: number): number[] {
  return Array.from({ length: many }, (_, n) => wallMs - n * everyMs);
}

describe('the ladder', () => {
  it.each([
    [1, 2],
    [2, 10],
    [3, 20],
    [4, 40],
    [5, 80],
    [6, 160],
    [7, 300],
    [8, 300],
    [2000, 300],
  ])('failure %d: %d s', (failures, seconds) => {
    const patient = { ...settings, maxFailures: Number.POSITIVE_INFINITY };
    expect(chooseNextStart(count({ failures }), patient)).toEqual({ is: 'retry', delayMs: seconds * 1000 });
  });

  it('stands on the first delay and under the cap of the profile', () => {
    const own = { ...settings, firstDelayMs: 100, maxDelayMs: 700 };
    const delays = [1, 2, 3, 4].map((failures) => chooseNextStart(count({ failures }), own));
    expect(delays).toEqual([100, 500, 700, 700].map((delayMs) => ({ is: 'retry', delayMs })));
  });

  it('is lengthened by a fifth at most, never shortened', () => {
    expect(chooseNextStart(count({ random: 0.5 }), settings)).toEqual({ is: 'retry', delayMs: 2200 });
    expect(chooseNextStart(count({ random: 0.999_999 }), settings)).toEqual({ is: 'retry', delayMs: 2400 });
  });
});

describe('a crash loop', () => {
  it.each([
    [5, 'retry'],
    [6, 'crashloop'],
    [7, 'crashloop'],
  ])('with %d failures in a row of 6: %s', (failures, is) => {
    expect(chooseNextStart(count({ failures }), settings).is).toBe(is);
  });

  it.each([
    ['6 within the hour', restarts(6, minuteMs), 'retry'],
    ['7 within the hour', restarts(7, minuteMs), 'crashloop'],
    ['7, the first an hour ago', restarts(7, 10 * minuteMs), 'retry'],
    ['15 within the day', restarts(15, hourMs), 'retry'],
    ['16 within the day', restarts(16, hourMs), 'crashloop'],
    ['17, the last two a day ago', restarts(17, 1.6 * hourMs), 'retry'],
    ['20 that the clock, set back since, puts into the future', restarts(20, -hourMs).slice(1), 'retry'],
  ])('however stable in between: %s', (_, restartTimes, is) => {
    expect(chooseNextStart(count({ restartTimes }), settings).is).toBe(is);
  });

  it('is tried again every half hour, with jitter, for a day', () => {
    const spent = { failures: 6, slowTries: 47 };
    expect(chooseNextStart(count({ ...spent, random: 0.5 }), settings)).toEqual({ is: 'crashloop', delayMs: 33 * minuteMs });
    expect(chooseNextStart(count({ ...spent, slowTries: 48 }), settings)).toEqual({ is: 'give-up' });
  });
});
