/** Rows of the fault matrix in which nobody of ours, or nobody of Docker's, was there for a while. */
import { describe, expect, it } from 'vitest';
import { waitFor } from '../../src/core/clock.ts';
import { isDead, readProcess } from '../../src/host/proc.ts';
import { eventually, isPortOpen, killQuietly } from '../scenarios/sandbox.ts';
import { type Opened, openReady, readStory, untilGone } from './h-open.ts';
import { untilReadyAgain } from './h-rows.ts';

async function stopUnseen({ engine, row, id }: Opened): Promise<void> {
  const { pid = 0 } = (await row.status()).supervisor ?? {};
  killQuietly(pid);
  await untilGone(pid);
  await engine.docker('stop', id);
}

describe('a container that was stopped while no supervisor was there', () => {
  it('H6: is not started again by the next one, which says why; whoever asks for it has it', async () => {
    const opened = await openReady();
    const { row } = opened;
    await stopUnseen(opened);
    const next = row.box.start('supervise', 'boxed');
    const held = await eventually(row.status, ({ state }) => state === 'stopped', 20_000);
    expect(held).toMatchObject({ desired: 'down', restarts: { total: 0 }, lastExit: { cause: 'stopped-by-hand' } });
    expect((await next.result).code).toBe(0);
    expect(await row.list()).toEqual([]);
    expect(await readStory(row)).toContain('its container was stopped by somebody (docker stop, docker kill)');
    expect((await row.up()).code).toBe(0);
    expect(await row.status()).toMatchObject({ state: 'ready', desired: 'up' });
  });

  it('H6: is started again where the engine was restarted meanwhile, and nobody can tell who it was', async () => {
    const opened = await openReady();
    const { engine, row, id } = opened;
    await stopUnseen(opened);
    await engine.halt();
    // What holds the engine has to see its end before it is told to begin it again.
    await waitFor(1000);
    await engine.resume();
    row.box.start('supervise', 'boxed');
    expect(await untilReadyAgain(row, id)).toMatchObject({ desired: 'up', restarts: { total: 1 } });
  });
});

describe('live-restore', () => {
  it('H2: while Docker is away its proxy is too: a port that does not answer ends nothing', async () => {
    const settings = ['health.interval=200ms', 'health.stall-after=1s', 'health.canary-interval=1s'];
    const { engine, row, id } = await openReady({ engine: ['--live-restore'], settings });
    const before = await row.status();
    await engine.halt();
    // Docker's own proxy ends with it; the engine lives, and nobody reaches it.
    await eventually(
      () => isPortOpen(before.port),
      (isOpen) => !isOpen,
    );
    await eventually(row.status, ({ health }) => !health.ready);
    // Several times what any verdict takes with these settings.
    await waitFor(10_000);
    expect(['degraded', 'unknown']).toContain((await row.status()).state);
    expect(isDead(await readProcess(before.pid ?? 0))).toBe(false);
    await engine.resume();
    const after = await eventually(row.status, ({ state }) => state === 'ready', 30_000);
    expect(after).toMatchObject({ pid: before.pid, launchId: before.launchId, restarts: { total: 0 } });
    expect(await row.find()).toBe(id);
    expect((await row.box.cli('ask', 'Hello')).code).toBe(0);
  });
});
