/**
 * The HTTP side of the simulated engine: vLLM's endpoints, refusals and access lines over `SimulatedEngine`.
 * The stand-in engine of the tests is the same server with hooks.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import { SimulatedEngine } from './engine.ts';
import { type ApiFailure, engineDead, shuttingDown, toFailureBody } from './failure.ts';
import { generate } from './generate.ts';
import { MetricStore } from './metric-store.ts';
import type { SimulatorOptions } from './options.ts';
import { toModelList } from './replies.ts';
import { parseRequest, type RequestKind } from './request.ts';

export interface SimulatorHooks {
  /** Sees every request first, with its whole body; true when it has answered. */
  readonly intercept?: (call: Call) => boolean | Promise<boolean>;
  /** Awaited in every step of the engine. */
  readonly step?: () => Promise<void>;
  /** One line of the log, without its end. */
  readonly log: (line: string) => void;
}

export interface Call {
  readonly method: string;
  readonly path: string;
  readonly body: string;
  readonly response: ServerResponse;
  /** Sends JSON, or nothing for undefined. */
  readonly send: (status: number, body?: unknown) => void;
}

export type SimulatorMode = 'serving' | 'draining' | 'dead';

export interface SimulatorServer {
  readonly http: Server;
  readonly engine: SimulatedEngine;
  readonly metrics: MetricStore;
  readonly options: SimulatorOptions;
  /** `draining`: new requests are refused. `dead`: and `/health` is 503. */
  setMode(mode: SimulatorMode): void;
  /** Resolves with the port once it answers; rejects with the system's error. */
  listen(): Promise<number>;
}

export function createSimulatorServer(options: SimulatorOptions, hooks: SimulatorHooks): SimulatorServer {
  const metrics = new MetricStore({ modelName: options.servedNames[0], kvTokens: options.kvTokens, maxModelLen: options.maxModelLen });
  const step = hooks.step === undefined ? {} : { step: hooks.step };
  const engine = new SimulatedEngine({ ...options, metrics, ...step });
  const state: State = { mode: 'serving', load: 0, created: Math.floor(Date.now() / 1000) };
  const place: Place = { options, hooks, metrics, engine, state };
  // vLLM's front end closes idle connections after five seconds.
  const http = createServer({ keepAliveTimeout: 5000 }, (request, response) => void answer(place, request, response));
  return {
    http,
    engine,
    metrics,
    options,
    setMode(mode) {
      state.mode = mode;
    },
    listen: () => listen(http, options),
  };
}

interface State {
  mode: SimulatorMode;
  /** Open generating requests in the HTTP layer, the engine's opinion aside. */
  load: number;
  readonly created: number;
}

interface Place {
  readonly options: SimulatorOptions;
  readonly hooks: SimulatorHooks;
  readonly metrics: MetricStore;
  readonly engine: SimulatedEngine;
  readonly state: State;
}

interface Route {
  readonly methods: readonly string[];
  readonly run: (place: Place, call: Call) => void;
}

const routes: Readonly<Record<string, Route>> = {
  '/health': { methods: ['GET'], run: sendHealth },
  '/ping': { methods: ['GET', 'POST'], run: sendHealth },
  '/version': { methods: ['GET'], run: ({ options }, call) => call.send(200, { version: options.identity.version }) },
  '/load': { methods: ['GET'], run: ({ options, state }, call) => call.send(200, { server_load: options.loadTracking ? state.load : 0 }) },
  '/metrics': { methods: ['GET'], run: sendMetrics },
  '/v1/models': { methods: ['GET'], run: ({ options, state }, call) => call.send(200, toModelList(options, state.created)) },
  '/v1/completions': { methods: ['POST'], run: (place, call) => startGeneration(place, call, 'completion') },
  '/v1/chat/completions': { methods: ['POST'], run: (place, call) => startGeneration(place, call, 'chat') },
};

/** Left out of vLLM's HTTP counters. */
const uncounted = ['/metrics', '/health', '/load', '/ping', '/version'];

async function answer(place: Place, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = (request.url ?? '/').split('?')[0] ?? '/';
  const method = request.method ?? 'GET';
  response.setHeader('server', 'uvicorn');
  for (const [name, value] of Object.entries(place.options.identity.headers)) response.setHeader(name, value);
  // Read now: a closed socket has no peer any more.
  const peer = `${request.socket.remoteAddress ?? '127.0.0.1'}:${request.socket.remotePort ?? 0}`;
  response.once('close', () => tell(place, request, { peer, status: response.statusCode }));
  const body = await readBody(request);
  if (body === undefined) return;
  const call: Call = { method, path, body, response, send: (status, value) => sendJson(response, status, value) };
  if ((await place.hooks.intercept?.(call)) === true) return;
  const key = request.headers.authorization?.replace(/^Bearer /, '') ?? '';
  if (path.startsWith('/v1') && place.options.apiKeys.length > 0 && !place.options.apiKeys.includes(key)) {
    return call.send(401, { error: 'Unauthorized' });
  }
  const route = routes[path];
  if (route === undefined) return call.send(404, { detail: 'Not Found' });
  if (!route.methods.includes(method)) return call.send(405, { detail: 'Method Not Allowed' });
  route.run(place, call);
}

function tell(
  { options, hooks, metrics }: Place,
  request: IncomingMessage,
  what: { readonly peer: string; readonly status: number },
): void {
  const { peer, status } = what;
  const path = (request.url ?? '/').split('?')[0] ?? '/';
  if (!uncounted.includes(path)) {
    const handler = path in routes ? path : 'none';
    metrics.countHttp({ handler, method: request.method ?? 'GET', status: `${Math.floor(status / 100)}xx` });
  }
  if (options.quietPaths.includes('*') || options.quietPaths.includes(path)) return;
  const line = `INFO:     ${peer} - "${request.method} ${request.url} HTTP/${request.httpVersion}" ${status}`;
  hooks.log(`${line} ${STATUS_CODES[status] ?? ''}`.trimEnd());
}

function sendHealth({ state }: Place, call: Call): void {
  call.send(state.mode === 'dead' ? 503 : 200);
}

function sendMetrics({ metrics, options }: Place, call: Call): void {
  call.response.writeHead(200, { 'content-type': 'text/plain; version=1.0.0; charset=utf-8' });
  call.response.end(metrics.render(options.logStats));
}

function startGeneration(place: Place, call: Call, kind: RequestKind): void {
  const { options, engine, state } = place;
  const parsed = parseRequest(kind, call.body, options);
  if (parsed.is === 'failure') return sendFailure(call, parsed.failure);
  const refusal = refusals[state.mode];
  if (refusal !== undefined) return sendFailure(call, refusal);
  state.load += 1;
  call.response.once('close', () => {
    state.load -= 1;
  });
  generate(parsed.request, { engine, identity: options.identity, response: call.response, send: call.send });
}

const refusals: Readonly<Record<SimulatorMode, ApiFailure | undefined>> = { serving: undefined, draining: shuttingDown, dead: engineDead };

function sendFailure(call: Call, failure: ApiFailure): void {
  call.send(failure.status, toFailureBody(failure));
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  if (response.headersSent || response.destroyed) return;
  const text = body === undefined ? '' : JSON.stringify(body);
  response.writeHead(status, {
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}

/** Undefined when the client went away before its last byte. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request) chunks.push(chunk);
    return Buffer.concat(chunks).toString('utf8');
  } catch {
    return undefined;
  }
}

function listen(http: Server, { host, port }: SimulatorOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    http.once('error', reject);
    http.listen(port, host, () => {
      http.off('error', reject);
      const address = http.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}
