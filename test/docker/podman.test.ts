/** Both of Podman in one file: two of it at once would share the chains of iptables that carry its ports. */
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connectDocker } from '../../src/host/docker/connect.ts';
import type { CreateBody } from '../../src/host/docker/docker.ts';
import { describeRuntime } from '../contract/runtime-contract.ts';
import { eventually, killQuietly } from '../scenarios/sandbox.ts';
import { openDockerStage } from './docker-stage.ts';
import type { TestEngine } from './engine.ts';
import { untilGone } from './h-open.ts';
import { image, openRow, type Row, untilReadyAgain } from './h-rows.ts';
import { importStandIn } from './images.ts';
import { startPodman } from './podman.ts';

describeRuntime('podman', () => openDockerStage(startPodman));

describe('an engine in Podman', () => {
  let engine: TestEngine;
  let row: Row;
  beforeAll(async () => {
    engine = await startPodman();
    await importStandIn(engine, image);
  });
  afterAll(() => engine?.stop());
  beforeEach(async () => {
    row = await openRow(engine);
  });
  afterEach(() => row.box.dispose());

  it('comes up, is started again when it is killed, and goes without a trace', async () => {
    const { box } = row;
    const started = await row.up();
    expect(started.stderr).not.toContain('error:');
    expect(started.code).toBe(0);
    const first = await row.find();
    expect((await box.cli('ask', 'Hello')).code).toBe(0);
    expect((await box.cli('logs')).stdout).toContain('Application startup complete');
    killQuietly(Number(await row.inspect('{{.State.Pid}}', first)));
    expect(await untilReadyAgain(row, first)).toMatchObject({ state: 'ready', backend: 'docker', restarts: { total: 1 } });
    expect((await box.cli('down')).code).toBe(0);
    expect(await row.list()).toEqual([]);
    // The supervisor stays for a moment, for whoever asks next.
    await eventually(box.processes, (left) => left.length === 0);
  });

  it('is taken over by a new supervisor as it is', async () => {
    await row.up();
    const [id, before] = [await row.find(), await row.status()];
    killQuietly(before.supervisor?.pid ?? 0);
    expect((await row.up()).code).toBe(0);
    const after = await row.status();
    expect(after).toMatchObject({ state: 'ready', restarts: { total: 0 } });
    expect(after.supervisor?.pid).not.toBe(before.supervisor?.pid);
    expect(await row.find()).toBe(id);
    expect((await row.events()).map(({ type }) => type)).toContain('adopted');
  });

  it('runs on while the service of Podman does not', async () => {
    await row.up();
    const [id, before] = [await row.find(), await row.status()];
    await engine.halt();
    expect((await row.box.cli('ask', 'Hello')).code).toBe(0);
    await engine.resume();
    expect((await row.box.cli('ask', 'Hello')).code).toBe(0);
    expect(await row.status()).toMatchObject({ state: 'ready', restarts: { total: 0 }, supervisor: { pid: before.supervisor?.pid } });
    expect(await row.find()).toBe(id);
  });

  it('is asked for its images like Docker', async () => {
    const { images } = await connectDocker(engine.env, { timeoutMs: 10_000 });
    const path = join(row.box.home, 'copy.tar');
    await images.tag(image, 'qd-copy:1');
    const { id } = (await images.inspect('qd-copy:1')) ?? {};
    await images.save('qd-copy:1', path, {});
    expect([await images.remove('qd-copy:1'), await images.remove('qd-copy:1')]).toEqual([true, false]);
    expect(await images.load(path, {})).toEqual(['qd-copy:1']);
    expect(await images.list()).toMatchObject([{ id, names: expect.arrayContaining([image, 'qd-copy:1']) }]);
    await expect(images.save('nobody/has-it:1', path, {})).rejects.toMatchObject({ code: 'docker/no-image' });
    await expect(images.load(new URL(import.meta.url).pathname, {})).rejects.toMatchObject({ code: 'docker/bad-archive' });
  });

  it('runs programs inside, and says what it does not take', async () => {
    const docker = await connectDocker(engine.env, { timeoutMs: 10_000 });
    await row.up();
    const id = await row.find();
    expect(await docker.exec(id, ['sh', '-c', 'echo one; exit 3'], 10_000)).toEqual({ code: 3, text: 'one\n' });
    expect([126, 127]).toContain((await docker.exec(id, ['no-such-program'], 10_000))?.code);
    await expect(docker.remove(id)).rejects.toMatchObject({ code: 'docker/refused' });
    const make = async (more: object) => {
      const HostConfig = { LogConfig: { Type: 'local', Config: {} }, ...more };
      const made = await docker.create('bad', { Image: image, Entrypoint: ['sh'], HostConfig } as unknown as CreateBody);
      await docker.start(made).finally(() => docker.remove(made, { force: true }));
    };
    await expect(make({ CpusetCpus: '999' })).rejects.toMatchObject({ code: 'docker/refused' });
    await expect(make({ Memory: 1024 })).rejects.toMatchObject({ code: 'docker/refused' });
    await expect(make({ DeviceRequests: [{ Driver: 'cdi', DeviceIDs: ['nvidia.com/gpu=0'] }] })).rejects.toMatchObject({
      code: 'docker/refused',
      params: { problem: expect.stringContaining('GPU') },
    });
    expect(await row.list()).toEqual([id]);
  });

  it('is left ended when somebody kills it by Podman', async () => {
    await row.up();
    await engine.docker('kill', await row.find());
    expect(await eventually(row.status, ({ state }) => state === 'stopped', 25_000)).toMatchObject({
      lastExit: { cause: 'stopped-by-hand' },
    });
  });

  it('is left ended when somebody stops it by Podman, which is seen while it stops', async () => {
    await row.up();
    const faults = { method: 'POST', body: JSON.stringify({ stopDelay: 3000 }) };
    expect((await fetch(`http://127.0.0.1:${(await row.status()).port}/__fault`, faults)).status).toBe(200);
    await engine.docker('stop', await row.find());
    expect(await eventually(row.status, ({ state }) => state === 'stopped', 25_000)).toMatchObject({
      restarts: { total: 0 },
      lastExit: { cause: 'stopped-by-hand' },
    });
  });

  it('is left ended when it was killed while no supervisor was there', async () => {
    await row.up();
    const { pid = 0 } = (await row.status()).supervisor ?? {};
    killQuietly(pid);
    await untilGone(pid);
    await engine.docker('kill', await row.find());
    const next = row.box.start('supervise', 'boxed');
    const held = await eventually(row.status, ({ state }) => state === 'stopped', 25_000);
    expect(held).toMatchObject({ desired: 'down', lastExit: { cause: 'stopped-by-hand' } });
    expect((await next.result).code).toBe(0);
    expect(await row.list()).toEqual([]);
  });
});
