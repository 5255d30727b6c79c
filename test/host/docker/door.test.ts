import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished, test } from 'vitest';
import { connectDocker } from '../../../src/host/docker/connect.ts';
import type { CreateBody, TransferProgress } from '../../../src/host/docker/docker.ts';
import {
  cutReply,
  type FakeAnswer,
  type FakeOptions,
  neverAnswer,
  sendChunks,
  sendJson,
  startFakeApi,
  toFrame,
} from '../../docker/fake-api.ts';

const id = 'a'.repeat(64);
const at = '2026-01-02T03:04:05.000000001Z';
const body = { Image: 'qwen:1' } as CreateBody;
const image = { Id: 'sha256:1', Architecture: 'amd64', RepoTags: ['qwen:1'], Config: {} };
/** For those that never answer; where an answer comes, a slow machine is no failure. */
const quickMs = 400;
const patientMs = 10_000;

interface Connecting extends FakeOptions {
  readonly waitMs?: number;
}

async function connect(answers: Readonly<Record<string, FakeAnswer>>, { waitMs = patientMs, ...options }: Connecting = {}) {
  const api = await startFakeApi(answers, options);
  onTestFinished(() => api.stop());
  const limits = { actMs: waitMs, silenceMs: waitMs, archiveMs: waitMs, againMs: 1 };
  return { api, docker: await connectDocker(api.env, { timeoutMs: waitMs, limits }) };
}

async function collect<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

test.each([
  ['1.41', '1.12', '1.41'],
  ['1.99', '1.24', '1.51'],
  ['1.99', '1.60', '1.60'],
])('speaks with an engine of %s to %s', async (apiVersion, minApiVersion, spoken) => {
  expect((await connect({}, { apiVersion, minApiVersion })).docker.apiVersion).toBe(spoken);
});

it('says why there is no engine to speak with', async () => {
  await expect(connect({}, { apiVersion: '1.40' })).rejects.toMatchObject({ code: 'docker/api-too-old', exitStatus: 4 });
  await expect(connect({ 'GET /version': neverAnswer }, { waitMs: quickMs })).rejects.toMatchObject({
    code: 'docker/silent',
    params: { waited: '0.4 s' },
  });
  await expect(connect({ 'GET /version': cutReply })).rejects.toMatchObject({ code: 'docker/unreachable' });
  const nowhere = { DOCKER_HOST: 'unix:///nowhere/d.sock' };
  await expect(connectDocker(nowhere, { timeoutMs: 400 })).rejects.toMatchObject({
    code: 'docker/absent',
    params: { looked: '/nowhere/d.sock' },
  });
});

test.each<readonly [FakeAnswer, string]>([
  [sendJson({ message: 'No such image: qwen:1' }, 404), 'docker/no-image'],
  [sendJson({ message: 'Conflict. The container name is in use' }, 409), 'docker/name-taken'],
  [sendJson({ message: 'mkdir /x: no space left on device' }, 500), 'docker/disk-full'],
  [sendJson({ message: 'unknown or invalid runtime name: nvidia' }, 400), 'docker/gpu-runtime'],
  [sendJson({ message: 'invalid mount config for type "bind": bind source path does not exist: /x' }, 400), 'docker/not-there'],
  [sendJson({ cause: 'statfs /x: no such file or directory' }, 500), 'docker/not-there'],
  [sendJson({ message: 'Minimum memory limit allowed is 6MB' }, 400), 'docker/refused'],
  [neverAnswer, 'docker/silent'],
  [sendChunks(['{"Id": '], 'silence'), 'docker/silent'],
  [cutReply, 'docker/unreachable'],
])('create: case %#', async (answer, code) => {
  const waitMs = code === 'docker/silent' ? quickMs : patientMs;
  const answers = { 'POST /containers/create': answer, 'GET /containers/qwen/json': sendJson({ Id: id }) };
  const { docker } = await connect(answers, { waitMs });
  const error: unknown = await docker.create('qwen', body).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code, ...(code === 'docker/name-taken' ? { params: { name: 'qwen', id } } : {}) });
});

test.each([
  ['driver failed: Bind for 127.0.0.1:8000 failed: port is already allocated', 500, 'docker/port-taken'],
  ['could not select device driver "nvidia" with capabilities: [[gpu]]', 500, 'docker/gpu-runtime'],
  ['No such container: x', 404, 'docker/no-container'],
  ['network x not found', 404, 'docker/refused'],
])('start: %s', async (message, status, code) => {
  const { docker } = await connect({ [`POST /containers/${id}/start`]: sendJson({ message }, status) });
  await expect(docker.start(id)).rejects.toMatchObject({ code });
});

const event = (action: string, more = {}) =>
  JSON.stringify({ Action: action, Actor: { ID: id, Attributes: more }, time: 5, timeNano: 5_500_000_000 });

it('reads events however they are cut, and tells a stream that ends', async () => {
  const text = `${event('start')}\n${event('die', { exitCode: '137' })}\n`;
  const { docker, api } = await connect({ 'GET /events': sendChunks([text.slice(0, 20), text.slice(20, 130), text.slice(130)], 'cut') });
  const seen: unknown[] = [];
  const reading = (async () => {
    for await (const one of docker.events({ label: 'x=1', since: 1700000000.1239 })) seen.push(one);
  })();
  await expect(reading).rejects.toMatchObject({ code: 'docker/broken' });
  expect(seen).toMatchObject([
    { id, action: 'start', at: 5.5 },
    { action: 'die', exitCode: 137 },
  ]);
  expect(api.calls.at(-1)).toContain('since=1700000000.123');
});

it('ends silent events when asked to, without an error', async () => {
  const { docker } = await connect({ 'GET /events': sendChunks([`${event('start')}\n`], 'silence') });
  const over = new AbortController();
  const seen: string[] = [];
  for await (const { action } of docker.events({ signal: over.signal })) {
    seen.push(action);
    setImmediate(() => over.abort());
  }
  expect(seen).toEqual(['start']);
});

const container = (Tty: boolean) => sendJson({ Id: id, Name: '/qwen', State: { Status: 'running' }, Config: { Tty } });

it('puts lines together that the log, a frame or the connection cut', async () => {
  const euro = Buffer.from('€');
  const half = Buffer.concat([Buffer.from(`${at} a`), euro.subarray(0, 1)]);
  const rest = Buffer.concat([Buffer.from(`${at} `), euro.subarray(1), Buffer.from('b\n')]);
  const sent = Buffer.concat([toFrame(1, half), toFrame(2, `${at} oh\n`), toFrame(1, rest), toFrame(1, `${at} no end`)]);
  const bytes = [...sent].map((byte) => Buffer.from([byte]));
  const { docker, api } = await connect({
    [`GET /containers/${id}/json`]: container(false),
    [`GET /containers/${id}/logs`]: sendChunks(bytes),
  });
  expect(await collect(docker.logs(id, { follow: true, since: at, until: at, tail: 5 }))).toEqual([
    { at, stream: 'stderr', text: 'oh' },
    { at, stream: 'stdout', text: 'a€b' },
    { at, stream: 'stdout', text: 'no end' },
  ]);
  expect(api.calls.at(-1)).toContain(`tail=5&since=${Date.UTC(2026, 0, 2, 3, 4, 5) / 1000}.000000001`);
  expect(api.calls.at(-1)).toContain(`until=${Date.UTC(2026, 0, 2, 3, 4, 5) / 1000}.000000001`);
});

it('reads a terminal, and takes out the moments inside of a long line', async () => {
  const text = `${at} one\r\n${at} ${'x'.repeat(16_384)}${at} y\r\n`;
  const { docker } = await connect({
    [`GET /containers/${id}/json`]: container(true),
    [`GET /containers/${id}/logs`]: sendChunks([text.slice(0, 50), text.slice(50)]),
  });
  const lines = await collect(docker.logs(id, {}));
  expect(lines.map((line) => line.text)).toEqual(['one', `${'x'.repeat(16_384)}y`]);
});

it('tells a log that was cut off from one that ended', async () => {
  const { docker } = await connect({
    [`GET /containers/${id}/json`]: container(false),
    [`GET /containers/${id}/logs`]: sendChunks([toFrame(1, `${at} last\n`)], 'cut'),
  });
  await expect(collect(docker.logs(id, { follow: true }))).rejects.toMatchObject({ code: 'docker/broken' });
});

test.each([
  ['toomanyrequests: You have reached your pull rate limit', 'docker/registry'],
  ['pull access denied for qwen, repository does not exist', 'docker/image-denied'],
  ['manifest for qwen:1 not found: manifest unknown', 'docker/image-not-found'],
  ['no matching manifest for linux/amd64 in the manifest list entries', 'docker/wrong-architecture'],
  ['write /x: no space left on device', 'docker/disk-full'],
  ['filesystem layer verification failed for digest sha256:1', 'docker/wrong-content'],
])('pull: %s', async (message, code) => {
  const { docker } = await connect({
    'POST /images/create': sendChunks([`${JSON.stringify({ error: message, errorDetail: { message } })}\n`]),
  });
  await expect(docker.images.pull('qwen:1', {})).rejects.toMatchObject({ code });
});

it('pull: tells how far it is, and sends what docker login left', async () => {
  let header = '';
  const progress: TransferProgress[] = [];
  const lines = [
    { status: 'Pulling from library/qwen', id: '1' },
    { status: 'Already exists', id: 'l1' },
    { status: 'Downloading', id: 'l2', progressDetail: { current: 5, total: 10 } },
    { status: 'Pull complete', id: 'l2' },
  ];
  const { docker, api } = await connect({
    'GET /images/qwen%3A1/json': sendJson(image),
    'POST /images/create': (request, reply, text) => {
      header = String(request.headers['x-registry-auth']);
      sendChunks(lines.map((line) => `${JSON.stringify(line)}\r\n`))(request, reply, text);
    },
  });
  const auth = Buffer.from('me:pa:ss').toString('base64');
  api.env.DOCKER_CONFIG = api.home;
  writeFileSync(join(api.home, 'config.json'), JSON.stringify({ auths: { 'https://index.docker.io/v1/': { auth } } }));
  await docker.images.pull('qwen:1', { onProgress: (one) => void progress.push(one) });
  expect(progress[1]).toEqual({ phase: 'downloading', layersDone: 1, layers: 2, doneBytes: 5, totalBytes: 10 });
  expect(progress.at(-1)).toEqual({ phase: 'unpacking', layersDone: 2, layers: 2, doneBytes: 10, totalBytes: 10 });
  expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toMatchObject({ username: 'me', password: 'pa:ss' });
});

it('pull: gives up a registry that sends nothing, and one that the person gave up', async () => {
  const silent = { 'POST /images/create': sendChunks(['{"status":"Downloading","id":"l"}\n'], 'silence') };
  const { docker } = await connect(silent, { waitMs: quickMs });
  await expect(docker.images.pull('qwen:1', {})).rejects.toMatchObject({ code: 'docker/silent' });
  const signal = AbortSignal.timeout(50);
  await expect(docker.images.pull('qwen:1', { signal })).rejects.toMatchObject({ code: 'command/interrupted' });
});

it('save: refuses an archive that ends in an error', async () => {
  const { docker, api } = await connect({ 'GET /images/qwen%3A1/get': sendChunks([Buffer.alloc(2000), '{"error":"disk trouble"}']) });
  const saving = docker.images.save('qwen:1', join(api.home, 'x.tar'), {});
  await expect(saving).rejects.toMatchObject({ code: 'docker/failed', params: { problem: 'disk trouble' } });
});

test.each([
  ['goes on', sendJson(undefined, 204), undefined],
  ['was not paused', sendJson({ message: `Container ${id} is not paused` }, 500), undefined],
  ['is gone', sendJson({ message: `No such container: ${id}` }, 404), 'docker/no-container'],
  ['cannot', sendJson({ message: 'cannot thaw: device busy' }, 500), 'docker/failed'],
  ['is asked and says nothing', neverAnswer, 'docker/silent'],
])('unpause: one that %s', async (_, answer, code) => {
  const waitMs = code === 'docker/silent' ? quickMs : patientMs;
  const { docker, api } = await connect({ [`POST /containers/${id}/unpause`]: answer }, { waitMs });
  const error = await docker.unpause(id).then(
    () => undefined,
    (thrown: { readonly code: string }) => thrown.code,
  );
  expect([error, api.calls.at(-1)]).toEqual([code, `POST /containers/${id}/unpause`]);
});

it('tells whoever may not open the socket from one that is not there', async () => {
  const { api } = await connect({});
  chmodSync(api.home, 0o755);
  chmodSync(api.socket, 0);
  // Root may open everything, so for a moment this process is somebody else.
  const isRoot = process.getuid?.() === 0;
  if (isRoot) {
    process.seteuid?.(65_534);
    onTestFinished(() => process.seteuid?.(0));
  }
  const error: unknown = await connectDocker(api.env, { timeoutMs: patientMs }).catch((thrown: unknown) => thrown);
  if (isRoot) process.seteuid?.(0);
  expect(error).toMatchObject({ code: 'docker/forbidden', params: { address: api.socket }, exitStatus: 4 });
});
