import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Clock } from '../../../src/core/clock.ts';
import type { Message } from '../../../src/core/message.ts';
import { readHistoryFile } from '../../../src/supervisor/history/file.ts';
import { type Level, levels, type Sample } from '../../../src/supervisor/history/history.ts';
import { type HistoryParts, keepHistory } from '../../../src/supervisor/history/keeper.ts';
import type { State } from '../../../src/supervisor/state.ts';
import { makeRecord, makeSpec, makeState, makeWanted } from '../make.ts';

const mib = 2 ** 20;
const hourMs = 3_600_000;
const startMs = Date.parse('2026-01-01T00:00:00Z');
const page = readFileSync(new URL('../../fixtures/metrics/vllm-0.32.0-cpu.txt', import.meta.url), 'utf8');

let directory: string;
let notes: Message[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'qd-history-'));
  notes = [];
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** Leaps to the next timer as soon as somebody waits for one; at the end of its time it stands still. */
interface LeapingClock extends Clock {
  readonly ended: Promise<void>;
}

function createLeapingClock(forMs: number, { fromMs = 0, onTime }: { fromMs?: number; onTime?: (now: number) => void } = {}): LeapingClock {
  let now = fromMs;
  let end: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  return {
    ended,
    wall: () => startMs + now,
    mono: () => now,
    after(delayMs, run) {
      if (now + delayMs > fromMs + forMs) {
        end();
        return { cancel: () => undefined };
      }
      const handle = setImmediate(() => {
        now += delayMs;
        onTime?.(now);
        run();
      });
      return { cancel: () => clearImmediate(handle) };
    },
  };
}

const serving = (run = 1): State => makeState({ life: 'ready', run, launch: makeRecord(run) });

async function live(
  clock: LeapingClock,
  parts: Partial<HistoryParts> = {},
  onStart: (take: (page: string, run: number) => void) => void = () => undefined,
) {
  const keeping = keepHistory({
    now: () => serving(),
    directory,
    onNote: (note) => notes.push(note),
    readUse: async () => ({ rssBytes: 1000 * mib }),
    readAvailable: () => 8000 * mib,
    clock,
    ...parts,
  });
  onStart((text, run) => keeping.takePage(text, run));
  await clock.ended;
  await keeping.end();
}

const read = async (level: 0 | 1 | 2) => readHistoryFile(directory, levels[level]);
const toSeconds = async (level: 0 | 1 | 2) => (await read(level)).map(({ atMs }) => (atMs - startMs) / 1000);

describe('the history of an engine', () => {
  it('is a sample each ten seconds, with the numbers of the pages and of its processes', async () => {
    let take: (text: string, run: number) => void = () => undefined;
    const clock = createLeapingClock(40_000, {
      onTime: (now) => take(now > 20_000 ? page.replace(/^(vllm:generation_tokens_total\{[^}]*\}).*$/m, '$1 72759') : page, 1),
    });
    await live(clock, {}, (taking) => {
      take = taking;
    });
    const [first, second, , third] = await read(0);
    expect(await toSeconds(0)).toEqual([0, 10, 20, 30, 40]);
    expect(first?.values).toEqual({ rssBytes: 1000 * mib });
    expect(second?.values).toEqual({ rssBytes: 1000 * mib, kvUsage: 0, running: 0, waiting: 0 });
    expect(third?.values).toMatchObject({ generationTokensPerSecond: 50, promptTokensPerSecond: 0 });
    expect(notes).toEqual([]);
  });

  it('has gaps where nothing served, and where no pages came', async () => {
    const clock: LeapingClock = createLeapingClock(100_000);
    const isUp = () => clock.mono() < 20_000 || clock.mono() > 60_000;
    const now = () => (isUp() ? serving(clock.mono() < 20_000 ? 1 : 2) : makeState({ life: 'backoff', run: 1, launch: makeRecord(1) }));
    await live(clock, { now }, (take) => take(page, 1));
    expect(await toSeconds(0)).toEqual([0, 10, 70, 80, 90, 100]);
    const samples = await read(0);
    expect(samples.map(({ run }) => run)).toEqual([1, 1, 2, 2, 2, 2]);
    expect(samples.map(({ values }) => 'running' in values)).toEqual([true, true, false, false, false, false]);
  });

  it('is nothing where nothing can be seen', async () => {
    await live(createLeapingClock(60_000), { readUse: async () => ({}) });
    expect(await readdir(directory)).toEqual([]);
  });

  it('goes on where the supervisor before this one ended, minutes that it owed included', async () => {
    await live(createLeapingClock(200_000));
    expect(await toSeconds(1)).toEqual([50, 110, 170]);
    await live(createLeapingClock(hourMs / 6, { fromMs: 900_000 }));
    expect((await toSeconds(1)).slice(0, 6)).toEqual([50, 110, 170, 200, 950, 1010]);
    expect((await toSeconds(2))[0]).toBe(200);
    expect(notes).toEqual([]);
  });
});

describe('trouble', () => {
  it('a damaged file is kept aside and said once, and the history goes on', async () => {
    await writeFile(join(directory, levels[0].file), 'x'.repeat(500));
    await live(createLeapingClock(60_000));
    expect(notes).toEqual([{ id: 'life.history-lost', params: { kept: join(directory, `history-10s.corrupt-${startMs}.bin`) } }]);
    expect(await read(0)).toHaveLength(7);
  });

  it('what cannot be written is said once', async () => {
    await rm(directory, { recursive: true });
    await live(createLeapingClock(100_000));
    expect(notes).toEqual([{ id: 'life.history-unwritten', params: { problem: 'ENOENT' } }]);
  });

  it('on a full disk a leak is seen all the same', async () => {
    const append = () => Promise.reject(Object.assign(new Error('full'), { code: 'ENOSPC' }));
    const clock: LeapingClock = createLeapingClock(4.2 * hourMs);
    const readUse = async () => ({ rssBytes: (1000 + (100 * clock.mono()) / hourMs) * mib });
    await live(clock, { open: async () => ({ file: { append }, samples: [] }), readUse });
    expect(notes.map(({ id }) => id)).toEqual(['life.history-unwritten', 'life.memory-grows']);
  });

  it('a look that fails ends nothing', async () => {
    let looks = 0;
    const readUse = async () => {
      looks += 1;
      if (looks < 3) throw Object.assign(new Error('too many'), { code: 'EMFILE' });
      return { rssBytes: mib };
    };
    await live(createLeapingClock(60_000), { readUse });
    expect(notes).toEqual([{ id: 'life.history-unwritten', params: { problem: 'EMFILE' } }]);
    expect(await toSeconds(0)).toEqual([20, 30, 40, 50, 60]);
  });
});

/** Files in memory: a day has ten thousand samples. */
function openMemory() {
  const kept = new Map<string, Sample[]>();
  const open = async ({ file, count }: Level) => {
    const samples = kept.get(file) ?? [];
    kept.set(file, samples);
    const append = async (sample: Sample) => {
      samples.push(sample);
      if (samples.length > count) samples.shift();
    };
    return { file: { append }, samples: [...samples] };
  };
  return { open, lengths: () => [...kept.values()].map(({ length }) => length) };
}

describe('a day of a leak', () => {
  const day = 24 * hourMs;
  const wanted = makeWanted('a', makeSpec({ resources: { memoryBytes: 6000 * mib } }));
  const { open, lengths } = openMemory();

  it('is said once, and again at each doubling, with its picture', async () => {
    const clock: LeapingClock = createLeapingClock(day);
    const noise = () => 20 * Math.sin(clock.mono() / 7000);
    const readUse = async () => ({ rssBytes: (2000 + (100 * clock.mono()) / hourMs + noise()) * mib });
    await live(clock, { open, now: () => ({ ...serving(), wanted }), readUse });
    // After three hours beside the first it is 280 MiB; then after 6.8, 12.4 and 23.7 hours.
    expect(notes.map(({ id }) => id)).toEqual(Array.from({ length: 4 }, () => 'life.memory-grows'));
    expect(notes[0]?.params).toMatchObject({ start: '2.1 GiB', now: '2.3 GiB', after: { id: 'life.memory-ends-cap' } });
    expect(String(notes[0]?.params['rate'])).toMatch(/^(?:9\d\.\d|10\d) MiB$/);
    expect(lengths()).toEqual([levels[0].count, levels[1].count, 95]);
  });

  it('is not said again by the next supervisor', async () => {
    const clock: LeapingClock = createLeapingClock(hourMs, { fromMs: day });
    await live(clock, { open, readUse: async () => ({ rssBytes: (2000 + (100 * clock.mono()) / hourMs) * mib }) });
    expect(notes).toEqual([]);
  });
});
