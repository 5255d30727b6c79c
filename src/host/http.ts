/**
 * Small HTTP requests to addresses that we chose ourselves: engines on loopback, supervisors on Unix sockets.
 * `node:http` on purpose: it honours no proxy variables, follows no redirects, and costs nothing at start.
 */
import { type IncomingMessage, type RequestOptions, request } from 'node:http';

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

export interface HttpReply {
  readonly status: number;
  readonly text: string;
}

/** More than any answer we ask for; a larger one is cut and is an error. */
const replyCap = 4 * 2 ** 20;

/** Connection refused, reset, timed out …: no answer at all, as opposed to an answer with a bad status. */
export class NoReply extends Error {
  override readonly name = 'NoReply';
  /** `ECONNREFUSED`, `ENOENT`, `ECONNRESET`, `ETIMEDOUT`, `EABORT`, `ETOOBIG`. */
  readonly reason: string;
  constructor(reason: string, cause?: unknown) {
    super(reason, { cause });
    this.reason = reason;
  }
}

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
    const abort = () => call.destroy(new NoReply('EABORT'));
    const timer = what.timeoutMs === undefined ? undefined : setTimeout(() => call.destroy(new NoReply('ETIMEDOUT')), what.timeoutMs);
    const release = () => {
      clearTimeout(timer);
      what.signal?.removeEventListener('abort', abort);
    };
    what.signal?.addEventListener('abort', abort, { once: true });
    call.once('response', (stream) => {
      stream.once('close', release);
      resolve({ status: stream.statusCode ?? 0, stream, close: () => call.destroy() });
    });
    call.once('error', (error) => {
      release();
      reject(toNoReply(error));
    });
    if (what.signal?.aborted) abort();
    call.end(payload);
  });
}

export function readAll(stream: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
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

export function toNoReply(error: unknown): NoReply {
  if (error instanceof NoReply) return error;
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'EUNKNOWN';
  return new NoReply(code, error);
}
