/** A Docker API on a Unix socket, for faults that a real engine cannot be made to show. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type FakeAnswer = (request: IncomingMessage, reply: ServerResponse, body: string) => void;

export interface FakeApi {
  readonly env: NodeJS.ProcessEnv;
  readonly socket: string;
  readonly home: string;
  /** `METHOD /path?query` of each call, without the version. */
  readonly calls: readonly string[];
  readonly stop: () => Promise<void>;
}

export interface FakeOptions {
  readonly apiVersion?: string;
  readonly minApiVersion?: string;
}

/** Answers by `METHOD /path` without version and query; what has none is not found, as the engine says it. */
export async function startFakeApi(answers: Readonly<Record<string, FakeAnswer>>, options: FakeOptions = {}): Promise<FakeApi> {
  const home = mkdtempSync(join(tmpdir(), 'qd-fake-'));
  const socket = join(home, 'd.sock');
  const calls: string[] = [];
  const { apiVersion = '1.45', minApiVersion = '1.24' } = options;
  const all = {
    'GET /version': sendJson({ Version: '27.0.0', ApiVersion: apiVersion, MinAPIVersion: minApiVersion, Arch: 'amd64' }),
    ...answers,
  };
  const server = createServer((request, reply) => {
    const url = (request.url ?? '').replace(/^\/v\d+\.\d+/, '');
    calls.push(`${request.method} ${url}`);
    const answer = Object.entries(all).find(([key]) => key === `${request.method} ${url.split('?', 1)[0]}`)?.[1];
    const body: Buffer[] = [];
    request.on('data', (chunk: Buffer) => body.push(chunk));
    request.on('end', () => (answer ?? sendJson({ message: 'page not found' }, 404))(request, reply, Buffer.concat(body).toString()));
  });
  await new Promise<void>((done) => server.listen(socket, done));
  const stop = async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
    rmSync(home, { recursive: true, force: true });
  };
  return { env: { HOME: home, PATH: process.env.PATH, DOCKER_HOST: `unix://${socket}` }, socket, home, calls, stop };
}

export function sendJson(value: unknown, status = 200): FakeAnswer {
  return (_, reply) => {
    reply.writeHead(status, { 'content-type': 'application/json' });
    reply.end(status === 204 ? undefined : JSON.stringify(value));
  };
}

/** Chunk by chunk, each on its own; then the end, or a broken connection, or nothing more. */
export function sendChunks(chunks: readonly (string | Buffer)[], then: 'end' | 'cut' | 'silence' = 'end'): FakeAnswer {
  return async (_, reply) => {
    reply.writeHead(200);
    for (const chunk of chunks) {
      await new Promise((done) => reply.write(chunk, done));
      await new Promise(setImmediate);
    }
    if (then === 'end') reply.end();
    if (then === 'cut') reply.destroy();
  };
}

export const neverAnswer: FakeAnswer = () => undefined;
export const cutReply: FakeAnswer = (request) => void request.socket.destroy();

/** As the engine multiplexes what a container prints. */
export function toFrame(stream: 1 | 2, text: string | Buffer): Buffer {
  const body = Buffer.from(text);
  const header = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0]);
  header.writeUInt32BE(body.length, 4);
  return Buffer.concat([header, body]);
}
