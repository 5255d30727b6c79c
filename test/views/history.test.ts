import { describe, expect, it, test } from 'vitest';
import { say } from '../../src/core/message.ts';
import type { History } from '../../src/operate/history.ts';
import { type Sample, seriesNames, toSummary } from '../../src/supervisor/history/history.ts';
import { isUnicode, renderHistory, toHistoryDocument } from '../../src/views/history.ts';
import { createScreen } from './samples.ts';

const { palette } = createScreen('plain').screen;
const toMs = Date.parse('2026-01-01T12:00:00Z');
const hourMs = 3_600_000;
const gib = 2 ** 30;

function make(samples: readonly Sample[], more: Partial<History> = {}): History {
  const span = { fromMs: toMs - hourMs, toMs };
  const summary = toSummary(samples, toMs - 30_000);
  const series = seriesNames.filter((one) => summary[one] !== undefined);
  return { name: 'tiny', stepMs: 10_000, span, samples, summary, series, ...more };
}

/** An hour with a gap of a quarter, and with a restart in it. */
const hour: readonly Sample[] = Array.from({ length: 360 }, (_, index) => index)
  .filter((index) => index < 180 || index >= 270)
  .map((index) => ({
    atMs: toMs - hourMs + (index + 1) * 10_000,
    run: index < 180 ? 3 : 4,
    values: {
      rssBytes: (4 + index / 360) * gib,
      cpuPercent: 100 + 100 * Math.sin(index / 40),
      kvUsage: index < 180 ? 0.5 : 0,
      running: index % 60 < 30 ? 4 : 0,
      waiting: 0,
      ...(index % 2 === 0 ? { ttftP50Ms: 62.4, interTokenP50Ms: 2.53 } : {}),
      generationTokensPerSecond: 123.4,
      promptTokensPerSecond: 0.25,
    },
  }));

const leak = {
  run: 4,
  startBytes: 4 * gib,
  startAtMs: toMs - 4 * hourMs,
  nowBytes: 5 * gib,
  nowAtMs: toMs,
  bytesPerHour: gib / 4,
  end: { of: 'machine', inMs: 8 * hourMs },
  text: say('life.memory-ends-machine', { time: '8h' }),
} as const;

test('as a table with charts', async () => {
  const whole = make(hour, { leak });
  const shown = [
    renderHistory(whole, { palette, unicode: true }),
    renderHistory(whole, { palette, unicode: false }),
    renderHistory(whole, { palette, unicode: true, columns: 72 }),
    renderHistory(whole, { palette, unicode: true, columns: 50 }),
    renderHistory(make(hour.slice(-1)), { palette, unicode: true }),
    renderHistory(make([], { why: say('history.none-yet', { name: 'tiny' }) }), { palette, unicode: true }),
  ];
  await expect(shown.join('\n')).toMatchFileSnapshot('../golden/views/history.txt');
});

test.each([80, 72, 50, 40])('in %d columns no line is longer where charts can be left out', (columns) => {
  const lines = renderHistory(make(hour), { palette, unicode: true, columns }).split('\n').slice(1);
  const longest = Math.max(...lines.map((line) => [...line].length));
  expect(longest).toBeLessThanOrEqual(Math.max(columns, 59));
});

test('memory that hardly moves is no mountain range', () => {
  const samples = hour.map((sample, index) => ({ ...sample, values: { rssBytes: (4 + (index % 7) / 1000) * gib } }));
  const chart = renderHistory(make(samples), { palette, unicode: true })
    .split('\n')
    .find((line) => line.startsWith('memory'));
  expect(new Set(chart?.match(/[▁-█]/g)).size).toBeLessThanOrEqual(2);
});

describe('the document', () => {
  it('has each sample with its time and run, and what was not seen is absent', () => {
    const document = toHistoryDocument(make(hour.slice(-2), { leak }));
    expect(document).toEqual({
      kind: 'History',
      version: 1,
      name: 'tiny',
      stepSeconds: 10,
      from: '2026-01-01T11:00:00.000Z',
      to: '2026-01-01T12:00:00.000Z',
      samples: [
        expect.objectContaining({ at: '2026-01-01T11:59:50.000Z', run: 4, ttftP50Ms: 62.4 }),
        expect.not.objectContaining({ ttftP50Ms: 62.4 }),
      ],
      summary: expect.objectContaining({ waiting: { min: 0, median: 0, max: 0, now: 0 } }),
      leak: {
        run: 4,
        startBytes: 4 * gib,
        startAt: '2026-01-01T08:00:00.000Z',
        nowBytes: 5 * gib,
        nowAt: '2026-01-01T12:00:00.000Z',
        bytesPerHour: gib / 4,
        limit: 'machine',
        fullAt: '2026-01-01T20:00:00.000Z',
        text: expect.stringContaining('8h'),
      },
    });
  });

  it('of nothing says why', () => {
    expect(toHistoryDocument(make([], { why: say('history.none-yet', { name: 'tiny' }) }))).toMatchObject({
      samples: [],
      summary: {},
      why: expect.stringContaining('has not served yet'),
    });
  });
});

test.each([
  [{ LANG: 'C.UTF-8' }, true],
  [{ LANG: 'en_US.utf8', TERM: 'xterm' }, true],
  [{ LANG: 'C.UTF-8', TERM: 'dumb' }, false],
  [{ LANG: 'C.UTF-8', LC_ALL: 'C' }, false],
  [{ LANG: 'C', LC_CTYPE: 'C.UTF-8' }, true],
  [{}, false],
])('block characters with %j: %s', (env, shown) => {
  expect(isUnicode(env)).toBe(shown);
});
