import { execFileSync } from 'node:child_process';
import { mkdtempSync, openSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readLogLines } from '../../src/host/log-lines.ts';
import { openInput, openPipe } from '../../src/host/pipe.ts';

let home: string;
let path: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'qd-pipe-'));
  path = join(home, 'pipe');
  execFileSync('mkfifo', [path]);
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

/** The end to read: open for both, because nobody writes yet. */
const toReader = () => openPipe(openSync(path, 'r+'));

test('a pipe gives all that is written to it, in its order, while its reader takes its time', async () => {
  const writer = open(path, 'w');
  const reader = openPipe(openSync(path, 'r'));
  const lines = Array.from({ length: 20_000 }, (_, at) => `line ${at} ${'x'.repeat(at % 50)}`);
  const written = writer.then(async (handle) => {
    await handle.writeFile(lines.join('\n'));
    await handle.close();
  });
  const read: string[] = [];
  const reading = await readLogLines(reader, (line) => read.push(line));
  await written;
  expect(reading).toMatchObject({ is: 'read', lines: lines.length });
  expect(read).toEqual(lines);
});

test('a signal ends the wait for a pipe that is silent', async () => {
  const control = new AbortController();
  const reading = readLogLines(toReader(), () => undefined, { signal: control.signal });
  setImmediate(() => control.abort(new Error('enough')));
  await expect(reading).rejects.toThrow('enough');
});

test('what is no pipe of ours is read as it comes', () => {
  const stream = Readable.from(['a']);
  expect(openInput(stream)).toBe(stream);
});
