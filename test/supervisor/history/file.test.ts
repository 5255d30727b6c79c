import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HistoryFile, readHistory, readHistoryFile } from '../../../src/supervisor/history/file.ts';
import { levels, type Sample } from '../../../src/supervisor/history/history.ts';

const [fine, minutes] = levels;
const nowMs = Date.parse('2026-01-01T12:00:00Z');
let directory: string;
const path = () => join(directory, fine.file);

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'qd-history-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const sample = (index: number, run = 1): Sample => ({
  atMs: nowMs + index * 10_000,
  run,
  values: { rssBytes: 1_234_567_168, kvUsage: 0.1 },
});
const open = (level = fine) => HistoryFile.open(directory, level, nowMs);

async function write(count: number, from = 0): Promise<void> {
  const { file } = await open();
  for (let index = from; index < from + count; index += 1) await file.append(sample(index));
}

describe('a file of samples', () => {
  it('gives back what was written, to this and to the next one', async () => {
    await write(2);
    const full: Sample = { atMs: nowMs + 20_000, run: 7, values: { running: 3, waiting: 0, ttftP50Ms: 12.5, prefixHitRate: 0.333333 } };
    await (await open()).file.append(full);
    expect(await readHistoryFile(directory, fine)).toEqual([sample(0), sample(1), full]);
    expect((await open()).samples).toHaveLength(3);
  });

  it('is private, and never grows', async () => {
    await write(1);
    const { size, mode } = await stat(path());
    expect(mode & 0o777).toBe(0o600);
    await write(fine.count + 5, 1);
    expect((await stat(path())).size).toBe(size);
  });

  it('all of them are less than half a megabyte', async () => {
    for (const level of levels) await (await open(level)).file.append(sample(0));
    const sizes = await Promise.all((await readdir(directory)).map(async (name) => (await stat(join(directory, name))).size));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(500_000);
  });

  it('keeps the newest ones, in their order, whatever the clock does', async () => {
    await write(fine.count + 5);
    const kept = await readHistoryFile(directory, fine);
    expect(kept).toHaveLength(fine.count);
    expect([kept[0], kept.at(-1)]).toEqual([sample(5), sample(fine.count + 4)]);
    await (await open()).file.append(sample(-1000));
    expect((await readHistoryFile(directory, fine)).at(-1)).toEqual(sample(-1000));
  });

  it('is nothing before the first sample', async () => {
    await open();
    expect(await readdir(directory)).toEqual([]);
    expect(await readHistoryFile(directory, fine)).toEqual([]);
  });
});

describe('after a crash', () => {
  it('a record that was cut is passed over, and writing goes on', async () => {
    await write(3);
    await truncate(path(), 64 + 2 * 64 + 30);
    expect(await readHistoryFile(directory, fine)).toEqual([sample(0), sample(1)]);
    await write(1, 2);
    expect(await readHistoryFile(directory, fine)).toEqual([sample(0), sample(1), sample(2)]);
  });

  it('a record that is half old and half new is passed over', async () => {
    await write(3);
    const bytes = await readFile(path());
    bytes.fill(0x55, 64 + 64 + 40, 64 + 2 * 64);
    await writeFile(path(), bytes);
    expect(await readHistoryFile(directory, fine)).toEqual([sample(0), sample(2)]);
    expect((await open()).kept).toBeUndefined();
  });

  it.each([
    ['garbage', async () => writeFile(path(), 'x'.repeat(1000))],
    ['nothing', async () => truncate(path(), 0)],
    [
      'one of another version',
      async () => writeFile(path(), (await readFile(path(), 'latin1')).replace('history 1', 'history 9'), 'latin1'),
    ],
    ['rotten records', async () => writeFile(path(), (await readFile(path())).fill(0x55, 64, 64 + 3 * 64))],
  ])('%s in place of it is moved away, and it begins anew', async (_, damage) => {
    await write(3);
    await damage();
    expect(await readHistoryFile(directory, fine)).toEqual([]);
    const { kept, samples } = await open();
    expect(samples).toEqual([]);
    expect(await readdir(directory)).toEqual([`history-10s.corrupt-${nowMs}.bin`]);
    expect(kept).toBe(join(directory, `history-10s.corrupt-${nowMs}.bin`));
    await write(1);
    expect(await readHistoryFile(directory, fine)).toEqual([sample(0)]);
  });
});

describe('history of a span', () => {
  it('is fine for an hour, and in minutes for a day', async () => {
    await write(18);
    const { file } = await open(minutes);
    await file.append({ atMs: nowMs + 50_000, run: 1, values: { running: 9 } });
    const toMs = nowMs + 200_000;
    const hour = await readHistory(directory, { fromMs: toMs - 3_600_000, toMs });
    expect([hour.stepMs, hour.samples.length]).toEqual([10_000, 18]);
    const day = await readHistory(directory, { fromMs: toMs - 86_400_000, toMs });
    // The minute that was written, one that was not written yet, and the beginning of another one.
    expect(day.samples.map(({ atMs }) => (atMs - nowMs) / 1000)).toEqual([50, 110, 170]);
    const week = await readHistory(directory, { fromMs: toMs - 7 * 86_400_000, toMs });
    expect([week.stepMs, week.samples.length]).toEqual([900_000, 1]);
  });

  it('leaves out what is older, and what the clock says is to come', async () => {
    await write(10);
    const { samples } = await readHistory(directory, { fromMs: nowMs + 15_000, toMs: nowMs + 55_000 });
    expect(samples.map(({ atMs }) => (atMs - nowMs) / 1000)).toEqual([20, 30, 40, 50]);
  });

  it('is nothing where there is none', async () => {
    expect((await readHistory(directory, { fromMs: 0, toMs: nowMs })).samples).toEqual([]);
  });
});

it('a directory that is not there is an error of the operating system', async () => {
  const { file } = await HistoryFile.open(join(directory, 'gone'), fine, nowMs);
  await expect(file.append(sample(0))).rejects.toMatchObject({ code: 'ENOENT' });
});
