import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemClock, waitFor } from '../../../src/core/clock.ts';
import type { RunSignal } from '../../../src/supervisor/signal.ts';
import { watchStart } from '../../../src/supervisor/start/watch.ts';
import { makeRecord, makeSpec } from '../make.ts';

let directory: string;
let server: Server;
let health: number;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'qd-start-'));
  health = 503;
  server = createServer((request, reply) => {
    if (request.url === '/health') return reply.writeHead(health).end();
    if (request.url === '/v1/models') return reply.end('{"data":[{"id":"Qwen3-0.6B"}]}');
    return reply.end('{"choices":[{"finish_reason":"length"}]}');
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
});
afterEach(async () => {
  await new Promise((done) => server.close(done));
  await rm(directory, { recursive: true, force: true, maxRetries: 5 });
});

function watch(signal: AbortSignal): { seen: string[]; ended: Promise<void>; logFile: string } {
  const seen: string[] = [];
  const { port } = server.address() as AddressInfo;
  const logFile = join(directory, 'engine.log');
  const push = (told: RunSignal) => seen.push(told.type === 'phase' ? told.phase : told.type);
  const rest = { apiKey: async () => undefined, members: async () => [], secrets: () => [], clock: systemClock };
  const spec = makeSpec({ endpoint: { host: '127.0.0.1', port } });
  const ended = watchStart({ ...rest, spec, record: { ...makeRecord(1), logFile }, push }, signal);
  return { seen, ended, logFile };
}

const config = 'INFO 03-01 01:02:03 [api_server.py:1] vLLM API server version 0.32.0\n';
const weights = 'Loading weights took 0.31 seconds\n';

it('tells the phases of the log, all of them before its own, and then that the gate was passed', async () => {
  const { seen, ended, logFile } = watch(new AbortController().signal);
  await appendFile(logFile, config);
  await expect.poll(() => seen).toContain('configuring');
  // More than one turn of reading is waiting when the engine begins to answer.
  await appendFile(logFile, `${'x'.repeat(99)}\n`.repeat(30_000) + weights);
  health = 200;
  await ended;
  expect(seen).toEqual(['configuring', 'loading', 'verifying', 'gate-passed']);
});

it('ends silently with its signal', async () => {
  const stop = new AbortController();
  const { seen, ended, logFile } = watch(stop.signal);
  await appendFile(logFile, config);
  await expect.poll(() => seen).toEqual(['configuring']);
  stop.abort();
  await ended;
  health = 200;
  await waitFor(150);
  expect(seen).toEqual(['configuring']);
});
