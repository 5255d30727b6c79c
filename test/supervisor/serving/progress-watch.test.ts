/** The watch's loop against a real server: what it tells, and when. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { watchProgress } from '../../../src/supervisor/serving/progress-watch.ts';
import { makeSpec } from '../make.ts';

let server: Server | undefined;
afterEach(() => server?.close());

it('says after its first look that nothing is slow: a watch before it may have said otherwise', async () => {
  server = createServer((_, response) =>
    response.end('vllm:num_requests_running{engine="0"} 0\nvllm:iteration_tokens_total_count{engine="0"} 7\n'),
  );
  await new Promise<void>((done) => server?.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  const { health, servedNames } = makeSpec();
  const over = new AbortController();
  const told: (string | undefined)[] = [];
  const watching = watchProgress(
    {
      target: { host: '127.0.0.1', port, servedNames, apiKey: async () => undefined, needsKey: false, health },
      settings: { stallAfterMs: 1000, canaryEveryMs: 0 },
      clock: systemClock,
      random: () => 0,
      pressureFile: '/nowhere',
    },
    { onProgress: () => undefined, onSlow: (reason) => told.push(reason), onStall: () => undefined, onPage: () => undefined },
    over.signal,
  );
  await expect.poll(() => told.length, { timeout: 3000 }).toBeGreaterThan(0);
  await new Promise((done) => setTimeout(done, 600));
  over.abort();
  await watching;
  expect(told).toEqual([undefined]);
});
