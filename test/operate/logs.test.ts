import { appendFile, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type DeploymentPaths, ensureDeploymentPaths, toLaunchPaths } from '../../src/control/directory.ts';
import { readEvents } from '../../src/operate/events.ts';
import { readLogs } from '../../src/operate/logs.ts';
import type { State } from '../../src/supervisor/state.ts';
import { writeState } from '../../src/supervisor/store.ts';
import { makeRecord, makeState } from '../supervisor/make.ts';
import { createTestContext, type TestContext } from './context.ts';

let home: string;
let context: TestContext;
let paths: DeploymentPaths;
let stop: AbortController;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'qd-logs-'));
  stop = new AbortController();
  context = createTestContext(home, { signal: stop.signal });
  paths = await ensureDeploymentPaths(context.places, 'tiny');
  await put({ life: 'ready', desired: 'up' });
});
afterEach(() => rm(home, { recursive: true, force: true }));

const put = (changes: Partial<State>) => writeState(paths.state, makeState(changes));

async function write(launchId: string, text: string): Promise<void> {
  const { directory, logFile } = toLaunchPaths(paths, launchId);
  await mkdir(directory, { recursive: true });
  await appendFile(logFile, text);
}

async function read(request: Partial<Parameters<typeof readLogs>[0]> = {}): Promise<string[]> {
  const lines: string[] = [];
  for await (const { text } of readLogs({ follow: false, supervisor: false, ...request }, context)) lines.push(text);
  return lines;
}

function follow(): { seen: string[]; ended: Promise<void> } {
  const seen: string[] = [];
  const ended = (async () => {
    for await (const { text } of readLogs({ follow: true, supervisor: false, tail: 2 }, context)) seen.push(text);
  })();
  return { seen, ended };
}

describe('logs', () => {
  it('are those of the last launch, its unfinished last line too', async () => {
    await write('0190-a', 'old\n');
    await write('0190-b', 'one\ntwo\r\nthree');
    expect(await read()).toEqual(['one', 'two', 'three']);
    expect(await read({ tail: 2 })).toEqual(['two', 'three']);
    expect(await read({ tail: 0 })).toEqual([]);
    expect(await read({ launch: 'previous' })).toEqual(['old']);
    expect(await read({ launch: '0190-a' })).toEqual(['old']);
  });

  it('are those of the present launch, even if the clock was set back before it', async () => {
    await write('0190-a', 'present\n');
    await write('0190-b', 'before\n');
    await put({ life: 'ready', launch: { ...makeRecord(2), launchId: '0190-a' } });
    expect(await read()).toEqual(['present']);
    expect(await read({ launch: 'previous' })).toEqual(['before']);
  });

  it('that are not there: exit 6', async () => {
    await expect(read()).rejects.toMatchObject({ code: 'log/none', exitStatus: 6 });
    await rm(paths.launches, { recursive: true });
    await expect(read()).rejects.toMatchObject({ code: 'log/none' });
  });

  it('K2 however large are read in little memory', async () => {
    const line = `${'z'.repeat(199)}\n`;
    const { directory, logFile } = toLaunchPaths(paths, '0190-a');
    await mkdir(directory);
    await writeFile(logFile, '');
    for (let n = 0; n < 40; n += 1) await appendFile(logFile, line.repeat(10_000));
    const before = process.memoryUsage().rss;
    let most = before;
    let count = 0;
    for await (const _ of readLogs({ follow: false, supervisor: false }, context)) {
      count += 1;
      if (count % 10_000 === 0) most = Math.max(most, process.memoryUsage().rss);
    }
    expect(count).toBe(400_000);
    expect((most - before) / 2 ** 20).toBeLessThan(70);
  });

  it('are followed over a restart, each line once, to the end', async () => {
    await write('0190-a', 'a1\na2\na3\n');
    const { seen, ended } = follow();
    await expect.poll(() => seen).toEqual(['a2', 'a3']);
    await write('0190-a', 'hal');
    await new Promise((done) => setTimeout(done, 200));
    await write('0190-a', 'f\nkilled in the mid');
    await write('0190-b', 'b1\n');
    await expect.poll(() => seen).toEqual(['a2', 'a3', 'half', 'killed in the mid', 'b1']);
    await write('0190-b', 'b2\nlast');
    await put({ life: 'stopped' });
    await ended;
    expect(seen.slice(5)).toEqual(['b2', 'last']);
  });

  it('are followed over a state file that cannot be read for a while, until it is forgotten', async () => {
    await write('0190-a', 'a1\n');
    const { seen, ended } = follow();
    await expect.poll(() => seen).toEqual(['a1']);
    await writeFile(paths.state, 'rotten');
    await rm(`${paths.state}.prev`, { force: true });
    await write('0190-a', 'a2\n');
    await expect.poll(() => seen).toEqual(['a1', 'a2']);
    await rm(paths.directory, { recursive: true });
    await ended;
  });
});

describe('events', () => {
  const event = (seq: number) =>
    `${JSON.stringify({ kind: 'Event', version: 1, seq, at: '', deployment: 'tiny', run: 1, type: 'stopped' })}\n`;
  const several = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => event(from + n)).join('');

  async function readAll(request: Partial<Parameters<typeof readEvents>[0]> = {}): Promise<number[]> {
    const seen: number[] = [];
    for await (const { seq } of readEvents({ follow: false, ...request }, context)) seen.push(seq);
    return seen;
  }

  it('are those of this file and the one before, each once', async () => {
    await writeFile(`${paths.events}.1`, several(1, 5));
    await writeFile(paths.events, several(6, 8) + several(7, 9));
    expect(await readAll()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect((await readAll({ tail: 2 })).at(-1)).toBe(9);
  });

  it.each([
    [2, [7, 8]],
    [5, [4, 5, 6, 7, 8]],
    [0, []],
  ])('the last %d, over two files', async (tail, seqs) => {
    await writeFile(`${paths.events}.1`, several(1, 5));
    await writeFile(paths.events, several(6, 8));
    expect(await readAll({ tail })).toEqual(seqs);
  });

  it('are followed over a rotation without a gap', async () => {
    await writeFile(paths.events, several(1, 3));
    const seen: number[] = [];
    const ended = (async () => {
      for await (const { seq } of readEvents({ follow: true }, context)) seen.push(seq);
    })();
    await expect.poll(() => seen).toEqual([1, 2, 3]);
    await appendFile(paths.events, several(4, 5));
    await rename(paths.events, `${paths.events}.1`);
    await writeFile(paths.events, several(6, 7));
    await expect.poll(() => seen).toEqual([1, 2, 3, 4, 5, 6, 7]);
    stop.abort();
    await ended;
  });
});
