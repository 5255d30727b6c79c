/**
 * The one place that knows dockerode: of it, only how it talks to an engine (docker-modem). Every answer is a stream
 * with its status; what the engine says in it is read elsewhere.
 */
import { readFile } from 'node:fs/promises';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { DockerAddress } from './address.ts';

export interface Call {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  /** With the version in front where it is known. */
  readonly path: string;
  /** Objects are sent as JSON, lists by repeating the name. */
  readonly query?: Readonly<Record<string, unknown>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as it is, in place of `body`. Whoever opened it closes it. */
  readonly upload?: Readable;
}

export interface Reply {
  readonly status: number;
  readonly type: string;
  /** To be read to its end or destroyed. */
  readonly stream: Readable;
}

export interface Wire {
  /** Resolves when the answer begins. `signal` ends the call at any time, the stream of its answer included. */
  send(call: Call, signal: AbortSignal): Promise<Reply>;
}

export type UsableAddress = Exclude<DockerAddress, { is: 'unusable' }>;

/** Connects to nothing yet. Rejects with the error of a certificate that cannot be read. */
export async function openWire(address: UsableAddress): Promise<Wire> {
  const { default: Client } = await import('dockerode');
  const modem: Modem = new Client(await toOptions(address)).modem;
  return { send: (call, signal) => send(modem, call, signal) };
}

/**
 * dockerode reads `DOCKER_HOST` for itself and lays what it is given over that: with only `socketPath` it would still
 * ask the host of the variable. So everything is said. Each call has a connection of its own: one that was kept would be
 * that of an engine which has been restarted since.
 */
async function toOptions(address: UsableAddress) {
  const open = { host: undefined, port: undefined, ca: undefined, cert: undefined, key: undefined, timeout: undefined };
  if (address.is === 'tcp' && address.certificates !== undefined) {
    const { host, port, certificates } = address;
    const { Agent } = await import('node:https');
    const [ca, cert, key] = await Promise.all(['ca', 'cert', 'key'].map((name) => readFile(join(certificates, `${name}.pem`), 'utf8')));
    return { ...open, protocol: 'https', host, port, ca, cert, key, agent: new Agent() } as const;
  }
  if (address.is === 'ssh') {
    const { createSshAgent } = await import('./ssh.ts');
    return { ...open, protocol: 'http', host: 'docker', port: 80, agent: createSshAgent(address) } as const;
  }
  const { Agent } = await import('node:http');
  const agent = new Agent();
  if (address.is === 'socket') return { ...open, protocol: 'http', socketPath: address.path, agent } as const;
  return { ...open, protocol: 'http', host: address.host, port: address.port, agent } as const;
}

/** The part of docker-modem that is used; its own types have no signal. */
interface Modem {
  dial(call: Dial, done: (error: unknown, stream: unknown) => void): void;
}

interface Dial {
  readonly path: string;
  readonly method: string;
  /** Where `_query` and `_body` are, nothing else of it is sent. */
  readonly options: { readonly _query: Readonly<Record<string, unknown>>; readonly _body: unknown };
  readonly headers: Record<string, string>;
  readonly file?: Readable;
  readonly isStream: true;
  readonly statusCodes: Readonly<Record<number, true>>;
  readonly abortSignal: AbortSignal;
}

const keepAliveMs = 30_000;

function send(
  modem: Modem,
  { method = 'GET', path, query = {}, body = {}, headers = {}, upload }: Call,
  signal: AbortSignal,
): Promise<Reply> {
  const known = Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined));
  const dial: Dial = {
    // docker-modem adds the query only after a question mark, which stays where there is none.
    path: Object.keys(known).length > 0 ? `${path}?` : path,
    method,
    options: { _query: known, _body: body },
    headers: { ...headers },
    ...(upload ? { file: upload } : {}),
    isStream: true,
    statusCodes: everyStatus(),
    abortSignal: signal,
  };
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(signal.reason);
    if (signal.aborted) return giveUp();
    signal.addEventListener('abort', giveUp, { once: true });
    modem.dial(dial, (error, stream) => {
      signal.removeEventListener('abort', giveUp);
      if (!(stream instanceof IncomingMessage)) return reject(error ?? new Error('EPROTO'));
      bindTo(stream, signal);
      resolve({ status: stream.statusCode ?? 0, type: stream.headers['content-type'] ?? '', stream });
    });
  });
}

/** Node's own signal acts until the answer begins, and no longer. */
function bindTo(stream: IncomingMessage, signal: AbortSignal): void {
  // Without a listener, an answer that is cut off while nobody reads it would end the process.
  stream.on('error', () => undefined);
  if (stream.socket instanceof Socket) stream.socket.setKeepAlive(true, keepAliveMs);
  const end = () => void stream.destroy();
  if (signal.aborted) end();
  signal.addEventListener('abort', end, { once: true });
  stream.once('close', () => signal.removeEventListener('abort', end));
}

/** Otherwise docker-modem reads an answer with a bad status to its end, however long that takes. */
function everyStatus(): Readonly<Record<number, true>> {
  return Object.fromEntries(Array.from({ length: 500 }, (_, index) => [100 + index, true as const]));
}
