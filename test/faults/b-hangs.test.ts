/** Engines that hang, and such that only look like it. What is slow must live. */
import { connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { waitFor } from '../../src/core/clock.ts';
import { killQuietly, untilNothingIsLeft } from '../scenarios/sandbox.ts';
import { openKit, quick, quickHangs } from './kit.ts';

const kit = openKit();
const timeout = 60_000;
/** A hang takes a while to be one, and /health is asked often. */
const patient = [...quick, 'health.stall-after=6s', 'health.canary-interval=1s', 'health.timeout=500ms', 'health.interval=300ms'];

async function signalAll(signal: NodeJS.Signals): Promise<void> {
  const { pid = 0 } = await kit.status();
  for (const one of [pid, ...(await kit.find('VLLM::')).map((seen) => seen.pid)]) killQuietly(one, signal);
}

describe('an API server that stands still and goes on', { timeout }, () => {
  it('B3 is degraded meanwhile, and not restarted', async () => {
    const first = await kit.up('', ...patient);
    killQuietly(first.pid ?? 0, 'SIGSTOP');
    const stoppedAt = performance.now();
    await kit.until(({ state }) => state === 'degraded');
    // Three quarters of what a hang may last, as 90 s are of two minutes.
    await waitFor(Math.max(0, 4500 - (performance.now() - stoppedAt)));
    expect((await kit.status()).state).toBe('degraded');
    killQuietly(first.pid ?? 0, 'SIGCONT');
    const after = await kit.until(({ state }) => state === 'ready');
    expect(after).toMatchObject({ launchId: first.launchId, restarts: { total: 0 } });
  });

  it('B14 with its queue of connections full: saturation, not death', async () => {
    const first = await kit.up('', ...patient);
    killQuietly(first.pid ?? 0, 'SIGSTOP');
    const crowd = Array.from({ length: 700 }, () => connect({ host: '127.0.0.1', port: kit.port }).on('error', () => undefined));
    await kit.until(({ state }) => state === 'degraded');
    // Full is a queue that lets nobody in any more; some of the crowd wait for it.
    expect(crowd.filter(({ connecting }) => connecting).length).toBeGreaterThan(0);
    killQuietly(first.pid ?? 0, 'SIGCONT');
    const after = await kit.until(({ state }) => state === 'ready');
    leave(crowd);
    expect(after).toMatchObject({ launchId: first.launchId, restarts: { total: 0 } });
  });
});

function leave(crowd: readonly Socket[]): void {
  for (const socket of crowd) socket.destroy();
}

describe('an engine that is paused by hand', { timeout }, () => {
  it('B11 is said to be, left alone for longer than any hang may last, and ready when it goes on', async () => {
    const first = await kit.up('', ...quickHangs, 'health.interval=300ms', 'health.timeout=300ms');
    await signalAll('SIGSTOP');
    await kit.until(({ state, health }) => state === 'degraded' && health.reason === 'paused');
    expect((await kit.box.cli('events', 'tiny')).stdout).toContain('stopped by somebody');
    await waitFor(6000);
    const still = { state: 'degraded', launchId: first.launchId, restarts: { total: 0 }, health: { ready: false, reason: 'paused' } };
    expect(await kit.status()).toMatchObject(still);
    await signalAll('SIGCONT');
    const after = await kit.until(({ state }) => state === 'ready');
    expect(after).toMatchObject({ launchId: first.launchId, restarts: { total: 0 } });
  });

  it('B11 can be stopped all the same', async () => {
    await kit.up('', ...quickHangs);
    await signalAll('SIGSTOP');
    await kit.until(({ state }) => state === 'degraded');
    expect((await kit.box.cli('down')).code).toBe(0);
    await untilNothingIsLeft(kit.box);
  });
});

describe('a SIGTERM', { timeout }, () => {
  it.each([
    ['B9 that takes a minute is cut short at the grace', 'stopDelay=60s'],
    ['B10 that is ignored ends all the same', 'ignoreSigterm'],
  ])('%s', async (_, faults) => {
    await kit.up(faults, 'stop.drain=1s');
    const startedAt = performance.now();
    expect((await kit.box.cli('down', '--grace', '2s')).code).toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(15_000);
    expect((await kit.events()).map(({ type }) => type)).toContain('killing');
    await untilNothingIsLeft(kit.box);
  });
});
