/**
 * Reading files that others write: the new lines since last time, or the last lines. Bounded memory either way. What
 * was cut off the beginning of a log (see pieces.ts) is part of it.
 */
import type { FileHandle } from 'node:fs/promises';
import { StringDecoder } from 'node:string_decoder';
import { listPieces, observeMark, openIfThere, type Piece, readStream, type Stream, waitUntilSettled } from './pieces.ts';

/** Longest piece kept of one line; vLLM prints its whole configuration on one, a broken engine may print gigabytes. */
const lineCap = 64 * 1024;
const chunkBytes = 256 * 1024;
/** Most that is read in one go, so that whoever falls behind a flood holds a piece of it and not all. */
const turnBytes = 4 * chunkBytes;
/** Enough of what was read last to find it again. */
const traceBytes = 64;
const triesMost = 5;

export interface Tail {
  /**
   * Complete lines that were added since the last call, at most about a mebibyte of them. What was cut off the file
   * meanwhile is read where it is now; a file that shrank otherwise, or another one under the name, from its start.
   */
  readLines(): Promise<readonly string[]>;
  /** The last call did not reach the end: there is more to be had at once. */
  readonly behind: boolean;
  /** What stands after the last line end: a line that is still being written. */
  readonly rest: string;
}

/** The file alone, without what was cut off it before. */
export function openTail(path: string, fromByte = 0): Tail {
  return new FileTail(path, { older: [], position: fromByte });
}

/** All that there is of a log, or its last lines. */
export async function openLog(path: string, lines?: number): Promise<Tail> {
  const start = await readStream(path, async (stream, mark) => ({
    ...toPlace(stream, lines === undefined ? 0 : await findLineStart(stream, { count: lines, capBytes: stream.size })),
    mark,
  }));
  return new FileTail(path, start);
}

/** Where reading goes on: in pieces, oldest first, and then in the live file. */
interface Place {
  readonly older: readonly Standing[];
  readonly position: number;
  /** Of the moment at which this was true; undefined: not looked yet. */
  readonly mark?: string;
}

interface Standing {
  readonly id: string;
  readonly position: number;
}

function toPlace({ parts, size }: Stream, start: number): Place {
  let begin = 0;
  const older: Standing[] = [];
  for (const { id, size: length } of parts) {
    if (id !== undefined && start < begin + length) older.push({ id, position: Math.max(0, start - begin) });
    begin += length;
  }
  const live = size - (parts.at(-1)?.size ?? 0);
  return { older, position: Math.max(0, start - live) };
}

interface Portion {
  readonly bytes: Buffer;
  readonly place: Place;
  readonly behind: boolean;
  readonly inode?: number;
  readonly isNew?: boolean;
}

class FileTail implements Tail {
  private readonly path: string;
  private place: Place;
  private inode: number | undefined;
  // A character may be written, or read, in two pieces.
  private decoder = new StringDecoder('utf8');
  /** The last bytes that were read. */
  private trace = Buffer.alloc(0);
  behind = false;
  rest = '';

  constructor(path: string, place: Place) {
    this.path = path;
    this.place = place;
  }

  async readLines(): Promise<readonly string[]> {
    for (let tries = 1; tries <= triesMost; tries += 1) {
      const { mark, isLasting } = await waitUntilSettled(this.path);
      const portion = await this.readPortion(mark);
      // Something was cut off while it was read: what came of it is nothing.
      if (isLasting || tries === triesMost || (await observeMark(this.path)) === mark) return this.take(portion);
    }
    return [];
  }

  private async readPortion(mark: string): Promise<Portion> {
    const pieces = await listPieces(this.path);
    const moved = this.place.mark !== undefined && this.place.mark !== mark;
    const { older, position } = moved ? await this.moveOn(this.place, pieces) : this.place;
    const [next, ...others] = older;
    if (next === undefined) return this.readLive(moved ? undefined : this.inode, { older, position, mark });
    // One that is gone was older than what is kept.
    const piece = pieces.find(({ id }) => id === next.id);
    const bytes = piece ? await readBytes(piece.path, next.position) : Buffer.alloc(0);
    const left = piece !== undefined && next.position + bytes.length < piece.size;
    const still = left ? [{ id: next.id, position: next.position + bytes.length }] : [];
    return { bytes, place: { older: [...still, ...others], position, mark }, behind: true };
  }

  private async readLive(inode: number | undefined, place: Place): Promise<Portion> {
    const handle = await openIfThere(this.path);
    if (handle === undefined) return { bytes: Buffer.alloc(0), place, behind: false };
    try {
      const { size, ino } = await handle.stat();
      const isNew = size < place.position || (inode !== undefined && inode !== ino);
      const from = isNew ? 0 : place.position;
      const bytes = await readFrom(handle, from, size);
      const position = from + bytes.length;
      return { bytes, place: { ...place, position }, behind: bytes.length > 0 && position < size, inode: ino, isNew };
    } finally {
      await handle.close();
    }
  }

  /** What was the beginning of the live file is now in newer pieces. */
  private async moveOn({ older, position, mark }: Place, pieces: readonly Piece[]): Promise<Place> {
    const known = pieces.findIndex(({ id }) => id === mark);
    // Newest first; where the one that we knew is gone, all are newer.
    const newer = (known < 0 ? pieces : pieces.slice(0, known)).toReversed();
    const isLost = known < 0 && mark !== '' && pieces.length > 0;
    const added: Standing[] = [];
    let at = isLost ? 0 : position;
    for (const [index, { id, size }] of newer.entries()) {
      if (at < size) {
        added.push({ id, position: at });
        at = 0;
      } else at = await this.findAgain(newer[index + 1]?.path ?? this.path, at - size);
    }
    return { older: [...older, ...added], position: at };
  }

  /** More was read than the piece holds: what was read after it is still there, or was lost in the cut. */
  private async findAgain(path: string, position: number): Promise<number> {
    const length = Math.min(position, this.trace.length);
    const bytes = await readBytes(path, position - length, length);
    return bytes.equals(this.trace.subarray(this.trace.length - length)) ? position : 0;
  }

  private take({ bytes, place, behind, inode, isNew }: Portion): readonly string[] {
    if (isNew) {
      this.rest = '';
      this.decoder = new StringDecoder('utf8');
    }
    this.place = place;
    this.inode = inode;
    this.behind = behind;
    this.trace = Buffer.concat([this.trace, bytes.subarray(-traceBytes)]).subarray(-traceBytes);
    const lines: string[] = [];
    for (let at = 0; at < bytes.length; at += chunkBytes) {
      const parts = (this.rest + this.decoder.write(bytes.subarray(at, at + chunkBytes))).split('\n');
      this.rest = (parts.pop() ?? '').slice(0, lineCap);
      for (const part of parts) lines.push(part.slice(0, lineCap));
    }
    return lines;
  }
}

async function readBytes(path: string, position: number, length = turnBytes): Promise<Buffer> {
  const handle = await openIfThere(path);
  if (handle === undefined) return Buffer.alloc(0);
  try {
    return await readFrom(handle, position, position + length);
  } finally {
    await handle.close();
  }
}

async function readFrom(handle: FileHandle, position: number, end: number): Promise<Buffer> {
  const buffer = Buffer.alloc(Math.min(turnBytes, Math.max(0, end - position)));
  if (buffer.length === 0) return buffer;
  const { bytesRead } = await handle.read(buffer, 0, buffer.length, position);
  return buffer.subarray(0, bytesRead);
}

/** The last `count` lines within the last `capBytes` of a log; empty when there is none. */
export async function readLastLines(path: string, count: number, capBytes = 4 * 2 ** 20): Promise<readonly string[]> {
  return readStream(path, async (stream) => {
    const start = await findLineStart(stream, { count, capBytes });
    const buffer = Buffer.alloc(stream.size - start);
    const bytesRead = await stream.read(buffer, buffer.length, start);
    const lines = buffer.toString('utf8', 0, bytesRead).split('\n');
    if (lines.at(-1) === '') lines.pop();
    return count === 0 ? [] : lines.slice(-count).map((line) => line.slice(0, lineCap));
  });
}

/** Walks backwards in chunks until enough line ends are behind. */
async function findLineStart(stream: Stream, { count, capBytes }: { count: number; capBytes: number }): Promise<number> {
  const { size } = stream;
  if (count === 0) return size;
  const floor = Math.max(0, size - capBytes);
  let ends = 0;
  let start = size;
  const buffer = Buffer.alloc(chunkBytes);
  while (start > floor) {
    const length = Math.min(chunkBytes, start - floor);
    const bytesRead = await stream.read(buffer, length, start - length);
    for (let index = bytesRead - 1; index >= 0; index -= 1) {
      if (buffer[index] !== 10) continue;
      const at = start - length + index;
      if (at === size - 1) continue;
      ends += 1;
      if (ends === count) return at + 1;
    }
    start -= length;
  }
  return floor;
}
