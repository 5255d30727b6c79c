/** Standard output and standard error of the process. */
import { fstatSync, writeSync } from 'node:fs';
import { errnoOf } from './files.ts';

export interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

/**
 * What a descriptor is written through. Node opens `process.stdout` with half a megabyte of itself (streams, sockets),
 * a tenth of the time of `plan`: a pipe or a file is written directly, as Node writes both on Linux too, without
 * waiting. A terminal, and whatever has no room now, is Node's. `onClosed`: nobody reads any more.
 */
export function openOutput(descriptor: 1 | 2, onClosed: () => void): Output {
  if (!isPlain(descriptor)) return openStream(descriptor, onClosed);
  let stream: NodeJS.WriteStream | undefined;
  const write = (text: string) => {
    if (stream) return stream.write(text);
    const rest = writeNow(descriptor, Buffer.from(text), onClosed);
    if (rest.length === 0) return true;
    stream = openStream(descriptor, onClosed);
    return stream.write(rest);
  };
  return { write };
}

/** A pipe, a socket or a file; neither a terminal nor another device, and not a descriptor that was closed. */
function isPlain(descriptor: number): boolean {
  try {
    const stat = fstatSync(descriptor);
    return stat.isFIFO() || stat.isSocket() || stat.isFile();
  } catch {
    return false;
  }
}

/** What could not be written because a non-blocking pipe is full. */
function writeNow(descriptor: number, bytes: Buffer, onClosed: () => void): Buffer {
  let written = 0;
  try {
    while (written < bytes.length) written += writeSync(descriptor, bytes.subarray(written));
  } catch (error) {
    if (errnoOf(error) === 'EAGAIN') return bytes.subarray(written);
    // EPIPE, ENOSPC, EIO: there is nobody to be told, and telling would fail again.
    onClosed();
  }
  return Buffer.alloc(0);
}

function openStream(descriptor: 1 | 2, onClosed: () => void): NodeJS.WriteStream {
  const stream = descriptor === 1 ? process.stdout : process.stderr;
  stream.on('error', () => onClosed());
  return stream;
}
