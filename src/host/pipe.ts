/** Standard input of any length. Node makes new memory for each piece of a pipe, and gives it back late. */
import { type ConnectOpts, Socket, type SocketConstructorOpts } from 'node:net';

/** Our own standard input where that is a pipe is read into the same memory again and again; anything else stays as it is. */
export function openInput(stdin: AsyncIterable<unknown>): AsyncIterable<unknown> {
  const isPipe = stdin instanceof Socket && 'fd' in stdin && stdin.fd === 0 && !('isTTY' in stdin && stdin.isTTY === true);
  return isPipe ? openPipe(0) : stdin;
}

/** A piece is good until the next one is asked for. The descriptor is closed at the end. */
export function openPipe(fd: number): AsyncIterable<Buffer> {
  return { [Symbol.asyncIterator]: () => createPieces(fd) };
}

const chunkBytes = 16 * 1024;

interface Waiting {
  resolve(result: IteratorResult<Buffer>): void;
  reject(error: unknown): void;
}

function createPieces(fd: number): AsyncIterator<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(chunkBytes);
  // It begins to read by itself: the first piece may be there before it is asked for.
  let held = 0;
  let waiting: Waiting | undefined;
  let end: { readonly error?: Error } | undefined;
  const tell = () => {
    if (waiting === undefined || (held === 0 && end === undefined)) return;
    const { resolve, reject } = waiting;
    waiting = undefined;
    const bytes = held;
    held = 0;
    if (bytes > 0) resolve({ done: false, value: buffer.subarray(0, bytes) });
    else if (end?.error) reject(end.error);
    else resolve({ done: true, value: undefined });
  };
  const take = (bytes: number) => {
    held = bytes;
    tell();
    // Nothing more before this was used.
    return false;
  };
  const finish = (error?: Error) => {
    end ??= error ? { error } : {};
    tell();
  };
  // Of a socket that is made, too, though the types say so only of one that is connected.
  const options: SocketConstructorOpts & ConnectOpts = { fd, readable: true, writable: false, onread: { buffer, callback: take } };
  const socket = new Socket(options);
  socket.once('end', () => finish());
  socket.once('close', () => finish());
  socket.once('error', finish);
  return {
    next: () =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        tell();
        if (waiting !== undefined) socket.resume();
      }),
    return: async () => {
      socket.destroy();
      return { done: true, value: undefined };
    },
  };
}
