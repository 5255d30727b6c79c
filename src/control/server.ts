/**
 * The control socket of one supervisor: HTTP over a Unix socket, 0600 in a 0700 directory. Whoever can connect is
 * this user or root; there is no other authentication. But they may be of another version, or be killed at any
 * moment, and none of that may harm the supervisor.
 *
 *   GET  /v1/deployment          the Deployment document
 *   GET  /v1/events?after=SEQ    events after SEQ as ndjson, then new ones until the client leaves; an empty line now
 *                                and then as a sign of life
 *   POST /v1/command             a Command as JSON, `secrets` beside it → { after, deployment }; 503 from a supervisor
 *                                that is ending
 */
import { chmod, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Journal } from '../supervisor/journal.ts';
import type { Command } from '../supervisor/signal.ts';
import type { Supervisor } from '../supervisor/supervisor.ts';
import { endingStatus } from './client.ts';

/** A launch spec is a few kilobytes; whatever sends more is not our client. */
const bodyCap = 2 ** 20;
const usualBeatMs = 5000;
/** For a whole request, its silence included: our own clients send theirs at once. */
const requestLimitMs = 5000;
const requestCheckMs = 1000;
/** How long a close waits for answers under way. */
const closeLimitMs = 2000;

export interface ControlServer {
  /**
   * From this very moment no command is taken any more. Whoever decides that there is nothing left to do calls this
   * in the same turn, so that no command can be accepted and then forgotten.
   */
  refuseCommands(): void;
  /** Its file was deleted, so that nobody finds it: makes it again. Those who are connected stay so. */
  listenAgain(): Promise<void>;
  /** Ends the followers, lets answers under way be finished, and removes the socket. */
  close(): Promise<void>;
}

export interface ControlParts {
  readonly socket: string;
  readonly supervisor: Supervisor;
  readonly journal: Journal;
  readonly beatMs?: number;
}

/** Listens on the socket. A stale one is removed: the caller holds the supervisor's lock, so nobody else can own it. */
export async function startControlServer({ socket, beatMs = usualBeatMs, ...parts }: ControlParts): Promise<ControlServer> {
  await rm(socket, { force: true });
  const handling: Handling = { ...parts, beatMs, followers: new Set(), ending: false };
  const limits = { requestTimeout: requestLimitMs, headersTimeout: requestLimitMs, connectionsCheckingInterval: requestCheckMs };
  const servers: Server[] = [];
  const open = async () => {
    const server = createServer(limits, (request, response) => {
      // A client that has gone is its own affair.
      response.on('error', () => response.destroy());
      answer(request, response, handling).catch((error: unknown) => refuse(response, error));
    });
    await listen(server, socket);
    await chmod(socket, 0o600);
    servers.push(server);
  };
  await open();
  return {
    refuseCommands() {
      handling.ending = true;
    },
    async listenAgain() {
      // First, because a listener that closes deletes the file of its name, whosever that is by then.
      for (const server of servers) server.close();
      await open();
    },
    async close() {
      handling.ending = true;
      const closed = Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
      for (const follower of handling.followers) follower.end();
      const cut = () => {
        for (const server of servers) server.closeAllConnections();
      };
      const limit = setTimeout(cut, closeLimitMs);
      await closed;
      clearTimeout(limit);
      await rm(socket, { force: true });
    },
  };
}

interface Handling {
  readonly supervisor: Supervisor;
  readonly journal: Journal;
  readonly beatMs: number;
  readonly followers: Set<ServerResponse>;
  ending: boolean;
}

class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  constructor(status: number, why: string) {
    super(why);
    this.status = status;
  }
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
      const { command, secrets } = parseOrder(await readBody(request));
      // Asked after the body has come: from here to the queue nothing waits.
      if (handling.ending) throw new Refusal(endingStatus, 'this supervisor is ending');
      if (secrets) supervisor.give(secrets);
      const after = await supervisor.send(command);
      return sendJson(response, { after, deployment: await supervisor.deployment() });
    }
    default:
      throw new Refusal(404, 'there is no such thing here');
  }
}

function follow(response: ServerResponse, { journal, followers, beatMs, after }: Handling & { after: number }): void {
  response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  response.flushHeaders();
  const write = (text: string) => {
    if (response.destroyed || response.writableEnded) return;
    // A client that does not read is dropped; it can come back with `after`.
    if (!response.write(text) && response.writableLength > bodyCap) response.destroy();
  };
  followers.add(response);
  const unfollow = journal.follow(after, (event) => write(`${JSON.stringify(event)}\n`));
  const beat = setInterval(() => write('\n'), beatMs);
  response.once('close', () => {
    clearInterval(beat);
    unfollow();
    followers.delete(response);
  });
}

function parseOrder(text: string): { readonly command: Command; readonly secrets?: Readonly<Record<string, string>> } {
  const order = parseJson(text) as { command?: Partial<Command>; secrets?: Record<string, string> } | null;
  const command = order?.command;
  const known =
    command?.type === 'down' ||
    command?.type === 'restart' ||
    // By the one part that everything else hangs on: a spec of another version is the reducer's business.
    (command?.type === 'up' && typeof command.wanted?.spec?.hash === 'string');
  if (!known) throw new Refusal(400, 'this is no command');
  return { command: command as Command, ...(order?.secrets ? { secrets: order.secrets } : {}) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Refusal(400, String(error));
  }
}

function sendJson(response: ServerResponse, value: unknown): void {
  send(response, 200, { text: JSON.stringify(value), headers: { 'content-type': 'application/json' } });
}

function refuse(response: ServerResponse, error: unknown): void {
  if (response.headersSent) return void response.destroy();
  const status = error instanceof Refusal ? error.status : 500;
  // What is left of an overlong request is not read, so the connection cannot serve another one.
  const text = error instanceof Refusal ? error.message : String(error);
  send(response, status, { text, headers: { connection: 'close' } });
}

/** With its length always: a client that speaks HTTP/1.0 could not tell a cut answer from a whole one. */
function send(response: ServerResponse, status: number, { text, headers }: { text: string; headers: Record<string, string> }): void {
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(text) }).end(text);
}

function readBody(request: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= bodyCap) chunks.push(chunk);
      else reject(new Refusal(413, 'the request is too large'));
    });
    request.once('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    request.once('error', reject);
    request.once('close', () => reject(new Refusal(400, 'the request broke off')));
  });
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    // Stays: an error of the listener later on (no descriptor left) costs a client its connection, not us our life.
    server.on('error', reject);
    server.listen(path, resolve);
  });
}
