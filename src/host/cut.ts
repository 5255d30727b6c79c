/**
 * Keeps a log short that somebody else writes to through descriptors opened with O_APPEND. It cannot be renamed: its
 * writers would follow it. So its beginning is copied to a piece (see pieces.ts), and then taken off.
 *
 * Where the file system can (ext4, XFS), the kernel takes off exactly what was copied, and no byte is lost. Elsewhere
 * (tmpfs, Btrfs) the file is truncated: what is written between our last look and that is lost. It is a matter of
 * microseconds, and what may have been lost is told.
 *
 * Races thought about:
 * - Readers: `NAME.cut` stands there from before the beginning is taken off until it is `NAME.1`.
 * - We are killed: a copy without `.cut` was not used yet and is thrown away. With it, the live file tells whether its
 *   beginning was taken off: if it still begins with the copy, nothing has happened.
 */
import { fstatSync, ftruncateSync, readSync, writeSync } from 'node:fs';
import { type FileHandle, open, rename, rm, stat, statfs } from 'node:fs/promises';
import { runProgram } from './exec.ts';
import { listPieces, openIfThere, toCutPath, toPiecePath } from './pieces.ts';

export interface Limits {
  /** Above this the file is cut, bytes. */
  readonly maxBytes: number;
  /** Pieces that are kept beside it. */
  readonly keep: number;
}

export interface Cut {
  readonly bytes: number;
  /** At most about this much was written and is in no piece. */
  readonly lostBytes: number;
}

export interface Cutting extends Limits {
  /** False: never more than by truncating. For tests, wherever they run. */
  readonly collapse?: boolean;
}

const chunkBytes = 2 ** 20;
const programMs = 60_000;
/** A writer that is faster than we copy is cut off at last. */
const turnsMost = 1000;
const compareBytes = 64 * 1024;

/** Undefined when it is short enough. Rejects with the operating system's error; then nothing was taken off. */
export async function cutLog(path: string, { maxBytes, keep, collapse = true }: Cutting): Promise<Cut | undefined> {
  await settleCut(path, keep);
  const { size } = await stat(path);
  if (size <= maxBytes) return undefined;
  // First, because it would go anyway, and the disk may be full.
  await dropPieces(path, keep - 1);
  const live = await open(path, 'r+');
  const copyPath = toCopyPath(path);
  try {
    const copy = await open(copyPath, 'wx+', 0o600);
    try {
      return await cut({ path, copyPath, live, copy, size: await toWholeBlocks(path, size), keep, collapse });
    } finally {
      await copy.close();
    }
  } catch (error) {
    // As it was before, or as it is after; readers do not wait for the next try.
    await settleCut(path, keep).catch(() => undefined);
    throw error;
  } finally {
    await live.close();
  }
}

/** Brings to its end what somebody who was killed has begun. */
export async function settleCut(path: string, keep: number): Promise<void> {
  await rm(toCopyPath(path), { force: true });
  const cutPath = toCutPath(path);
  const copy = await openIfThere(cutPath);
  if (copy === undefined) return;
  const live = await openIfThere(path);
  try {
    if (live && (await beginsWith(live, copy))) return await rm(cutPath, { force: true });
  } finally {
    await live?.close();
    await copy.close();
  }
  await publish(path, keep);
}

function toCopyPath(path: string): string {
  return `${path}.copy`;
}

interface Work {
  readonly path: string;
  readonly copyPath: string;
  readonly live: FileHandle;
  readonly copy: FileHandle;
  /** Whole blocks, and not all of the file. */
  readonly size: number;
  readonly keep: number;
  readonly collapse: boolean;
}

async function cut({ path, copyPath, live, copy, size, keep, collapse }: Work): Promise<Cut> {
  const startedAt = performance.now();
  await copyBytes(live, copy, size);
  // Now, so that the kernel need not do it while it holds the file against its writers.
  if (collapse) await live.datasync();
  await rename(copyPath, toCutPath(path));
  // A program that was ended may have done it all the same.
  if (collapse && size > 0 && ((await collapseFile(path, size)) || !(await beginsWith(live, copy)))) {
    await publish(path, keep);
    return { bytes: size, lostBytes: 0 };
  }
  const done = truncateAfterCopy(live.fd, copy.fd, { size, startedAt });
  await publish(path, keep);
  return done;
}

async function copyBytes(from: FileHandle, to: FileHandle, size: number): Promise<void> {
  const buffer = Buffer.alloc(chunkBytes);
  for (let at = 0; at < size; ) {
    const { bytesRead } = await from.read(buffer, 0, Math.min(chunkBytes, size - at), at);
    if (bytesRead === 0) throw new Error('the log shrank while it was copied');
    await to.write(buffer, 0, bytesRead, at);
    at += bytesRead;
  }
}

/** The kernel takes off whole blocks, and leaves at least one byte. */
async function toWholeBlocks(path: string, size: number): Promise<number> {
  const { bsize } = await statfs(path);
  return Math.floor((size - 1) / bsize) * bsize;
}

async function collapseFile(path: string, bytes: number): Promise<boolean> {
  const { code } = await runProgram('fallocate', ['--collapse-range', '--offset', '0', '--length', String(bytes), path], {
    timeoutMs: programMs,
  });
  return code === 0;
}

interface Copied {
  readonly size: number;
  readonly startedAt: number;
}

/** In one turn of the event loop: what happens between the last look at the size and the truncation is lost. */
function truncateAfterCopy(live: number, copy: number, { size, startedAt }: Copied): Cut {
  const buffer = Buffer.alloc(chunkBytes);
  let copied = size;
  let lookedAt = performance.now();
  for (let turn = 0; turn < turnsMost; turn += 1) {
    lookedAt = performance.now();
    if (fstatSync(live).size <= copied) break;
    const bytesRead = readSync(live, buffer, 0, chunkBytes, copied);
    for (let at = 0; at < bytesRead; ) at += writeSync(copy, buffer, at, bytesRead - at, copied + at);
    copied += bytesRead;
  }
  const seen = fstatSync(live).size;
  const blindMs = performance.now() - lookedAt;
  ftruncateSync(live, 0);
  const perMs = (copied - size) / Math.max(1, lookedAt - startedAt);
  return { bytes: copied, lostBytes: seen - copied + Math.round(perMs * blindMs) };
}

async function publish(path: string, keep: number): Promise<void> {
  await dropPieces(path, keep - 1);
  for (const piece of (await listPieces(path)).toReversed()) {
    const number = Number(piece.path.slice(path.length + 1));
    await rename(piece.path, toPiecePath(path, number + 1));
  }
  await rename(toCutPath(path), toPiecePath(path, 1));
}

async function dropPieces(path: string, most: number): Promise<void> {
  const old = (await listPieces(path)).slice(Math.max(0, most));
  for (const piece of old.toReversed()) await rm(piece.path, { force: true });
}

/** Compared at both ends: two parts of a log do not agree there. */
async function beginsWith(live: FileHandle, copy: FileHandle): Promise<boolean> {
  const { size } = await copy.stat();
  if ((await live.stat()).size < size) return false;
  const places = [0, Math.max(0, size - compareBytes)];
  for (const place of places) {
    const [ours, theirs] = await Promise.all([copy, live].map((handle) => readAt(handle, place, Math.min(compareBytes, size - place))));
    if (ours === undefined || theirs === undefined || !ours.equals(theirs)) return false;
  }
  return true;
}

async function readAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await handle.read(buffer, 0, length, position);
  return buffer.subarray(0, bytesRead);
}

/** Makes room on a full disk. Whether there was anything. */
export async function dropOldestPiece(path: string): Promise<boolean> {
  const pieces = await listPieces(path);
  await dropPieces(path, pieces.length - 1);
  return pieces.length > 0;
}
