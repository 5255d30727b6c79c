import { describe, expect, it } from 'vitest';
import type { AdaptSettings } from '../../../src/profile/profile.ts';
import {
  type AdaptPast,
  judgePressure,
  mayStep,
  type PressureReading,
  toFirstAdaptMemory,
  withStep,
} from '../../../src/supervisor/adapt/adapt.ts';

const minute = 60_000;
const settings: AdaptSettings = {
  when: { cpuPercent: 90, queueWaitMs: 20_000 },
  forMs: 2 * minute,
  backBelowPercent: 80,
  backAfterMs: 15 * minute,
  leastStayMs: 10 * minute,
  mostSteps: 4,
  steps: ['light'],
};
const start = Date.parse('2026-01-01T00:00:00Z');
const past: AdaptPast = { canGo: { lighter: true, back: true }, steps: [] };
const calm = { cpu: 10, 'queue-wait': 0 };

/** The first verdict that is not nothing, and when; a reading each minute. */
function judgeAll(values: readonly PressureReading['values'][], given: Partial<{ past: AdaptPast; gapMs: number; wallMs: number }> = {}) {
  let memory = toFirstAdaptMemory(0);
  for (const [index, one] of values.entries()) {
    const atMs = (index + 1) * (given.gapMs ?? minute);
    const reading = { atMs, wallMs: (given.wallMs ?? start) + atMs, values: one };
    const judged = judgePressure(memory, reading, { settings, past: given.past ?? past, mostGapMs: 2 * minute });
    memory = judged.memory;
    if (judged.verdict.is !== 'nothing') return { at: index + 1, ...judged.verdict };
  }
  return { is: 'nothing' };
}

const times = <T>(count: number, value: T): readonly T[] => Array.from({ length: count }, () => value);

describe('a step to something lighter', () => {
  it('is made when one limit is reached for long enough, with the numbers', () => {
    expect(judgeAll(times(5, { ...calm, cpu: 96 }))).toEqual({
      at: 3,
      is: 'step',
      to: 'lighter',
      because: [{ what: 'cpu', value: 96, limit: 90 }],
    });
  });

  it('begins to count again after a break, after silence, and after a gap', () => {
    const high = { ...calm, cpu: 90 };
    expect(judgeAll([high, high, calm, high, high, calm])).toEqual({ is: 'nothing' });
    expect(judgeAll([high, high, {}, high, high, {}])).toEqual({ is: 'nothing' });
    expect(judgeAll(times(6, high), { gapMs: 3 * minute })).toEqual({ is: 'nothing' });
  });

  it('is not made from what changes its reason all the time', () => {
    const turns = [
      { cpu: 95, 'queue-wait': 0 },
      { cpu: 10, 'queue-wait': 30 },
    ];
    expect(judgeAll(times(10, turns).flat())).toEqual({ is: 'nothing' });
  });

  it('is not made where there is nothing lighter', () => {
    const canGo = { lighter: false, back: true };
    expect(judgeAll(times(30, { ...calm, cpu: 100 }), { past: { canGo, steps: [] } })).toEqual({ is: 'nothing' });
  });
});

describe('a step back', () => {
  it('needs all of them well below their limits for longer', () => {
    expect(judgeAll(times(20, calm))).toMatchObject({
      at: 16,
      to: 'back',
      because: [
        { what: 'cpu', value: 10, limit: 72 },
        { what: 'queue-wait', value: 0, limit: 16 },
      ],
    });
    expect(judgeAll(times(60, { ...calm, cpu: 72 }))).toEqual({ is: 'nothing' });
    expect(judgeAll(times(60, { cpu: 10 }))).toEqual({ is: 'nothing' });
    expect(judgeAll([...times(14, calm), { ...calm, cpu: 80 }, ...times(14, calm)])).toEqual({ is: 'nothing' });
  });
});

describe('restraint', () => {
  const at = (...minutes: number[]) => minutes.map((one) => new Date(start + one * minute).toISOString());
  const high = { ...calm, cpu: 100 };

  it('rests after a step', () => {
    expect(judgeAll(times(20, high), { past: { ...past, steps: at(0) } })).toMatchObject({ at: 10, is: 'step' });
  });

  it('says that the day is spent, and goes on the next day', () => {
    const steps = at(-100, -80, -60, -40);
    expect(judgeAll(times(5, high), { past: { ...past, steps } })).toMatchObject({ at: 3, is: 'spent', to: 'lighter' });
    expect(judgeAll(times(5, high), { past: { ...past, steps }, wallMs: start + 24 * 60 * minute })).toMatchObject({ is: 'step' });
  });

  it('waits by its own clock where that of the machine was set back', () => {
    expect(judgeAll(times(20, high), { past: { ...past, steps: at(300) } })).toMatchObject({ at: 10, is: 'step' });
  });

  it.each([
    [[], 'yes'],
    [[-9], 'rest'],
    [[-10], 'yes'],
    [[-40, -30, -20, -10], 'spent'],
    [[-1440, -30, -20, -10], 'yes'],
    [[60], 'yes'],
  ] as const)('steps %j minutes ago: %s', (minutes, expected) => {
    expect(mayStep(at(...minutes), settings, start)).toBe(expected);
  });

  it('keeps the steps of a day', () => {
    expect(withStep(at(-1440, -1439, -5), start)).toEqual(at(-1439, -5, 0));
  });
});
