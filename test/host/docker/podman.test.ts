import { expect, it, onTestFinished, test } from 'vitest';
import { connectDocker } from '../../../src/host/docker/connect.ts';
import type { CreateBody } from '../../../src/host/docker/docker.ts';
import { type FakeAnswer, sendChunks, sendJson, startFakeApi } from '../../docker/fake-api.ts';

const id = 'a'.repeat(64);
const version = { Components: [{ Name: 'Podman Engine' }], Version: '4.3.1', ApiVersion: '1.41', MinAPIVersion: '1.24', Arch: 'amd64' };
const log = { Type: 'local', Config: { 'max-size': '1000', 'max-file': '3' } };
const order = (more = {}) => ({ Image: 'qwen:1', HostConfig: { LogConfig: log, ...more } }) as unknown as CreateBody;
const improper = (message: string) => sendJson({ cause: 'container state improper', message: `${message}: container state improper` }, 500);

async function connect(answers: Readonly<Record<string, FakeAnswer>>) {
  const api = await startFakeApi({ 'GET /version': sendJson(version), ...answers });
  onTestFinished(() => api.stop());
  return { api, docker: await connectDocker(api.env, { timeoutMs: 10_000 }) };
}

function takeOrder(orders: unknown[]): FakeAnswer {
  return (request, reply, body) => {
    orders.push(JSON.parse(body));
    sendJson({ Id: id }, 201)(request, reply, body);
  };
}

it('orders a log that Podman knows, with the cap of one file', async () => {
  const orders: unknown[] = [];
  const { docker } = await connect({ 'POST /containers/create': takeOrder(orders) });
  expect(await docker.create('qwen', order())).toBe(id);
  expect(orders).toMatchObject([{ Image: 'qwen:1', HostConfig: { LogConfig: { Type: 'k8s-file', Config: { 'max-size': '1000' } } } }]);
});

test.each([
  ['is left out', { DeviceRequests: null, Devices: [] }, true],
  ['is taken', { Devices: [{ PathOnHost: 'nvidia.com/gpu=0' }] }, false],
])('looks whether a GPU %s', async (_, HostConfig, isRefused) => {
  const { docker, api } = await connect({
    'POST /containers/create': takeOrder([]),
    [`GET /containers/${id}/json`]: sendJson({ Id: id, HostConfig }),
    [`DELETE /containers/${id}`]: sendJson('', 204),
  });
  const made = docker.create('qwen', order({ DeviceRequests: [{ Driver: 'cdi', DeviceIDs: ['nvidia.com/gpu=0'] }] }));
  if (isRefused) await expect(made).rejects.toMatchObject({ code: 'docker/refused', params: { problem: expect.stringContaining('GPU') } });
  else expect(await made).toBe(id);
  expect(api.calls.some((call) => call.startsWith('DELETE '))).toBe(isRefused);
});

it('knows by words what Docker has a status for', async () => {
  const taken = `container create: creating container storage: the container name "qwen" is already in use by ${id}.`;
  const { docker } = await connect({
    'POST /containers/create': sendJson({ cause: 'that name is already in use', message: taken }, 500),
    'GET /containers/qwen/json': sendJson({ Id: id }),
    [`POST /containers/${id}/kill`]: improper(`can only kill running containers. ${id} is in state exited`),
    [`DELETE /containers/${id}`]: improper(`cannot remove container ${id} as it is running`),
    [`POST /containers/${id}/exec`]: improper('can only create exec sessions on running containers'),
  });
  await expect(docker.create('qwen', order())).rejects.toMatchObject({ code: 'docker/name-taken', params: { name: 'qwen', id } });
  expect(await docker.signal(id, 'SIGTERM')).toBe(false);
  await expect(docker.remove(id)).rejects.toMatchObject({ code: 'docker/refused' });
  expect(await docker.exec(id, ['id'], 1000)).toBeUndefined();
});

it('asks for events of the past as Podman tells them, and calls them by the names that Docker gives them', async () => {
  const lines = ['start', 'died', 'remove'].map((Action) => `${JSON.stringify({ Action, Actor: { ID: id }, time: 5 })}\n`);
  const { docker, api } = await connect({ 'GET /events': sendChunks(lines, 'end') });
  const seen: string[] = [];
  for await (const { action } of docker.events({ until: 6 })) seen.push(action);
  expect(seen).toEqual(['start', 'die', 'destroy']);
  expect(api.calls.at(-1)).toMatch(/stream=false/);
  expect(api.calls.at(-1)).not.toMatch(/until=/);
});
