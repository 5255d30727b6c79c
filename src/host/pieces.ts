/**
 * A log that is kept short: `NAME` is written to, `NAME.1` is what was cut off its beginning last, `NAME.2` what was
 * cut off before that. Together they are one stream of bytes; a line may begin in one and end in the next.
 *
 * The two steps of a cut (the beginning goes from `NAME`, and is there as `NAME.1`) cannot be one. Between them
 * `NAME.cut` exists, and nothing that is read then means anything. A reader looks at the mark before and after.
 */
import { type FileHandle, open, stat } from 'node:fs/promises';
import { waitFor } from '../core/clock.ts';
import { errnoOf } from './files.ts';

export interface Piece {
  /** Stays with it while its name changes. */
  readonly id: string;
  readonly path: string;
  readonly size: number;
}

/** Pieces and live file as one, until it is closed. */
export interface Stream {
  readonly size: number;
  /** Oldest first, and last the live file, which has no id. */
  readonly parts: readonly { readonly id?: string; readonly size: number }[];
  read(buffer: Buffer, length: number, position: number): Promise<number>;
}

const settleMs = 1000;
const pollMs = 5;
const triesMost = 5;

export function toPiecePath(path: string, number: number): string {
  return `${path}.${number}`;
}

/** Exists only while a cut is under way, or after one whose maker was killed. */
export function toCutPath(path: string): string {
  return `${path}.cut`;
}

/** Changes with every cut: the identity of the newest piece. Undefined while a cut is under way. */
export async function observeMark(path: string): Promise<string | undefined> {
  if (await exists(toCutPath(path))) return undefined;
  const newest = await readPiece(toPiecePath(path, 1));
  // Pieces move up one by one, the last one first.
  if (newest === undefined && (await exists(toPiecePath(path, 2)))) return undefined;
  return newest?.id ?? '';
}

export interface Settled {
  readonly mark: string;
  /** A cut was begun and does not end: looking again would tell nothing new. */
  readonly isLasting: boolean;
}

/** A cut takes milliseconds; one that was never brought to its end does not keep readers waiting. */
export async function waitUntilSettled(path: string): Promise<Settled> {
  const deadline = performance.now() + settleMs;
  for (;;) {
    const mark = await observeMark(path);
    if (mark !== undefined) return { mark, isLasting: false };
    if (performance.now() > deadline) return { mark: (await readPiece(toPiecePath(path, 1)))?.id ?? '', isLasting: true };
    await waitFor(pollMs);
  }
}

/** Newest first. */
export async function listPieces(path: string): Promise<readonly Piece[]> {
  const pieces: Piece[] = [];
  for (;;) {
    const piece = await readPiece(toPiecePath(path, pieces.length + 1));
    if (piece === undefined) return pieces;
    pieces.push(piece);
  }
}

/** What `use` makes of the whole stream while nothing is cut off it. */
export async function readStream<T>(path: string, use: (stream: Stream, mark: string) => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    const { mark, isLasting } = await waitUntilSettled(path);
    const handles = await openAll(path);
    try {
      const value = await use(await toStream(handles), mark);
      if (isLasting || tries === triesMost || (await observeMark(path)) === mark) return value;
    } finally {
      for (const handle of handles) await handle?.close();
    }
  }
}

async function openAll(path: string): Promise<readonly (FileHandle | undefined)[]> {
  const pieces = await listPieces(path);
  const paths = [...pieces.map((piece) => piece.path).toReversed(), path];
  const handles: (FileHandle | undefined)[] = [];
  for (const one of paths) handles.push(await openIfThere(one));
  return handles;
}

async function toStream(handles: readonly (FileHandle | undefined)[]): Promise<Stream> {
  const sources = await Promise.all(
    handles.map(async (handle, at) => {
      const facts = await handle?.stat();
      const isLive = at === handles.length - 1;
      return { handle, size: facts?.size ?? 0, ...(facts && !isLive ? { id: toId(facts) } : {}) };
    }),
  );
  return {
    parts: sources,
    size: sources.reduce((sum, { size }) => sum + size, 0),
    async read(buffer, length, position) {
      let done = 0;
      let begin = 0;
      for (const { handle, size } of sources) {
        const from = position + done - begin;
        begin += size;
        if (handle === undefined || from >= size || done === length) continue;
        const { bytesRead } = await handle.read(buffer, done, Math.min(length - done, size - from), from);
        done += bytesRead;
      }
      return done;
    },
  };
}

async function readPiece(path: string): Promise<Piece | undefined> {
  try {
    const facts = await stat(path);
    return { id: toId(facts), path, size: facts.size };
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** A number of a deleted file is soon that of another; their times differ. */
function toId({ ino, mtimeMs }: { readonly ino: number; readonly mtimeMs: number }): string {
  return `${ino}:${mtimeMs}`;
}

async function exists(path: string): Promise<boolean> {
  return (await readPiece(path)) !== undefined;
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
