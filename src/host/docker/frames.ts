/** Chunks of a connection, which are cut anywhere, become what was sent. */
import type { LogLine } from './docker.ts';

export interface Frame {
  readonly stream: LogLine['stream'];
  readonly message: Buffer;
}

const headerBytes = 8;

/** Docker's own multiplexing: a byte that names the stream, three empty ones, the length. */
export async function* readFrames(chunks: AsyncIterable<Buffer>): AsyncGenerator<Frame> {
  let kept: Buffer[] = [];
  let size = 0;
  let needed = headerBytes;
  for await (const chunk of chunks) {
    kept.push(chunk);
    size += chunk.length;
    if (size < needed) continue;
    let rest = Buffer.concat(kept);
    for (needed = headerBytes; rest.length >= headerBytes; needed = headerBytes) {
      needed = headerBytes + rest.readUInt32BE(4);
      if (rest.length < needed) break;
      yield { stream: rest[0] === 2 ? 'stderr' : 'stdout', message: rest.subarray(headerBytes, needed) };
      rest = rest.subarray(needed);
    }
    kept = [rest];
    size = rest.length;
  }
}

/** Without their ends; a last one without an end too. */
export async function* readLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let kept: Buffer[] = [];
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, from)) {
      yield Buffer.concat([...kept, chunk.subarray(from, end)]);
      kept = [];
      from = end + 1;
    }
    if (from < chunk.length) kept.push(chunk.subarray(from));
  }
  if (kept.length > 0) yield Buffer.concat(kept);
}
