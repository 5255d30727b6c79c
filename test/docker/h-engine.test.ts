/** Rows of the fault matrix in which the Docker engine itself goes away, comes back, or hangs. */
import { afterEach, describe, expect, it } from 'vitest';
import { waitFor } from '../../src/core/clock.ts';
import { eventually } from '../scenarios/sandbox.ts';
import type { TestEngine } from './engine.ts';
import { openEngine, openRow, type Row, untilReadyAgain } from './h-rows.ts';

let engine: TestEngine | undefined;
let row: Row | undefined;

afterEach(async () => {
  await row?.box.dispose();
  await engine?.stop();
});

async function open(options: readonly string[] = []): Promise<{ readonly engine: TestEngine; readonly row: Row }> {
  engine = await openEngine(options);
  row = await openRow(engine);
  expect((await row.up()).code).toBe(0);
  return { engine, row };
}

const readNumbers = async ({ box }: Row) =>
  [...(await box.cli('logs', '--tail', '5000')).stdout.matchAll(/ flood (\d+) /g)].map((match) => Number(match[1]));

describe('a Docker engine', () => {
  it('H1: that stops takes the engine with it; nobody knows more until it is back, and then there is one start', async () => {
    const { engine, row } = await open();
    const id = await row.find();
    await engine.halt();
    const away = await eventually(row.status, ({ state }) => state === 'unknown', 20_000);
    expect(away).toMatchObject({ desired: 'up', restarts: { total: 0 } });
    await engine.resume();
    expect(await untilReadyAgain(row, id)).toMatchObject({ restarts: { total: 1 } });
    expect((await row.events()).filter(({ type }) => type === 'launched')).toHaveLength(2);
  });

  it('H2: that restarts with live-restore leaves the engine as it is, and its log goes on', async () => {
    const { engine, row } = await open(['--live-restore']);
    const id = await row.find();
    const before = await row.status();
    await fetch(`http://127.0.0.1:${before.port}/__fault`, { method: 'POST', body: JSON.stringify({ flood: 20 }) });
    await engine.halt();
    await waitFor(3000);
    await engine.resume();
    await eventually(row.status, ({ state }) => state === 'ready', 30_000);
    expect(await row.status()).toMatchObject({ state: 'ready', pid: before.pid, launchId: before.launchId, restarts: { total: 0 } });
    expect(await row.find()).toBe(id);
    expect(await row.inspect('{{.State.Pid}}', id)).toBe(String(before.pid));
    expect((await row.box.cli('ask', 'Hello')).code).toBe(0);
    // What it said meanwhile and what it says from now on arrives, once and in order.
    const numbers = await eventually(
      () => readNumbers(row),
      (seen) => seen.length > 300,
    );
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
  });

  it('H3: that hangs is waited for: the engine serves and is watched, nothing is restarted, status answers at once', async () => {
    const { engine, row } = await open();
    const pid = await engine.readPid();
    process.kill(pid, 'SIGSTOP');
    try {
      await eventually(
        async () => (await row.box.cli('events')).stdout,
        (text) => text.includes('Docker does not answer'),
        30_000,
      );
      const begun = performance.now();
      expect(await row.status()).toMatchObject({ state: 'ready', health: { ready: true }, restarts: { total: 0 } });
      expect(performance.now() - begun).toBeLessThan(2000);
      expect((await row.box.cli('ask', 'Hello')).code).toBe(0);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await eventually(
      async () => (await row.box.cli('events')).stdout,
      (text) => text.includes('Docker answers again'),
      30_000,
    );
    expect(await row.status()).toMatchObject({ state: 'ready', restarts: { total: 0 } });
  });
});
