import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { systemClock, waitFor } from '../../src/core/clock.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const dayMs = 24 * 3_600_000;

it('waits for longer than one timer of the platform can', () => {
  const run = vi.fn();
  systemClock.after(60 * dayMs, run);
  vi.advanceTimersByTime(59 * dayMs);
  expect(run).not.toHaveBeenCalled();
  vi.advanceTimersByTime(dayMs);
  expect(run).toHaveBeenCalledTimes(1);
});

it('cancels a long wait in any of its parts', () => {
  const run = vi.fn();
  const timer = systemClock.after(60 * dayMs, run);
  vi.advanceTimersByTime(30 * dayMs);
  timer.cancel();
  expect(vi.getTimerCount()).toBe(0);
  vi.advanceTimersByTime(60 * dayMs);
  expect(run).not.toHaveBeenCalled();
});

it.each([0, -5])('calls back, and not at once, for a delay of %d', (delayMs) => {
  const run = vi.fn();
  systemClock.after(delayMs, run);
  expect(run).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(run).toHaveBeenCalledTimes(1);
});

it('leaves no timer behind when its signal aborts', async () => {
  const ended = new AbortController();
  const waiting = waitFor(1000, ended.signal);
  expect(vi.getTimerCount()).toBe(1);
  ended.abort();
  await waiting;
  expect(vi.getTimerCount()).toBe(0);
  await waitFor(1000, ended.signal);
  expect(vi.getTimerCount()).toBe(0);
});
