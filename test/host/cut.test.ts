import { spawn } from 'node:child_process';
import { appendFile, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { waitFor } from '../../src/core/clock.ts';
import { cutLog, settleCut } from '../../src/host/cut.ts';
import { openLog, openTail, readLastLines, type Tail } from '../../src/host/tail.ts';

let directory: string;
let path: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'qd-cut-'));
  path = join(directory, 'log');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const names = async () => (await readdir(directory)).sort();
const toLines = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => `line ${from + at} ${'x'.repeat(80)}`);
const toBlock = (from: number, to: number) =>
  toLines(from, to)
    .map((line) => `${line}\n`)
    .join('');

async function readRest(tail: Tail): Promise<string[]> {
  const lines: string[] = [];
  do lines.push(...(await tail.readLines()));
  while (tail.behind);
  return lines;
}

/** Both ways of taking the beginning off; the first falls back to the second where the file system cannot. */
describe.each([
  ['taken off by the kernel', true],
  ['truncated', false],
])('a log, %s', (_, collapse) => {
  const cut = (maxBytes = 20_000, keep = 3) => cutLog(path, { maxBytes, keep, collapse });

  it('that is short is left alone', async () => {
    await writeFile(path, toBlock(1, 10));
    expect(await cut()).toBeUndefined();
    expect(await names()).toEqual(['log']);
  });

  it('is short afterwards, private, and nothing is missing', async () => {
    await writeFile(path, toBlock(1, 1000), { mode: 0o600 });
    expect(await cut()).toMatchObject({ bytes: expect.any(Number) });
    expect((await stat(path)).size).toBeLessThan(20_000);
    expect((await stat(`${path}.1`)).mode & 0o777).toBe(0o600);
    expect(await names()).toEqual(['log', 'log.1']);
    expect(await readRest(await openLog(path))).toEqual(toLines(1, 1000));
  });

  it('has so many pieces at most, the oldest goes first', async () => {
    for (let n = 0; n < 6; n += 1) {
      await appendFile(path, toBlock(n * 1000 + 1, n * 1000 + 1000));
      await cut();
    }
    expect(await names()).toEqual(['log', 'log.1', 'log.2', 'log.3']);
    const lines = await readRest(await openLog(path));
    expect(lines.slice(-2900)).toEqual(toLines(3101, 6000));
    await appendFile(path, toBlock(6001, 7000));
    await cut(20_000, 1);
    expect(await names()).toEqual(['log', 'log.1']);
  });

  it('gives its last lines right after it was cut, from wherever they are', async () => {
    await writeFile(path, toBlock(1, 1000));
    await cut();
    await appendFile(path, toBlock(1001, 1003));
    expect(await readLastLines(path, 500)).toEqual(toLines(504, 1003));
    expect(await readRest(await openLog(path, 500))).toEqual(toLines(504, 1003));
    expect(await readRest(await openLog(path, 2))).toEqual(toLines(1002, 1003));
  });

  it.each([1, 2, 3])('K7 is followed over %d cuts between two looks, each line once', async (cuts) => {
    await writeFile(path, toBlock(1, 500));
    const tail = openTail(path);
    const seen = await readRest(tail);
    await appendFile(path, 'line half');
    seen.push(...(await tail.readLines()));
    await appendFile(path, ' and half\n');
    for (let n = 1; n <= cuts; n += 1) {
      await appendFile(path, toBlock(n * 1000 + 1, n * 1000 + 900));
      await cut(1000);
    }
    await appendFile(path, toBlock(9001, 9900));
    seen.push(...(await readRest(tail)));
    const between = Array.from({ length: cuts }, (_, n) => toLines((n + 1) * 1000 + 1, (n + 1) * 1000 + 900)).flat();
    expect(seen).toEqual([...toLines(1, 500), 'line half and half', ...between, ...toLines(9001, 9900)]);
  });

  it('is followed by one who had read it all, each line once', async () => {
    await writeFile(path, toBlock(1, 1000));
    const tail = openTail(path);
    await readRest(tail);
    await cut();
    await appendFile(path, toBlock(1001, 2000));
    expect(await readRest(tail)).toEqual(toLines(1001, 2000));
  });

  it('whose follower slept too long goes on with what there is', async () => {
    await writeFile(path, toBlock(1, 1000));
    const tail = await openLog(path, 0);
    for (let n = 1; n <= 6; n += 1) {
      await appendFile(path, toBlock(n * 1000 + 1, n * 1000 + 1000));
      await cut(1000);
    }
    await readRest(tail);
    await appendFile(path, toBlock(8001, 8010));
    expect(await readRest(tail)).toEqual(toLines(8001, 8010));
  });

  it('that somebody writes to all the while: every line in its order, and none is missing that was not told', {
    timeout: 20_000,
  }, async () => {
    const count = 15_000;
    const script = `for i in $(seq 1 150); do seq -f "line %g ${'y'.repeat(60)}" $(((i-1)*100+1)) $((i*100)); sleep 0.005; done`;
    await writeFile(path, '');
    const writer = spawn('bash', ['-c', `(${script}) >> "$0"`, path], { stdio: 'ignore' });
    const ended = new Promise<void>((resolve) => writer.once('exit', () => resolve()));
    let over = false;
    void ended.then(() => {
      over = true;
    });
    const tail = openTail(path);
    const seen: number[] = [];
    const look = async () => {
      for (const line of await readRest(tail)) seen.push(Number(line.split(' ')[1]));
    };
    let lostBytes = 0;
    let cuts = 0;
    const cutting = (async () => {
      while (!over) {
        const done = await cut(100_000, 50);
        lostBytes += done?.lostBytes ?? 0;
        if (done) cuts += 1;
        await waitFor(20);
      }
    })();
    while (!over) {
      await look();
      await waitFor(7);
    }
    await cutting;
    await look();
    expect(cuts).toBeGreaterThan(5);
    const lines = (await readRest(await openLog(path))).map((line) => Number(line.split(' ')[1]));
    for (const all of [seen, lines]) {
      expect(all.every((number, at) => at === 0 || number > (all[at - 1] ?? 0))).toBe(true);
      expect(all.at(-1)).toBe(count);
    }
    expect(seen).toEqual(lines);
    // Where the kernel could not do it, a line may be gone that was written in between.
    if (lostBytes === 0 && collapse && (await canCollapse())) expect(lines).toHaveLength(count);
    else expect(lines.length).toBeGreaterThan(count * 0.99);
  });
});

async function canCollapse(): Promise<boolean> {
  const probe = join(directory, 'probe');
  await writeFile(probe, Buffer.alloc(100_000));
  const child = spawn('fallocate', ['--collapse-range', '--offset', '0', '--length', '65536', probe], { stdio: 'ignore' });
  return new Promise((resolve) => child.once('exit', (code) => resolve(code === 0)));
}

describe('a cut whose maker was killed', () => {
  const settle = () => settleCut(path, 3);

  it('while it copied: the copy is thrown away', async () => {
    await writeFile(path, toBlock(1, 100));
    await writeFile(`${path}.copy`, toBlock(1, 50));
    await settle();
    expect(await names()).toEqual(['log']);
  });

  it('before the beginning was taken off: nothing has happened', async () => {
    await writeFile(path, toBlock(1, 100));
    await writeFile(`${path}.cut`, toBlock(1, 90));
    await settle();
    expect(await names()).toEqual(['log']);
    expect(await readRest(await openLog(path))).toEqual(toLines(1, 100));
  });

  it('after that: the piece gets its name', async () => {
    await writeFile(`${path}.1`, toBlock(1, 90));
    await writeFile(`${path}.cut`, toBlock(91, 190));
    await writeFile(path, toBlock(191, 400));
    await settle();
    expect(await names()).toEqual(['log', 'log.1', 'log.2']);
    expect(await readRest(await openLog(path))).toEqual(toLines(1, 400));
  });

  it('keeps no reader waiting for long', async () => {
    await writeFile(`${path}.cut`, toBlock(1, 90));
    await writeFile(path, toBlock(91, 95));
    expect(await readLastLines(path, 2)).toEqual(toLines(94, 95));
  });
});

it('a file that is renamed instead (the journal) is one stream with those before it', async () => {
  await writeFile(path, toBlock(1, 100));
  const tail = openTail(path);
  expect(await readRest(tail)).toEqual(toLines(1, 100));
  await appendFile(path, toBlock(101, 110));
  await rename(path, `${path}.1`);
  await appendFile(path, toBlock(111, 120));
  expect(await readRest(tail)).toEqual(toLines(101, 120));
  expect((await readFile(`${path}.1`, 'utf8')).length).toBeGreaterThan(0);
  expect(await readLastLines(path, 15)).toEqual(toLines(106, 120));
});
