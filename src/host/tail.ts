/** Reading files that others write: the new lines since last time, or the last lines. Bounded memory either way. */
import { type FileHandle, open } from 'node:fs/promises';
import { errnoOf } from './files.ts';

/** Longest piece kept of one line; vLLM prints its whole configuration on one, a broken engine may print gigabytes. */
const lineCap = 64 * 1024;
const chunkBytes = 256 * 1024;

export interface Tail {
  /** Complete lines that were added since the last call. A file that shrank (was truncated) is read from its start. */
  readLines(): Promise<readonly string[]>;
}

export function openTail(path: string, fromByte = 0): Tail {
  let position = fromByte;
  let rest = '';
  return {
    async readLines() {
      const handle = await openIfThere(path);
      if (handle === undefined) return [];
      try {
        const { size } = await handle.stat();
        if (size < position) {
          position = 0;
          rest = '';
        }
        const lines: string[] = [];
        while (position < size) {
          const buffer = Buffer.alloc(Math.min(chunkBytes, size - position));
          const { bytesRead } = await handle.read(buffer, 0, buffer.length, position);
          if (bytesRead === 0) break;
          // A cut inside a character shows as one replacement mark; the log is text for people, not data.
          position += bytesRead;
          const parts = (rest + buffer.toString('utf8', 0, bytesRead)).split('\n');
          rest = (parts.pop() ?? '').slice(0, lineCap);
          for (const part of parts) lines.push(part.slice(0, lineCap));
        }
        return lines;
      } finally {
        await handle.close();
      }
    },
  };
}

export interface LastLines {
  readonly lines: readonly string[];
  /** Where reading ended, to go on from with `openTail`. */
  readonly position: number;
}

/** The last `count` lines within the last `capBytes` of a file; empty when there is none. */
export async function readLastLines(path: string, count: number, capBytes = 4 * 2 ** 20): Promise<LastLines> {
  const handle = await openIfThere(path);
  if (handle === undefined) return { lines: [], position: 0 };
  try {
    const { size } = await handle.stat();
    const start = await findLineStart(handle, { size, count, capBytes });
    const buffer = Buffer.alloc(size - start);
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, start);
    const lines = buffer.toString('utf8', 0, bytesRead).split('\n');
    if (lines.at(-1) === '') lines.pop();
    return { lines: count === 0 ? [] : lines.slice(-count).map((line) => line.slice(0, lineCap)), position: start + bytesRead };
  } finally {
    await handle.close();
  }
}

/** Walks backwards in chunks until enough line ends are behind. */
async function findLineStart(
  handle: FileHandle,
  { size, count, capBytes }: { size: number; count: number; capBytes: number },
): Promise<number> {
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

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
