/**
 * Small HTTP requests to addresses that we chose ourselves: engines on loopback, supervisors on Unix sockets.
 * `node:http` on purpose: it honours no proxy variables, follows no redirects, and costs nothing at start.
 */
import { type IncomingMessage, type RequestOptions, request } from 'node:http';
import { type HttpReply, NoReply, toNoReply } from './no-reply.ts';

export type Target = { readonly host: string; readonly port: number } | { readonly socketPath: string };

export interface HttpRequest {
  readonly method?: 'GET' | 'POST' | 'PUT';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** From the call to the last byte. Undefined: no limit (followed streams). */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** More than any answer we ask for; a larger one is cut and is an error. */
const replyCap = 4 * 2 ** 20;

export async function fetchText(target: Target, what: HttpRequest): Promise<HttpReply> {
  const reply = await openReply(target, what);
  try {
    return { status: reply.status, text: await readAll(reply.stream) };
  } finally {
    reply.close();
  }
}

export interface OpenReply {
  readonly status: number;
  readonly stream: IncomingMessage;
  /** Drops the connection and its timers. */
  close(): void;
}

/** Sends a request and resolves with its reply as soon as the headers are there. */
export function openReply(target: Target, what: HttpRequest): Promise<OpenReply> {
  const payload = what.body === undefined ? undefined : JSON.stringify(what.body);
  const options: RequestOptions = {
    ...target,
    method: what.method ?? 'GET',
    path: what.path,
    agent: false,
    headers: {
      ...what.headers,
      ...(payload === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }),
    },
  };
  return new Promise((resolve, reject) => {
    const call = request(options);
    let answered: IncomingMessage | undefined;
    // Once the reply has begun, its reader is told; ending the request alone would look like a dropped connection.
    const giveUp = (reason: string) => (answered ?? call).destroy(new NoReply(reason));
    const abort = () => void giveUp('EABORT');
    const timer = what.timeoutMs === undefined ? undefined : setTimeout(() => giveUp('ETIMEDOUT'), what.timeoutMs);
    const release = () => {
      clearTimeout(timer);
      what.signal?.removeEventListener('abort', abort);
    };
    what.signal?.addEventListener('abort', abort, { once: true });
    call.once('response', (stream) => {
      answered = stream;
      stream.once('close', release);
      resolve({ status: stream.statusCode ?? 0, stream, close: () => call.destroy() });
    });
    // Not `once`: an error after the first would have nobody to be told, which ends the whole process.
    call.on('error', (error) => {
      release();
      reject(toNoReply(error));
    });
    if (what.signal?.aborted) abort();
    call.end(payload);
  });
}

export function readAll(stream: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    // Given up before anybody read it: none of the events below would come any more.
    if (stream.destroyed) return reject(new NoReply('ECONNRESET', stream.errored));
    const chunks: Buffer[] = [];
    let size = 0;
    stream.on('data', (chunk: Buffer) => {
      size += chunk.length;
      chunks.push(chunk);
      if (size > replyCap) stream.destroy(new NoReply('ETOOBIG'));
    });
    stream.once('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    stream.once('error', (error) => reject(toNoReply(error)));
    stream.once('close', () => reject(new NoReply('ECONNRESET')));
  });
}
