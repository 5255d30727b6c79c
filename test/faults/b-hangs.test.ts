/** Engines that hang, and such that only look like it. What is slow must live. */
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { waitFor } from '../../src/core/clock.ts';
import { killQuietly, untilNothingIsLeft } from '../scenarios/sandbox.ts';
import { findEvent, openKit, quick, quickHangs } from './kit.ts';

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

describe('pages of metrics that say nothing', { timeout }, () => {
  it.each(['garbage', 'empty', 'error', 'nan', 'huge', 'drip'])(
    'B7 %s: nothing is concluded, and the next good page is read',
    async (metrics) => {
      const first = await kit.up('', ...quickHangs);
      await kit.setFaults({ metrics });
      await waitFor(3500);
      expect(await kit.complete('Hello')).toBe(200);
      // A page of 50 MB is not read to its end.
      const status = await readFile(`/proc/${first.supervisor?.pid}/status`, 'utf8');
      expect(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024).toBeLessThan(150);
      expect(['ready', 'degraded']).toContain((await kit.status()).state);
      await kit.setFaults({ metrics: false });
      const after = await kit.until(({ state }) => state === 'ready');
      expect(after).toMatchObject({ launchId: first.launchId, restarts: { total: 0 } });
    },
  );

  it('B8 counters that begin again at 0 are a new base line', async () => {
    const first = await kit.up('', ...quickHangs);
    for (let round = 0; round < 4; round += 1) {
      await kit.complete('Hello', { tokens: 20 });
      await kit.setFaults({ resetCounters: true });
      await waitFor(600);
    }
    expect(await kit.status()).toMatchObject({ state: 'ready', launchId: first.launchId, restarts: { total: 0 } });
  });
});

describe('work of other kinds', { timeout }, () => {
  it('B15 one request that never ends beside others that do: no restart', async () => {
    const first = await kit.up('stuckOn=tar-pit', ...quickHangs);
    const asking = new AbortController();
    void kit.complete('into the tar-pit', { signal: asking.signal });
    for (let round = 0; round < 8; round += 1) {
      expect(await kit.complete('Hello')).toBe(200);
      await waitFor(500);
    }
    expect(await kit.status()).toMatchObject({ launchId: first.launchId, restarts: { total: 0 } });
    asking.abort();
  });

  it('B16 put to sleep: no token is asked for, status says so, and it wakes up ready', async () => {
    const first = await kit.up('', ...quickHangs);
    await kit.setFaults({ asleep: true });
    await kit.until(({ state, health }) => state === 'degraded' && health.reason === 'asleep');
    // From here on it could not answer one.
    await kit.setFaults({ hang: true });
    await waitFor(6000);
    expect(await kit.status()).toMatchObject({ state: 'degraded', launchId: first.launchId, restarts: { total: 0 } });
    await kit.setFaults({ hang: false, asleep: false });
    await kit.until(({ state, launchId }) => state === 'ready' && launchId === first.launchId);
  });

  it('B16 paused by /pause with requests waiting: left alone for longer than any hang may last, status says so', async () => {
    const first = await kit.up('suspended=no', ...quickHangs);
    await kit.setFaults({ suspended: 'yes', hang: true });
    const asking = new AbortController();
    void kit.complete('Hello', { signal: asking.signal });
    await kit.until(({ state, health }) => state === 'degraded' && health.reason === 'suspended');
    await waitFor(6000);
    expect(await kit.status()).toMatchObject({ state: 'degraded', launchId: first.launchId, restarts: { total: 0 } });
    expect((await kit.box.cli('events', 'tiny')).stdout).toContain('paused (/pause)');
    await kit.setFaults({ suspended: 'no', hang: false });
    await kit.until(({ state, launchId }) => state === 'ready' && launchId === first.launchId);
    asking.abort();
  });

  it('B16 that answers whether it is paused, and is not: a hang is found all the same', async () => {
    const first = await kit.up('suspended=no', ...quickHangs);
    await kit.setFaults({ hang: true });
    await kit.untilReplaced(first, 40_000);
    expect(findEvent(await kit.events(), 'unhealthy')).toBeDefined();
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
