/** Reading files that others write: the new lines since last time, or the last lines. Bounded memory either way. */
import { type FileHandle, open } from 'node:fs/promises';
import { StringDecoder } from 'node:string_decoder';
import { errnoOf } from './files.ts';

/** Longest piece kept of one line; vLLM prints its whole configuration on one, a broken engine may print gigabytes. */
const lineCap = 64 * 1024;
const chunkBytes = 256 * 1024;
/** Most that is read in one go, so that whoever falls behind a flood holds a piece of it and not all. */
const turnBytes = 4 * chunkBytes;

export interface Tail {
  /**
   * Complete lines that were added since the last call, at most about a mebibyte of them. A file that shrank (was
   * truncated), or another one under the name, is read from its start.
   */
  readLines(): Promise<readonly string[]>;
  /** The last call did not reach the end: there is more to be had at once. */
  readonly behind: boolean;
  /** What stands after the last line end: a line that is still being written. */
  readonly rest: string;
}

export function openTail(path: string, fromByte = 0): Tail {
  return new FileTail(path, fromByte);
}

class FileTail implements Tail {
  private readonly path: string;
  private position: number;
  private inode: number | undefined;
  // A character may be written, or read, in two pieces.
  private decoder = new StringDecoder('utf8');
  behind = false;
  rest = '';

  constructor(path: string, position: number) {
    this.path = path;
    this.position = position;
  }

  async readLines(): Promise<readonly string[]> {
    const handle = await openIfThere(this.path);
    this.behind = false;
    if (handle === undefined) return [];
    try {
      const { size, ino } = await handle.stat();
      if (size < this.position || (this.inode !== undefined && this.inode !== ino)) this.beginAgain();
      this.inode = ino;
      return await this.readUntil(handle, Math.min(size, this.position + turnBytes), size);
    } finally {
      await handle.close();
    }
  }

  private beginAgain(): void {
    this.position = 0;
    this.rest = '';
    this.decoder = new StringDecoder('utf8');
  }

  private async readUntil(handle: FileHandle, end: number, size: number): Promise<readonly string[]> {
    const lines: string[] = [];
    while (this.position < end) {
      const buffer = Buffer.alloc(Math.min(chunkBytes, end - this.position));
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, this.position);
      if (bytesRead === 0) break;
      this.position += bytesRead;
      const parts = (this.rest + this.decoder.write(buffer.subarray(0, bytesRead))).split('\n');
      this.rest = (parts.pop() ?? '').slice(0, lineCap);
      for (const part of parts) lines.push(part.slice(0, lineCap));
    }
    this.behind = this.position >= end && end < size;
    return lines;
  }
}

/** The byte at which the last `count` lines of a file begin, to read on from with `openTail`; 0 where there is none. */
export async function findTailStart(path: string, count: number): Promise<number> {
  const handle = await openIfThere(path);
  if (handle === undefined) return 0;
  try {
    const { size } = await handle.stat();
    return await findLineStart(handle, { size, count, capBytes: size });
  } finally {
    await handle.close();
  }
}

/** The last `count` lines within the last `capBytes` of a file; empty when there is none. */
export async function readLastLines(path: string, count: number, capBytes = 4 * 2 ** 20): Promise<readonly string[]> {
  const handle = await openIfThere(path);
  if (handle === undefined) return [];
  try {
    const { size } = await handle.stat();
    const start = await findLineStart(handle, { size, count, capBytes });
    const buffer = Buffer.alloc(size - start);
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, start);
    const lines = buffer.toString('utf8', 0, bytesRead).split('\n');
    if (lines.at(-1) === '') lines.pop();
    return count === 0 ? [] : lines.slice(-count).map((line) => line.slice(0, lineCap));
  } finally {
    await handle.close();
  }
}

/** Walks backwards in chunks until enough line ends are behind. */
async function findLineStart(
  handle: FileHandle,
  { size, count, capBytes }: { size: number; count: number; capBytes: number },
): Promise<number> {
  if (count === 0) return size;
  const floor = Math.max(0, size - capBytes);
  let ends = 0;
  let start = size;
  const buffer = Buffer.alloc(chunkBytes);
  while (start > floor) {
    const length = Math.min(chunkBytes, start - floor);
    const { bytesRead } = await handle.read(buffer, 0, length, start - length);
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

/** Undefined when there is no such file. */
export async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
