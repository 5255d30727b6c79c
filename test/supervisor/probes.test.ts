import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { waitFor } from '../../src/core/clock.ts';
import { type GateReports, type ProbeTarget, waitUntilServing, watchHealth } from '../../src/supervisor/probes.ts';
import { makeSpec } from './make.ts';

type Answer = (request: IncomingMessage, reply: ServerResponse) => void;

const json =
  (body: object, status = 200): Answer =>
  (_, reply) =>
    void reply.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
const never: Answer = () => undefined;
const good: Readonly<Record<string, Answer>> = {
  '/health': (_, reply) => void reply.end(),
  '/v1/models': json({ data: [{ id: 'Qwen3-0.6B' }] }),
  '/v1/completions': json({ choices: [{ text: 'a', finish_reason: 'length' }] }),
  '/v1/chat/completions': json({ choices: [{ message: { content: 'a' }, finish_reason: 'length' }] }),
};

let server: Server;
let port: number;
let asked: string[];
let answers: Record<string, Answer>;
const ended = () => new AbortController();

beforeEach(async () => {
  asked = [];
  answers = { ...good };
  server = createServer((request, reply) => {
    asked.push(request.url ?? '');
    answers[request.url ?? '']?.(request, reply);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  port = (server.address() as AddressInfo).port;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
});

function target(changes: Partial<ProbeTarget['health']> = {}, more: Partial<ProbeTarget> = {}): ProbeTarget {
  const health = { ...makeSpec().health, gateTimeoutMs: 250, firstTokenTimeoutMs: 200, timeoutMs: 200, intervalMs: 20, ...changes };
  return { host: '127.0.0.1', port, servedNames: ['Qwen3-0.6B'], apiKey: async () => undefined, needsKey: false, health, ...more };
}

function reports(): { seen: string[]; to: GateReports } {
  const seen: string[] = [];
  return { seen, to: { onAnswering: () => seen.push('answering'), onWaiting: (check, detail) => seen.push(`${check}: ${detail}`) } };
}

describe('the readiness gate', () => {
  it('asks for health, the name, a completion and a chat, in this order', async () => {
    const { seen, to } = reports();
    const outcome = await waitUntilServing(target(), to, ended().signal);
    expect(outcome).toMatchObject({ is: 'passed', firstTokenMs: expect.any(Number) });
    expect(asked).toEqual(['/health', '/v1/models', '/v1/completions', '/v1/chat/completions']);
    expect(seen).toEqual(['answering']);
  });

  it('asks for no chat where none is served', async () => {
    await waitUntilServing(target({ chat: false }), reports().to, ended().signal);
    expect(asked).not.toContain('/v1/chat/completions');
  });

  it('waits for /health however long it is refused or bad', async () => {
    let tries = 0;
    answers['/health'] = (_, reply) => {
      tries += 1;
      reply.writeHead(tries < 3 ? 503 : 200).end();
    };
    expect((await waitUntilServing(target(), reports().to, ended().signal)).is).toBe('passed');
    expect(tries).toBe(3);
  });

  it.each<[string, string, Answer, string]>([
    ['another served name', '/v1/models', json({ data: [{ id: 'other' }] }), 'models'],
    ['a completion that fails', '/v1/completions', json({ error: { message: 'no' } }, 500), 'completion'],
    ['a completion that does not end', '/v1/completions', never, 'completion'],
    ['a chat without a template', '/v1/chat/completions', json({ error: { message: 'no template' } }, 400), 'chat'],
    ['an answer that is no JSON', '/v1/models', (_, reply) => void reply.end('<html>'), 'models'],
    ['a connection that is dropped', '/v1/completions', (request) => void request.socket.destroy(), 'completion'],
  ])('does not pass with %s', async (_, path, answer, check) => {
    answers[path] = answer;
    const { seen, to } = reports();
    const outcome = await waitUntilServing(target(), to, ended().signal);
    expect(outcome).toMatchObject({ is: 'timed-out', check });
    expect(seen.slice(1).every((line) => line.startsWith(check))).toBe(true);
  });

  it('forgives a first inference that fails', async () => {
    let tries = 0;
    const fail = json({ error: 'warming' }, 500);
    answers['/v1/completions'] = (request, reply) => {
      tries += 1;
      (tries === 1 ? fail : (good['/v1/completions'] ?? fail))(request, reply);
    };
    const { seen, to } = reports();
    expect((await waitUntilServing(target({ gateTimeoutMs: 2000 }), to, ended().signal)).is).toBe('passed');
    expect(seen).toEqual(['answering', 'completion: HTTP 500: warming']);
  });

  it('sends the key it is given', async () => {
    const keys = new Set<string | undefined>();
    for (const path of ['/v1/models', '/v1/completions', '/v1/chat/completions']) {
      answers[path] = (request, reply) => {
        keys.add(request.headers.authorization);
        good[path]?.(request, reply);
      };
    }
    await waitUntilServing(target({}, { apiKey: async () => 'k', needsKey: true }), reports().to, ended().signal);
    expect([...keys]).toEqual(['Bearer k']);
  });

  it('takes 401 for no proof against an engine whose key we have lost, but for one where no key was set', async () => {
    const refuse = json({ error: 'Unauthorized' }, 401);
    answers = { ...answers, '/v1/models': refuse, '/v1/completions': refuse, '/v1/chat/completions': refuse };
    expect((await waitUntilServing(target({}, { needsKey: true }), reports().to, ended().signal)).is).toBe('passed');
    expect((await waitUntilServing(target(), reports().to, ended().signal)).is).toBe('timed-out');
  });

  it.each(['/health', '/v1/models', '/v1/completions', '/v1/chat/completions'])('that is given up at %s leaves nothing', async (path) => {
    answers[path] = never;
    const before = countTimers();
    const giveUp = ended();
    const waiting = waitUntilServing(target({ firstTokenTimeoutMs: 60_000, gateTimeoutMs: 60_000 }), reports().to, giveUp.signal);
    await expect.poll(() => asked).toContain(path);
    giveUp.abort();
    expect(await waiting).toEqual({ is: 'cancelled' });
    await expect.poll(() => open(server)).toBe(0);
    expect(countTimers()).toBeLessThanOrEqual(before);
  });
});

describe('health of a ready engine', () => {
  async function watch(count: number): Promise<unknown[]> {
    const stop = ended();
    const seen: unknown[] = [];
    await watchHealth(
      target(),
      (ok, reason) => {
        seen.push(ok ? 'ok' : reason);
        if (seen.length === count) stop.abort();
      },
      stop.signal,
    );
    return seen;
  }

  it('is asked again and again, and ends with its signal', async () => {
    let tries = 0;
    answers['/health'] = (_, reply) => {
      tries += 1;
      reply.writeHead(tries === 2 ? 503 : 200).end();
    };
    expect(await watch(3)).toEqual(['ok', 'HTTP 503', 'ok']);
    await waitFor(60);
    expect(tries).toBe(3);
  });

  it('counts a probe that is not answered in time', async () => {
    answers['/health'] = never;
    expect(await watch(1)).toEqual(['ETIMEDOUT']);
  });

  it('E5 does not count a probe during which we stood still ourselves', async () => {
    let tries = 0;
    answers['/health'] = (_, reply) => {
      tries += 1;
      if (tries === 1) standStill(1400);
      reply.end();
    };
    expect(await watch(1)).toEqual(['ok']);
    expect(tries).toBe(2);
  });
});

/** What a starved machine does to this process. */
function standStill(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

function countTimers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
}

function open(of: Server): Promise<number> {
  return new Promise((resolve, reject) => of.getConnections((error, count) => (error ? reject(error) : resolve(count))));
}
