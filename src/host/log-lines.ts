/**
 * The lines of a log that somebody hands us, from a file or a pipe: of any size, packed by gzip or not, in UTF-8 or
 * UTF-16. Memory stays bounded however long the log, or one line of it, is.
 */
import { open } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { errnoOf } from './files.ts';
import { createSplitter, defaultCap, type Splitter, type TakeLine } from './split-lines.ts';

export interface LogOptions {
  readonly signal?: AbortSignal;
  /** Longest piece that is kept of a line, in characters: its beginning and its end. */
  readonly lineCap?: number;
}

export type LogReading =
  | {
      readonly is: 'read';
      readonly lines: number;
      readonly gzip: boolean;
      /** What is packed ends too early, or is damaged: what stood before that was read. */
      readonly damage?: 'cut' | 'broken';
    }
  | { readonly is: 'packed'; readonly as: Packing }
  | { readonly is: 'binary' };

export type Packing = 'zstd' | 'xz' | 'bzip2' | 'zip' | 'tar' | 'lz4';

/** Rejects with the error of the operating system (`ENOENT`, `EISDIR`, …), and with the reason of the signal. */
export async function readLogLines(source: AsyncIterable<unknown>, take: TakeLine, options: LogOptions = {}): Promise<LogReading> {
  const { signal, lineCap = defaultCap } = options;
  const outer = createSink(take, lineCap);
  const chunks = source[Symbol.asyncIterator]();
  const stop = () => void chunks.return?.();
  let inner: Unpacking | undefined;
  for (let next = await takeNext(chunks, signal, stop); !next.done; next = await takeNext(chunks, signal, stop)) {
    for (const bytes of toPieces(next.value)) {
      if (inner) await inner.write(bytes);
      else {
        outer.write(bytes);
        if (outer.kind === 'gzip') {
          inner = createUnpacking(take, lineCap);
          await inner.write(outer.held());
        }
      }
    }
    if (isRefused(inner?.sink.kind ?? outer.kind)) break;
  }
  await chunks.return?.();
  if (inner === undefined && outer.end() === 'gzip') {
    inner = createUnpacking(take, lineCap);
    await inner.write(outer.held());
  }
  const damage = await inner?.end();
  const { kind, lines } = inner?.sink ?? outer;
  if (kind === 'binary') return { is: 'binary' };
  if (isPacking(kind)) return { is: 'packed', as: kind };
  return { is: 'read', lines, gzip: inner !== undefined, ...(damage ? { damage } : {}) };
}

/**
 * Nothing is opened before the first piece is asked for. Every piece is read into the same memory: what is made anew
 * for each one is given back late, and that of a large file would be most of what this program takes.
 */
export async function* openLogFile(path: string): AsyncGenerator<Buffer> {
  const handle = await open(path, 'r');
  try {
    const buffer = Buffer.allocUnsafeSlow(chunkBytes);
    for (;;) {
      const { bytesRead } = await handle.read(buffer, 0, chunkBytes, null);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

/** A kept line holds the whole piece that it was read in, so pieces are small. */
const chunkBytes = 16 * 1024;
/** So many bytes decide what it is. */
const headBytes = 8 * 1024;

type Kind = 'utf8' | 'utf16le' | 'utf16be' | 'gzip' | 'binary' | Packing;

/** A pipe may be silent for ever: a signal ends the wait, too. */
async function takeNext(
  chunks: AsyncIterator<unknown>,
  signal: AbortSignal | undefined,
  stop: () => void,
): Promise<IteratorResult<unknown>> {
  if (signal === undefined) return chunks.next();
  signal.throwIfAborted();
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => {
      stop();
      reject(signal.reason);
    };
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([chunks.next(), aborted]);
  } finally {
    if (onAbort) signal.removeEventListener('abort', onAbort);
  }
}

function* toPieces(value: unknown): Generator<Buffer> {
  const bytes = Buffer.isBuffer(value) ? value : Buffer.from(String(value));
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
}

interface Sink {
  /** Undefined until enough of it was seen. */
  readonly kind: Kind | undefined;
  readonly lines: number;
  write(bytes: Buffer): void;
  /** What was held back while its kind was not known; of gzip, to be unpacked. */
  held(): Buffer;
  end(): Kind;
}

function createSink(take: TakeLine, lineCap: number): Sink {
  let kind: Kind | undefined;
  let head: Buffer = Buffer.alloc(0);
  let text: Splitter | undefined;
  const decide = () => {
    kind = toKind(head);
    if (kind !== 'utf8' && kind !== 'utf16le' && kind !== 'utf16be') return;
    text = createSplitter(take, { lineCap, encoding: kind });
    text.write(head);
  };
  return {
    get kind() {
      return kind;
    },
    get lines() {
      return text?.lines ?? 0;
    },
    held: () => head,
    write(bytes) {
      if (text) return text.write(bytes);
      // Of a file that was cut while its writer went on, the beginning is a hole: nothing but NUL.
      // A copy: the next piece may come in the same memory.
      head = skipHole(Buffer.concat([head, bytes]));
      if (head.length >= headBytes) decide();
    },
    end() {
      if (kind === undefined) decide();
      text?.end();
      return kind ?? 'utf8';
    },
  };
}

function skipHole(bytes: Buffer): Buffer {
  let at = 0;
  while (bytes[at] === 0) at += 1;
  return at === 0 ? bytes : bytes.subarray(at);
}

const magics: readonly (readonly [Kind, string])[] = [
  ['gzip', '1f8b08'],
  ['zstd', '28b52ffd'],
  ['xz', 'fd377a585a00'],
  ['bzip2', '425a68'],
  ['zip', '504b0304'],
  ['lz4', '04224d18'],
  ['utf16le', 'fffe'],
  ['utf16be', 'feff'],
];

function toKind(head: Buffer): Kind {
  const start = head.toString('hex', 0, 6);
  const known = magics.find(([, magic]) => start.startsWith(magic));
  // "BZh" could be a word.
  if (known && (known[0] !== 'bzip2' || head.toString('latin1', 4, 10) === '1AY&SY')) return known[0];
  if (head.toString('latin1', 257, 262) === 'ustar') return 'tar';
  const piece = head.subarray(0, headBytes);
  const strange = piece.reduce((count, byte) => count + (byte === 0 || (byte < 0x20 && !isUsual(byte)) ? 1 : 0), 0);
  return strange * 10 > piece.length ? 'binary' : 'utf8';
}

/** Bell, backspace, tab, ends of lines and pages, escape: what programs print. */
function isUsual(byte: number): boolean {
  return (byte >= 7 && byte <= 13) || byte === 27;
}

function isPacking(kind: Kind | undefined): kind is Packing {
  return kind === 'zstd' || kind === 'xz' || kind === 'bzip2' || kind === 'zip' || kind === 'tar' || kind === 'lz4';
}

function isRefused(kind: Kind | undefined): boolean {
  return kind === 'binary' || isPacking(kind);
}

interface Unpacking {
  readonly sink: Sink;
  write(bytes: Buffer): Promise<void>;
  end(): Promise<'cut' | 'broken' | undefined>;
}

/** By events, not as a stream that is read: an error would take what is still in its buffer with it. */
function createUnpacking(take: TakeLine, lineCap: number): Unpacking {
  const sink = createSink(take, lineCap);
  // Each piece of it is a trip to another thread: larger ones are fewer of them.
  const gunzip = createGunzip({ chunkSize: 16 * chunkBytes });
  let damage: 'cut' | 'broken' | undefined;
  let goOn: () => void = () => undefined;
  gunzip.on('data', (bytes: Buffer) => {
    for (const piece of toPieces(bytes)) sink.write(piece);
  });
  gunzip.once('end', () => goOn());
  gunzip.once('error', (error) => {
    damage = errnoOf(error) === 'Z_BUF_ERROR' ? 'cut' : 'broken';
    // Who wrote what it broke at is not called back.
    goOn();
  });
  // What follows the last part of an archive is of no meaning.
  const isOver = () => damage !== undefined || gunzip.readableEnded;
  const waitFor = async (act: () => void) => {
    if (isOver()) return;
    await new Promise<void>((resolve) => {
      goOn = resolve;
      act();
    });
  };
  return {
    sink,
    write: (bytes) => waitFor(() => gunzip.write(bytes, () => goOn())),
    async end() {
      await waitFor(() => gunzip.end());
      sink.end();
      gunzip.destroy();
      return damage;
    },
  };
}
