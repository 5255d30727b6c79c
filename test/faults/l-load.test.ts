/** Load, as far as the engine's own numbers show it: nothing of ours stands between clients and engine yet. */
import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { waitFor } from '../../src/core/clock.ts';
import { isServing } from '../../src/supervisor/deployment.ts';
import { eventually, killQuietly } from '../scenarios/sandbox.ts';
import { openKit, quick } from './kit.ts';

const kit = openKit();
const timeout = 60_000;

describe('load', { timeout }, () => {
  it('L1 ten times as much as it takes at once: no restart, all are answered', async () => {
    const before = await kit.up('', 'vllm.max-num-seqs=8', 'health.interval=300ms');
    const statuses = await Promise.all(Array.from({ length: 80 }, () => kit.complete('Hello', { tokens: 20 })));
    expect(statuses).toEqual(statuses.map(() => 200));
    expect(await kit.status()).toMatchObject({ state: 'ready', launchId: before.launchId, restarts: { total: 0 } });
  });

  it('L2 a restart with 200 waiting, who all come back at once: no second crash, all are answered', async () => {
    const first = await kit.up('', 'vllm.max-num-seqs=8', 'health.interval=300ms', ...quick);
    const clients = Array.from({ length: 200 }, async () => {
      for (;;) {
        if ((await kit.complete('Hello', { tokens: 4 })) === 200) return;
        await waitFor(100);
      }
    });
    await eventually(kit.status, ({ load }) => (load?.waiting ?? 0) > 0);
    const [core] = await kit.find('VLLM::EngineCore');
    killQuietly(core?.pid ?? 0);
    await kit.untilReplaced(first);
    await Promise.all(clients);
    expect(await kit.status()).toMatchObject({ restarts: { total: 1 } });
  });

  it('L3 a request that kills the engine, sent whenever it serves: the limit on restarts holds', async () => {
    await kit.up('crashOn=poison', 'restart.first-delay=50ms', 'restart.max-failures=3');
    for (let run = 1; run <= 3; run += 1) {
      await kit.until((now) => now.state === 'ready' && now.run === run);
      await kit.complete('poison');
      await kit.until((now) => now.state !== 'ready');
    }
    const seen = await kit.until(({ state }) => state === 'crashloop');
    expect(seen).toMatchObject({ restarts: { sinceStable: 3 }, lastExit: { cause: 'exit' } });
    const launches = (await kit.events()).filter(({ type }) => type === 'launching').length;
    expect(launches).toBe(3);
    // The next try is half an hour away.
    await waitFor(2000);
    expect(await kit.status()).toMatchObject({ state: 'crashloop', restarts: { sinceStable: 3 } });
  });

  it('L5 clients that leave in the middle of a stream: nothing runs or waits any more', async () => {
    const before = await kit.up('', ...quick);
    const calls = Array.from({ length: 6 }, () => stream());
    await eventually(
      () => kit.status(),
      ({ load }) => load?.running === 6,
    );
    for (const call of calls) call.destroy();
    const after = await eventually(
      () => kit.status(),
      ({ load }) => load?.running === 0 && load.waiting === 0,
    );
    expect(after).toMatchObject({ launchId: before.launchId, restarts: { total: 0 } });
    expect(isServing(after.state)).toBe(true);
    expect(await (await fetch(`http://127.0.0.1:${kit.port}/load`)).json()).toMatchObject({ server_load: 0 });
  });
});

/** One that goes on for as long as somebody reads it. */
function stream() {
  const call = request({
    host: '127.0.0.1',
    port: kit.port,
    path: '/v1/completions',
    method: 'POST',
    headers: { 'content-type': 'application/json' },
  });
  call.on('response', (reply) => reply.resume());
  call.on('error', () => undefined);
  call.end(JSON.stringify({ model: 'Qwen3-0.6B', prompt: 'Hello', max_tokens: 4000, ignore_eos: true, stream: true }));
  return call;
}
