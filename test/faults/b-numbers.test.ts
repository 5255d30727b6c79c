/** What an engine says of itself that is not to be believed, and work that is not to be taken for a hang. */
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { waitFor } from '../../src/core/clock.ts';
import { findEvent, openKit, quickHangs } from './kit.ts';

const kit = openKit();
const timeout = 60_000;

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
