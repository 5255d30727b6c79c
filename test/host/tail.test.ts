import { appendFile, mkdtemp, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openLog, openTail, readLastLines, type Tail } from '../../src/host/tail.ts';

let directory: string;
let path: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'qd-tail-'));
  path = join(directory, 'log');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe('openTail', () => {
  it('gives each line once, when it is complete', async () => {
    const tail = openTail(path);
    expect(await tail.readLines()).toEqual([]);
    await writeFile(path, 'one\ntwo\nthr');
    expect(await tail.readLines()).toEqual(['one', 'two']);
    expect(tail.rest).toBe('thr');
    await appendFile(path, 'ee\n');
    expect(await tail.readLines()).toEqual(['three']);
    expect(await tail.readLines()).toEqual([]);
    expect(tail.rest).toBe('');
  });

  it('keeps characters whole that were written in two pieces', async () => {
    const tail = openTail(path);
    const bytes = Buffer.from('模型已就绪\n');
    await writeFile(path, bytes.subarray(0, 4));
    expect(await tail.readLines()).toEqual([]);
    await appendFile(path, bytes.subarray(4));
    expect(await tail.readLines()).toEqual(['模型已就绪']);
  });

  it('keeps characters whole at its own borders of reading', async () => {
    const line = `${'千'.repeat(1000)}\n`;
    await writeFile(path, line.repeat(400));
    expect(new Set(await readAll(path))).toEqual(new Set([line.trimEnd()]));
  });

  it('begins again when the file was truncated', async () => {
    await writeFile(path, 'a long first line\n');
    const tail = openTail(path);
    await tail.readLines();
    await truncate(path);
    await appendFile(path, 'new\n');
    expect(await tail.readLines()).toEqual(['new']);
  });

  it('begins again when another file took the name, however long that is', async () => {
    await writeFile(path, 'old\n');
    const tail = openTail(path);
    await tail.readLines();
    await rename(path, `${path}.1`);
    await writeFile(path, 'a longer line than before\n');
    expect(await tail.readLines()).toEqual(['a longer line than before']);
  });

  it('K2 cuts a line that does not end, and goes on after it', async () => {
    await writeFile(path, `${'x'.repeat(3 * 2 ** 20)}\nnext\n`);
    const [long, next] = await readAll(path);
    expect(long).toHaveLength(64 * 1024);
    expect(next).toBe('next');
  });

  it('takes a large file in pieces, and says that there is more', async () => {
    const line = `${'y'.repeat(99)}\n`;
    await writeFile(path, line.repeat(50_000));
    const tail = openTail(path);
    const first = await tail.readLines();
    expect(first.length).toBeLessThan(20_000);
    expect(tail.behind).toBe(true);
    let count = first.length;
    while (tail.behind) count += (await tail.readLines()).length;
    expect(count).toBe(50_000);
  });
});

describe('openLog', () => {
  it.each([
    ['a\nb\nc\n', 2, ['b', 'c']],
    ['a\nb\nc', 2, ['b']],
    ['a\nb\n', 5, ['a', 'b']],
    ['a\nb\n', 0, []],
    ['', 3, []],
    ['\n\n\n', 1, ['']],
  ])('of %j, last %d: %j', async (text, count, lines) => {
    await writeFile(path, text);
    expect(await (await openLog(path, count)).readLines()).toEqual(lines);
  });

  it('begins where the last lines do in a file of many pieces, and waits where there is none', async () => {
    await writeFile(path, 'z\n'.repeat(600_000));
    expect(await countLines(await openLog(path, 500_000))).toBe(500_000);
    const none = await openLog(join(directory, 'none'), 3);
    expect(await none.readLines()).toEqual([]);
  });
});

describe('readLastLines', () => {
  it.each([
    ['a\nb\nc\n', 2, ['b', 'c']],
    ['a\nb\nc', 2, ['b', 'c']],
    ['a\n', 5, ['a']],
    ['a\nb\n', 0, []],
  ])('of %j, last %d: %j', async (text, count, lines) => {
    await writeFile(path, text);
    expect(await readLastLines(path, count)).toEqual(lines);
  });

  it('reads no more than its cap, and nothing where there is no file', async () => {
    await writeFile(path, 'abc\n'.repeat(1000));
    expect((await readLastLines(path, 1000, 40)).length).toBeLessThanOrEqual(11);
    expect(await readLastLines(join(directory, 'none'), 5)).toEqual([]);
  });
});

async function countLines(tail: Tail): Promise<number> {
  let count = 0;
  do count += (await tail.readLines()).length;
  while (tail.behind);
  return count;
}

async function readAll(file: string): Promise<string[]> {
  const tail = openTail(file);
  const lines: string[] = [];
  do lines.push(...(await tail.readLines()));
  while (tail.behind);
  return lines;
}
