import { describe, expect, it, test } from 'vitest';
import type { Sample } from '../../../src/supervisor/history/history.ts';
import { findLeak, type Leak, toEnd, toNews } from '../../../src/supervisor/history/leak-watch.ts';

const mib = 2 ** 20;
const minuteMs = 60_000;
const startMs = Date.parse('2026-01-01T00:00:00Z');

interface Story {
  readonly hours: number;
  /** MiB at so many hours after the start. */
  readonly rss: (hours: number) => number;
  readonly running?: (hours: number) => number;
  readonly tokens?: (hours: number) => number;
  /** Added to the clock. */
  readonly stepMs?: (hours: number) => number;
  readonly run?: (hours: number) => number;
  readonly isAway?: (hours: number) => boolean;
}

function tell({
  hours,
  rss,
  running = () => 2,
  tokens = () => 100,
  stepMs = () => 0,
  run = () => 1,
  isAway = () => false,
}: Story): Sample[] {
  return Array.from({ length: hours * 60 }, (_, minute) => minute / 60)
    .filter((at) => !isAway(at))
    .map((at) => ({
      atMs: startMs + Math.round(at * 60) * minuteMs + stepMs(at),
      run: run(at),
      values: { rssBytes: rss(at) * mib, running: running(at), waiting: 0, generationTokensPerSecond: tokens(at) },
    }));
}

/** −1 to 1, the same each time. */
function createNoise(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}
const noisy = (size: number, seed = 1) => {
  const next = createNoise(seed);
  return () => size * next();
};
const [small, large] = [noisy(20), noisy(300)];

describe('no leak', () => {
  test.each<readonly [string, Story]>([
    ['flat', { hours: 24, rss: () => 4000 }],
    ['flat and noisy', { hours: 24, rss: () => 4000 + large() }],
    ['a saw tooth of two hours', { hours: 24, rss: (at) => 4000 + 150 * (at % 2) + small() }],
    ['one step', { hours: 12, rss: (at) => (at < 5 ? 4000 : 6000) + small() }],
    ['steps now and then', { hours: 12, rss: (at) => 4000 + 200 * Math.floor(at / 1.5) }],
    ['a warm-up of an hour', { hours: 6, rss: (at) => 1000 + 3000 * Math.min(1, at) + small() }],
    ['a slow start that flattens', { hours: 12, rss: (at) => 4000 * (1 - Math.exp(-2 * at)) + small() }],
    ['growth below 64 MiB an hour', { hours: 12, rss: (at) => 1000 + 50 * at }],
    ['growth below 2 % an hour', { hours: 12, rss: (at) => 10_000 + 100 * at }],
    ['a leak that is too young to be sure of', { hours: 3.5, rss: (at) => 1000 + 100 * at }],
    ['more and more requests', { hours: 6, rss: (at) => 1000 + 200 * at, running: (at) => Math.floor(4 * at) }],
    ['more and more tokens', { hours: 6, rss: (at) => 1000 + 200 * at, tokens: (at) => 100 + 500 * at + small() }],
    ['growth that ended with a restart', { hours: 8, rss: (at) => 1000 + 300 * (at % 5), run: (at) => (at < 5 ? 1 : 2) }],
  ])('%s', (_, story) => {
    expect(findLeak(tell(story))).toBeUndefined();
  });

  it('in nothing', () => {
    expect(findLeak([])).toBeUndefined();
    expect(findLeak([{ atMs: 0, run: 1, values: {} }])).toBeUndefined();
  });
});

describe('a leak of 100 MiB an hour', () => {
  const leaking = (at: number) => 2000 + 100 * at;
  test.each<readonly [string, Partial<Story>]>([
    ['alone', {}],
    ['with noise', { rss: (at) => leaking(at) + small() }],
    ['with single peaks', { rss: (at) => leaking(at) + (Math.round(at * 60) % 7 === 0 ? 3000 : 0) }],
    ['while the load goes up and down', { running: (at) => Math.round(5 + 5 * Math.sin(at * 4)) }],
    ['without any load', { running: () => 0, tokens: () => 0 }],
    ['after a restart', { hours: 8, run: (at) => (at < 2 ? 1 : 2) }],
    ['while the supervisor was away', { hours: 9, isAway: (at) => at > 3 && at < 5 }],
    ['with the clock set back by a day', { stepMs: (at) => (at > 3 ? -86_400_000 : 0) }],
    ['with the clock set back by ten minutes', { hours: 8, stepMs: (at) => (at > 3 ? -600_000 : 0) }],
  ])('%s', (_, changes) => {
    const leak = findLeak(tell({ hours: 6, rss: leaking, ...changes }));
    expect((leak?.bytesPerHour ?? 0) / mib).toBeGreaterThan(85);
    expect((leak?.bytesPerHour ?? 0) / mib).toBeLessThan(115);
  });

  it('is found once there are three hours beside the first', () => {
    const minutes = tell({ hours: 6, rss: leaking });
    const first = minutes.findIndex((_, index) => findLeak(minutes.slice(0, index + 1)) !== undefined);
    expect(first / 60).toBeGreaterThanOrEqual(3.8);
    expect(first / 60).toBeLessThanOrEqual(4.1);
  });

  it('that begins after half a day is found', () => {
    expect(findLeak(tell({ hours: 20, rss: (at) => leaking(Math.max(0, at - 14)) }))).toBeDefined();
  });

  it('with the clock set forward is not taken for a steep one', () => {
    const leak = findLeak(tell({ hours: 8, rss: leaking, stepMs: (at) => (at > 4 ? 7_200_000 : 0) }));
    expect((leak?.bytesPerHour ?? 0) / mib).toBeLessThan(105);
  });

  it('is told with its picture', () => {
    const leak = findLeak(tell({ hours: 6, rss: leaking }));
    expect(leak).toMatchObject({ run: 1, startAtMs: startMs + 69 * minuteMs, nowAtMs: startMs + 359 * minuteMs });
    expect((leak?.startBytes ?? 0) / mib).toBeCloseTo(2107.5, 0);
    expect((leak?.nowBytes ?? 0) / mib).toBeCloseTo(2590.8, 0);
  });
});

const leak: Leak = { run: 1, startBytes: 100, startAtMs: 0, nowBytes: 200, nowAtMs: 1, bytesPerHour: 50 };

describe('it is said', () => {
  it('once, and again when the growth has doubled', () => {
    const said = toNews(undefined, leak);
    expect(said).toEqual({ run: 1, startBytes: 100, startAtMs: 0, growthBytes: 100 });
    expect(toNews(said, { ...leak, nowBytes: 299 })).toBeUndefined();
    // A later look begins later; the growth is that since the first one.
    expect(toNews(said, { ...leak, startBytes: 250, startAtMs: 9, nowBytes: 300 })).toEqual({
      run: 1,
      startBytes: 100,
      startAtMs: 0,
      growthBytes: 200,
    });
  });

  it('of each run', () => {
    expect(toNews(toNews(undefined, leak), { ...leak, run: 2 })).toMatchObject({ run: 2 });
  });
});

test.each([
  [{ availableBytes: 500 }, { of: 'machine', inMs: 10 * 3_600_000 }],
  [
    { availableBytes: 500, capBytes: 300 },
    { of: 'cap', inMs: 2 * 3_600_000 },
  ],
  [
    { availableBytes: 50, capBytes: 300 },
    { of: 'machine', inMs: 3_600_000 },
  ],
  [
    { availableBytes: 50, capBytes: 150 },
    { of: 'cap', inMs: 0 },
  ],
])('with %j left it ends %j', (room, end) => {
  expect(toEnd(leak, room)).toEqual(end);
});
