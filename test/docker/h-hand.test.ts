/** Rows of the fault matrix in which somebody's hand, or the kernel, is at our container. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readProcess } from '../../src/host/proc.ts';
import { eventually, killQuietly } from '../scenarios/sandbox.ts';
import type { TestEngine } from './engine.ts';
import { image, openEngine, openRow, type Row, untilReadyAgain } from './h-rows.ts';

let engine: TestEngine;
let row: Row;

beforeAll(async () => {
  engine = await openEngine();
});
afterAll(() => engine?.stop());
beforeEach(async ({ task }) => {
  const own = task.name.startsWith('H18') ? await makeHealthy() : undefined;
  row = await openRow(engine, own);
  const started = await row.up();
  expect(started.stderr).not.toContain('error:');
  expect(started.code).toBe(0);
});
afterEach(() => row.box.dispose());

/** An image whose own check finds its containers healthy whatever they do. */
async function makeHealthy(): Promise<string> {
  const made = (await engine.docker('create', image)).trim();
  const name = 'qwen-deploy-healthy:v0.32.0';
  await engine.docker('commit', '--change', 'HEALTHCHECK --interval=1s CMD ["/bin/sh","-c","exit 0"]', made, name);
  await engine.docker('rm', made);
  return name;
}

const readText = async () => (await row.box.cli('events')).stdout;

describe('a container that somebody handles', () => {
  it('H5: is started again when it is removed, and who did it is said', async () => {
    const id = await row.find();
    await engine.docker('rm', '-f', id);
    expect(await untilReadyAgain(row, id)).toMatchObject({ restarts: { total: 1 }, lastExit: { cause: 'removed-by-hand' } });
    expect(await readText()).toContain('its container was removed by somebody (docker rm)');
  });

  it.each([
    ['docker stop', ['stop']],
    ['docker kill', ['kill']],
  ])('H6: stays down after %s until somebody asks for it', async (_, words) => {
    await engine.docker(...words, await row.find());
    const held = await eventually(row.status, ({ state }) => state === 'stopped');
    expect(held).toMatchObject({ desired: 'down', restarts: { total: 0 }, lastExit: { cause: 'stopped-by-hand' } });
    expect(await row.list()).toEqual([]);
    expect(await readText()).toContain('its container was stopped by somebody (docker stop, docker kill)');
    expect((await row.box.cli('restart')).code).toBe(0);
    expect(await row.status()).toMatchObject({ state: 'ready', desired: 'up' });
  });

  it('H7: is followed when it is restarted: the same container, nothing counted, the log goes on', async () => {
    const id = await row.find();
    const before = await row.status();
    await engine.docker('restart', id);
    await eventually(row.events, (events) => events.filter(({ type }) => type === 'ready').length === 2, 25_000);
    const after = await row.status();
    expect(after).toMatchObject({ state: 'ready', launchId: before.launchId, run: before.run, restarts: { total: 0 } });
    expect(after.lastExit?.cause).toBe('restarted-by-hand');
    expect(after.pid).toBe(Number(await row.inspect('{{.State.Pid}}', id)));
    expect(await row.find()).toBe(id);
    const starts = async () => (await row.box.cli('logs', '--tail', '1000')).stdout.split('Application startup complete').length - 1;
    await eventually(starts, (count) => count === 2);
    // It is watched as before: an end of its own is seen, and counted.
    killQuietly(after.pid ?? 0);
    expect(await untilReadyAgain(row, id)).toMatchObject({ restarts: { total: 1 } });
  });

  it('pause: is left alone while it is paused, which is said, and serves on afterwards', async () => {
    const id = await row.find();
    await engine.docker('pause', id);
    await eventually(readText, (text) => text.includes('paused by somebody (docker pause)'));
    await engine.docker('unpause', id);
    await eventually(readText, (text) => text.includes('goes on (docker unpause)'));
    await eventually(row.status, ({ state }) => state === 'ready', 30_000);
    expect(await row.status()).toMatchObject({ restarts: { total: 0 } });
    expect(await row.find()).toBe(id);
  });

  it('H17: has its restart policy taken back, and that is said', async () => {
    const id = await row.find();
    await engine.docker('update', '--restart', 'always', id);
    await eventually(
      () => row.inspect('{{.HostConfig.RestartPolicy.Name}}', id),
      (name) => name === 'no',
    );
    await eventually(readText, (text) => text.includes('the restart policy of its container to always'));
    expect(await row.status()).toMatchObject({ state: 'ready', restarts: { total: 0 } });
  });

  it('H4: is known to be gone within 10 s of its shim being killed, whatever the engine says', async () => {
    const id = await row.find();
    const init = await readProcess(Number(await row.inspect('{{.State.Pid}}', id)));
    const begun = Date.now();
    killQuietly(init?.ppid ?? 0);
    killQuietly(init?.pid ?? 0);
    expect(await untilReadyAgain(row, id)).toMatchObject({ restarts: { total: 1 } });
    const exited = (await row.events()).find(({ type }) => type === 'exited');
    expect(Date.parse(exited?.at ?? '') - begun).toBeLessThan(10_000);
  });

  it('H18: that its image calls healthy is not, where it does not answer us', async () => {
    const id = await row.find();
    const { port } = await row.status();
    await fetch(`http://127.0.0.1:${port}/__fault`, { method: 'POST', body: JSON.stringify({ healthStatus: 503 }) });
    const ours = await eventually(row.status, ({ state }) => state === 'degraded', 30_000);
    expect(ours.health.ready).toBe(false);
    expect(await row.inspect('{{.State.Health.Status}}', id)).toBe('healthy');
  });
});
