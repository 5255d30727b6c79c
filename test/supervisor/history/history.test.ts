import { readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import {
  chooseLevel,
  levels,
  rollUp,
  type Sample,
  seriesNames,
  toRolled,
  toSummary,
  type Values,
} from '../../../src/supervisor/history/history.ts';
import { parsePage, toLoadValues } from '../../../src/supervisor/history/values.ts';

const at = (seconds: number, values: Values, run = 1): Sample => ({ atMs: seconds * 1000, run, values });

describe('several samples as one', () => {
  it('each series by its own rule', () => {
    const samples = [
      at(1, { rssBytes: 10, cpuPercent: 10, waiting: 7, ttftP50Ms: 100 }),
      at(2, { rssBytes: 90, cpuPercent: 20, waiting: 0 }),
      at(3, { rssBytes: 20, cpuPercent: 60, waiting: 1, ttftP50Ms: 200 }),
    ];
    expect(rollUp(samples)).toEqual(at(3, { rssBytes: 20, cpuPercent: 30, waiting: 7, ttftP50Ms: 150 }));
  });

  it('has no series that none of them has', () => {
    expect(rollUp([at(1, {}), at(2, { running: 0 })])).toEqual(at(2, { running: 0 }));
  });

  it('for each minute, and for each run of a minute', () => {
    const samples = [
      at(10, { running: 1 }),
      at(50, { running: 3 }),
      at(61, { running: 5 }),
      at(62, { running: 6 }, 2),
      at(63, { running: 1 }, 2),
    ];
    const { whole, open } = toRolled(samples, 60_000);
    expect(whole).toEqual([at(50, { running: 3 }), at(61, { running: 5 })]);
    expect(open).toEqual([at(62, { running: 6 }, 2), at(63, { running: 1 }, 2)]);
  });

  it('not over a gap, and not over a clock that was set back', () => {
    expect(toRolled([at(10, {}), at(7210, {}), at(7220, {})], 60_000).whole).toEqual([at(10, {})]);
    expect(toRolled([at(3610, {}), at(10, {})], 60_000).whole).toEqual([at(3610, {})]);
  });
});

test('a summary', () => {
  const samples = [at(1, { running: 4 }), at(2, { running: 1, waiting: 2 }), at(3, { running: 2 })];
  expect(toSummary(samples, 3000)).toEqual({
    running: { min: 1, median: 2, max: 4, now: 2 },
    waiting: { min: 2, median: 2, max: 2 },
  });
  expect(toSummary(samples, 3001).running).toEqual({ min: 1, median: 2, max: 4 });
  expect(toSummary([], 0)).toEqual({});
});

test('kept: ten seconds for an hour, minutes for a day, quarters of an hour for thirty days', () => {
  expect(levels.map(({ stepMs, count }) => [stepMs / 1000, (stepMs * count) / 3_600_000])).toEqual([
    [10, 1],
    [60, 24],
    [900, 720],
  ]);
  expect([60_000, 3_600_000, 3_600_001, 86_400_000, 7 * 86_400_000].map(chooseLevel)).toEqual([0, 0, 1, 1, 2]);
});

describe('from page to page', () => {
  const real = readFileSync(new URL('../../fixtures/metrics/vllm-0.32.0-cpu.txt', import.meta.url), 'utf8');
  const change = (page: string, name: string, value: number) =>
    page.replace(new RegExp(`^(vllm:${name}\\{[^\\n]*\\}) .*$`, 'm'), `$1 ${value}`);

  it('the first one has what needs no other', () => {
    expect(toLoadValues(undefined, parsePage(real, 0))).toEqual({ kvUsage: 0, running: 0, waiting: 0 });
  });

  it('rates, medians and hits are those of the time in between', () => {
    let later = change(real, 'generation_tokens_total', 72_259 + 500);
    later = change(later, 'prompt_tokens_total', 156 + 40);
    later = change(later, 'prefix_cache_queries_total', 156 + 40);
    later = change(later, 'prefix_cache_hits_total', 30);
    for (const le of ['0\\.06', '0\\.08', '0\\.1', '0\\.25'])
      later = later.replace(new RegExp(`(time_to_first_token_seconds_bucket\\{engine="0",le="${le}",[^}]*\\}) 30\\.0`), '$1 32.0');
    const before = parsePage(real, 1000);
    expect(toLoadValues(before, parsePage(later, 11_000))).toMatchObject({
      generationTokensPerSecond: 50,
      promptTokensPerSecond: 4,
      prefixHitRate: 0.75,
    });
    expect(toLoadValues(before, parsePage(real, 11_000))).toEqual({
      kvUsage: 0,
      running: 0,
      waiting: 0,
      generationTokensPerSecond: 0,
      promptTokensPerSecond: 0,
    });
  });

  it('a counter that went back is a gap, not a zero', () => {
    const later = parsePage(change(real, 'generation_tokens_total', 5), 11_000);
    expect(toLoadValues(parsePage(real, 1000), later)).not.toHaveProperty('generationTokensPerSecond');
  });

  it('an engine without statistics has none', () => {
    expect(toLoadValues(parsePage('', 0), parsePage('', 10_000))).toEqual({});
  });
});

test('a record has room for every series', () => {
  expect(24 + 4 * seriesNames.length).toBeLessThanOrEqual(64);
  expect(new Set(seriesNames).size).toBe(seriesNames.length);
});
