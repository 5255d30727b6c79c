/**
 * The control socket of one supervisor: HTTP over a Unix socket, 0600 in a 0700 directory. Whoever can connect is
 * this user or root; there is no other authentication.
 *
 *   GET  /v1/deployment          the Deployment document
 *   GET  /v1/events?after=SEQ    events after SEQ as ndjson, then new ones until the client leaves
 *   POST /v1/command             a Command as JSON, `secrets` beside it → { after, deployment }
 */
import { chmod, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Journal } from '../supervisor/journal.ts';
import type { Command } from '../supervisor/signal.ts';
import type { Supervisor } from '../supervisor/supervisor.ts';

/** A launch spec is a few kilobytes; whatever sends more is not our client. */
const bodyCap = 2 ** 20;

export interface ControlServer {
  /** Followers of this server right now. */
  readonly followers: number;
  close(): Promise<void>;
}

export interface ControlParts {
  readonly socket: string;
  readonly supervisor: Supervisor;
  readonly journal: Journal;
}

/** Listens on the socket. A stale one is removed: the caller holds the supervisor's lock, so nobody else can own it. */
export async function startControlServer({ socket, supervisor, journal }: ControlParts): Promise<ControlServer> {
  await rm(socket, { force: true });
  let followers = 0;
  const server = createServer((request, response) => {
    answer(request, response, { supervisor, journal, onFollow: (change) => (followers += change) }).catch((error: unknown) => {
      response.writeHead(500).end(String(error));
    });
  });
  await listen(server, socket);
  await chmod(socket, 0o600);
  return {
    get followers() {
      return followers;
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      await rm(socket, { force: true });
    },
  };
}

interface Handling {
  readonly supervisor: Supervisor;
  readonly journal: Journal;
  readonly onFollow: (change: 1 | -1) => void;
}

async function answer(request: IncomingMessage, response: ServerResponse, handling: Handling): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://supervisor');
  const { supervisor, journal } = handling;
  switch (`${request.method} ${url.pathname}`) {
    case 'GET /v1/deployment':
      return sendJson(response, await supervisor.deployment());
    case 'GET /v1/events':
      return follow(response, { ...handling, after: Number(url.searchParams.get('after') ?? journal.last) });
    case 'POST /v1/command': {
      const { command, secrets } = JSON.parse(await readBody(request)) as { command: Command; secrets?: Record<string, string> };
      if (secrets) supervisor.give(secrets);
      const after = journal.last;
      await supervisor.send(command);
      return sendJson(response, { after, deployment: await supervisor.deployment() });
    }
    default:
      response.writeHead(404).end();
  }
}

function follow(response: ServerResponse, { journal, onFollow, after }: Handling & { after: number }): void {
  response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  response.flushHeaders();
  onFollow(1);
  const unfollow = journal.follow(after, (event) => {
    // A client that does not read is dropped; it can come back with `after`.
    if (!response.write(`${JSON.stringify(event)}\n`) && response.writableLength > bodyCap) response.destroy();
  });
  response.once('close', () => {
    unfollow();
    onFollow(-1);
  });
}

function sendJson(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

function readBody(request: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > bodyCap) request.destroy(new Error('the request is too large'));
      else chunks.push(chunk);
    });
    request.once('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    request.once('error', reject);
  });
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
}
