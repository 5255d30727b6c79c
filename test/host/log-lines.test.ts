import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { cutLine, openLogFile, readLogLines } from '../../src/host/log-lines.ts';

const directory = mkdtempSync(join(tmpdir(), 'qd-log-lines-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function read(pieces: readonly (Buffer | string)[], lineCap?: number) {
  const lines: string[] = [];
  const numbers: number[] = [];
  const reading = await readLogLines(
    Readable.from(pieces),
    (line, number) => {
      lines.push(line);
      numbers.push(number);
    },
    lineCap === undefined ? {} : { lineCap },
  );
  return { reading, lines, numbers };
}

function toBytes(bytes: Buffer, size = 1): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) => bytes.subarray(index * size, (index + 1) * size));
}

describe('text', () => {
  test.each([
    ['line ends of both kinds', ['a\r\nb\n\nc\r\r\n'], ['a', 'b', '', 'c']],
    ['a last line without an end', ['a\nb'], ['a', 'b']],
    ['nothing', [], []],
    ['one empty line', ['\n'], ['']],
    ['a mark in front', ['\uFEFFa\nb\n'], ['a', 'b']],
    ['carriage returns of a progress bar', ['10 %\r20 %\r30 %\nb\n'], ['10 %\r20 %\r30 %', 'b']],
    ['NUL in between', ['a\0b\nc\nd and some more of it\n'], ['ab', 'c', 'd and some more of it']],
  ])('%s', async (_, pieces, wanted) => {
    const { lines, numbers, reading } = await read(pieces);
    expect(lines).toEqual(wanted);
    expect(numbers).toEqual(wanted.map((__, index) => index + 1));
    expect(reading).toEqual({ is: 'read', lines: wanted.length, gzip: false });
  });

  test('characters that come in pieces, and bytes that are none', async () => {
    const bytes = Buffer.concat([Buffer.from('▄█ Größe\n'), Buffer.from([0xff, 0x80, 0x0a])]);
    expect((await read(toBytes(bytes))).lines).toEqual(['▄█ Größe', '\uFFFD\uFFFD']);
  });

  test.each(['utf16le', 'utf16be'])('%s with its mark', async (encoding) => {
    const bytes = Buffer.from('\uFEFFerror: größer\r\nb\r\n', 'utf16le');
    const given = encoding === 'utf16le' ? bytes : bytes.swap16();
    expect((await read(toBytes(given, 3))).lines).toEqual(['error: größer', 'b']);
  });

  test('a hole at the beginning, as a log has that was cut while its writer went on', async () => {
    const { lines, reading } = await read([Buffer.alloc(300_000), 'first\nsecond\n']);
    expect({ lines, reading }).toEqual({ lines: ['first', 'second'], reading: { is: 'read', lines: 2, gzip: false } });
  });

  test('of a long line its beginning and its end are kept, however it comes', async () => {
    const long = `BEGIN ${'x'.repeat(5_000_000)} END`;
    const { lines, numbers } = await read(toBytes(Buffer.from(`a\n${long}\nb\n`), 65_536));
    expect(numbers).toEqual([1, 2, 3]);
    expect(lines[1]?.length).toBeLessThanOrEqual(16 * 1024);
    expect(lines[1]).toMatch(/^BEGIN x+ … x+ END$/);
    expect(lines[2]).toBe('b');
    expect(cutLine('short')).toBe('short');
  });
});

describe('gzip', () => {
  const text = Array.from({ length: 20_000 }, (_, index) => `line ${index} ${Math.sin(index)}`).join('\n');
  const packed = gzipSync(`${text}\n`);

  test.each([1, 65_536])('in pieces of %d bytes', async (size) => {
    const { reading, lines } = await read(toBytes(size === 1 ? gzipSync('a\nb\n') : packed, size));
    expect(reading).toEqual({ is: 'read', lines: size === 1 ? 2 : 20_000, gzip: true });
    expect(lines.at(-1)).toBe(size === 1 ? 'b' : text.split('\n').at(-1));
  });

  test('several in one, and something behind them', async () => {
    const bytes = Buffer.concat([gzipSync('a\n'), gzipSync('b\n'), Buffer.alloc(1000)]);
    for (const size of [7, 100_000]) {
      const { reading, lines } = await read(toBytes(bytes, size));
      expect({ reading, lines }).toEqual({ reading: { is: 'read', lines: 2, gzip: true }, lines: ['a', 'b'] });
    }
  });

  test('cut off: what it holds is read, and that it was cut is said', async () => {
    const { reading, lines } = await read(toBytes(packed.subarray(0, packed.length - 1000), 10_000));
    expect(reading).toMatchObject({ is: 'read', gzip: true, damage: 'cut' });
    expect(lines.length).toBeGreaterThan(19_000);
    expect(text.startsWith(lines.join('\n'))).toBe(true);
  });

  test('damaged in the middle', async () => {
    const bytes = Buffer.from(packed);
    bytes.fill(0xaa, bytes.length >> 1, (bytes.length >> 1) + 200);
    const { reading, lines } = await read([bytes]);
    expect(reading).toMatchObject({ is: 'read', gzip: true, damage: 'broken' });
    expect(lines.length).toBeGreaterThan(1000);
  });
});

test.each([
  ['a program', Buffer.from(`7f454c46${'00ff0102'.repeat(500)}`, 'hex'), { is: 'binary' }],
  ['random bytes', Buffer.from(Array.from({ length: 4000 }, (_, index) => (index * 7919 * (index + 13)) % 256)), { is: 'binary' }],
  ['one inside of gzip', gzipSync(Buffer.from('00ff0102'.repeat(5000), 'hex')), { is: 'binary' }],
  ['zstd', Buffer.from('28b52ffd0458290000', 'hex'), { is: 'packed', as: 'zstd' }],
  ['xz', Buffer.from('fd377a585a000004', 'hex'), { is: 'packed', as: 'xz' }],
  ['bzip2', Buffer.from('BZh91AY&SYxxxxx'), { is: 'packed', as: 'bzip2' }],
])('%s is refused', async (_, bytes, wanted) => {
  expect((await read([bytes])).reading).toEqual(wanted);
});

test('an archive of tar, packed or not, is refused', async () => {
  writeFileSync(join(directory, 'a.log'), 'a\n');
  for (const options of ['-cf', '-czf']) {
    const bytes = execFileSync('tar', [options, '-', '-C', directory, 'a.log']);
    expect((await read([bytes])).reading).toEqual({ is: 'packed', as: 'tar' });
  }
});

test('a file, and what is none', async () => {
  const file = join(directory, 'b.log');
  writeFileSync(file, 'a\nb\n');
  const lines: string[] = [];
  await readLogLines(openLogFile(file), (line) => lines.push(line));
  expect(lines).toEqual(['a', 'b']);
  await expect(readLogLines(openLogFile(join(directory, 'none.log')), () => undefined)).rejects.toMatchObject({ code: 'ENOENT' });
  await expect(readLogLines(openLogFile(directory), () => undefined)).rejects.toMatchObject({ code: 'EISDIR' });
});

test('a signal ends the wait for a pipe that is silent', async () => {
  const controller = new AbortController();
  const silent = new Readable({ read: () => undefined });
  const reading = readLogLines(silent, () => undefined, { signal: controller.signal });
  controller.abort(new Error('enough'));
  await expect(reading).rejects.toThrow('enough');
});
