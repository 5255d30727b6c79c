import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectDocker } from '../../src/host/docker/connect.ts';
import type { ContainerEvent, CreateBody, Docker, HostConfig, LogLine } from '../../src/host/docker/docker.ts';
import { importImage, startEngine, type TestEngine } from './engine.ts';

const image = 'qwen-deploy:door';
let engine: TestEngine | undefined;
let connected: Docker | undefined;
let home = '';

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'qd-door-'));
  engine = await startEngine();
  await importImage(engine, image);
  connected = await connectDocker(engine.env, { timeoutMs: 10_000 });
});
afterAll(async () => {
  await engine?.stop();
  await rm(home, { recursive: true, force: true });
});

function toDocker(): Docker {
  if (connected === undefined) throw new Error('the engine did not start');
  return connected;
}

const host: HostConfig = {
  Init: false,
  RestartPolicy: { Name: 'no' },
  AutoRemove: false,
  NetworkMode: 'none',
  Mounts: [],
  LogConfig: { Type: 'json-file', Config: {} },
};

function toBody(script: string, more: Partial<HostConfig> = {}): CreateBody {
  const labels = { 'qd.test': 'door' };
  return { Image: image, Entrypoint: ['/bin/node', '-e'], Cmd: [script], Env: ['A=b'], Labels: labels, HostConfig: { ...host, ...more } };
}

async function collect<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

it('knows the engine', () => {
  expect(toDocker()).toMatchObject({ apiVersion: '1.41', isLocal: true, address: engine?.socket });
});

it('makes, starts, follows, ends and removes a container', async () => {
  const docker = toDocker();
  const script = `console.log('one'); console.error('two'); console.log('x'.repeat(40000)); setInterval(() => {}, 1000)`;
  const since = Date.now() / 1000 - 1;
  const id = await docker.create('one', toBody(script));
  expect(await docker.inspect('one')).toMatchObject({ id, name: 'one', state: 'created', pid: 0, labels: { 'qd.test': 'door' } });
  await docker.start(id);
  await docker.start(id);
  const running = await docker.inspect(id);
  expect(running).toMatchObject({ state: 'running', restartPolicy: 'no', oomKilled: false });
  expect(running?.pid).toBeGreaterThan(0);
  expect(await docker.list(['qd.test=door'])).toMatchObject([{ id, names: ['one'], state: 'running' }]);
  expect(await docker.list(['qd.test=other'])).toEqual([]);
  const lines: LogLine[] = [];
  for await (const line of docker.logs(id, { follow: true })) {
    lines.push(line);
    if (lines.length === 3) await docker.signal(id, 'SIGKILL');
  }
  expect(lines.filter(({ stream }) => stream === 'stdout').map(({ text }) => text)).toEqual(['one', 'x'.repeat(40_000)]);
  expect(lines.find(({ stream }) => stream === 'stderr')?.text).toBe('two');
  const last = lines.at(-1)?.at ?? '';
  expect((await collect(docker.logs(id, { since: last }))).map(({ at }) => at)).toEqual([last]);
  const times = lines.map(({ at }) => at).toSorted();
  const until = times[1] ?? '';
  expect((await collect(docker.logs(id, { until }))).map(({ at }) => at).toSorted()).toEqual(times.filter((at) => at <= until));
  expect(await collect(docker.logs(id, { since: until, until: last, tail: 1 }))).toHaveLength(1);
  const over = new AbortController();
  const events: ContainerEvent[] = [];
  for await (const event of docker.events({ container: id, since, signal: over.signal })) {
    events.push(event);
    if (event.action === 'die') over.abort();
  }
  expect(events.map(({ action }) => action)).toEqual(['create', 'start', 'kill', 'die']);
  expect(events.at(-1)).toMatchObject({ id, exitCode: 137 });
  const ended = await docker.inspect(id);
  expect(ended).toMatchObject({ state: 'exited', exitCode: 137, pid: 0, finishedAt: expect.stringMatching(/^20/) });
  expect(await docker.signal(id, 'SIGTERM')).toBe(false);
  await docker.forbidRestart(id);
  await expect(docker.create('one', toBody(''))).rejects.toMatchObject({ code: 'docker/name-taken', params: { name: 'one', id } });
  expect(await docker.remove(id)).toBe(true);
  expect(await docker.remove(id)).toBe(false);
  expect(await docker.inspect(id)).toBeUndefined();
  expect(await docker.signal(id, 'SIGTERM')).toBe(false);
  await expect(docker.start(id)).rejects.toMatchObject({ code: 'docker/no-container' });
});

it('reads what a terminal shows, long lines too', async () => {
  const docker = toDocker();
  const script = `console.log('short'); console.log('y'.repeat(40000))`;
  const body = { ...toBody(script), Tty: true };
  const id = await docker.create('tty', body);
  await docker.start(id);
  const lines = await collect(docker.logs(id, { follow: true }));
  expect(lines.map(({ text }) => text)).toEqual(['short', 'y'.repeat(40_000)]);
  await docker.remove(id, { force: true });
});

it('passes on what the engine does not take', async () => {
  const docker = toDocker();
  const make = async (more: Partial<HostConfig>, from = image) => {
    const id = await docker.create('bad', { ...toBody('', more), Image: from });
    await docker.start(id).finally(() => docker.remove(id, { force: true }));
  };
  await expect(make({ CpusetCpus: '999' })).rejects.toMatchObject({ code: 'docker/refused' });
  await expect(make({ Memory: 1024 })).rejects.toMatchObject({
    code: 'docker/refused',
    params: { problem: expect.stringMatching(/memory/i) },
  });
  await expect(make({}, 'nobody/has-it:1')).rejects.toMatchObject({ code: 'docker/no-image', params: { image: 'nobody/has-it:1' } });
  const gpu = { DeviceRequests: [{ Driver: 'nvidia', Count: -1, Capabilities: [['gpu']] }] } as const;
  await expect(make(gpu)).rejects.toMatchObject({ code: 'docker/gpu-runtime' });
});

it('saves, removes and loads an image', async () => {
  const { images } = toDocker();
  await images.tag(image, 'qd-copy:1');
  const before = await images.inspect('qd-copy:1');
  expect(before).toMatchObject({ architecture: expect.stringMatching(/^(amd64|arm64)$/), digests: [] });
  const path = join(home, 'copy.tar');
  const told: number[] = [];
  await images.save('qd-copy:1', path, { onProgress: ({ doneBytes }) => void told.push(doneBytes) });
  expect(told.at(-1)).toBeGreaterThan(1e6);
  expect(await images.remove('qd-copy:1')).toBe(true);
  expect(await images.remove('qd-copy:1')).toBe(false);
  expect(await images.load(path, {})).toEqual(['qd-copy:1']);
  expect((await images.inspect('qd-copy:1'))?.id).toBe(before?.id);
  expect((await images.list()).map(({ id }) => id)).toEqual([before?.id]);
  await expect(images.save('nobody/has-it:1', path, {})).rejects.toMatchObject({ code: 'docker/no-image' });
  await expect(images.load(new URL(import.meta.url).pathname, {})).rejects.toMatchObject({ code: 'docker/bad-archive', exitStatus: 2 });
});
