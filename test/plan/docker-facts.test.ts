import { expect, it, onTestFinished } from 'vitest';
import { canGiveGpus } from '../../src/plan/docker-facts.ts';
import { neverAnswer, sendJson, startFakeApi } from '../docker/fake-api.ts';

/** What `backend: auto` chooses by, on a machine with a GPU. */
it.each([
  ['the runtime of NVIDIA', { Runtimes: { runc: {}, nvidia: {} } }, true],
  ['CDI', { Runtimes: { runc: {} }, DiscoveredDevices: [{ Source: 'cdi', ID: 'nvidia.com/gpu=all' }] }, true],
  ['CDI of other devices', { Runtimes: { runc: {} }, DiscoveredDevices: [{ Source: 'cdi', ID: 'vendor.com/nic=all' }] }, false],
  ['neither', { Runtimes: { runc: {} } }, false],
])('an engine with %s', async (_, info, gives) => {
  const api = await startFakeApi({ 'GET /info': sendJson(info) });
  onTestFinished(api.stop);
  expect(await canGiveGpus(api.env)).toBe(gives);
});

it('one that hangs, and none', async () => {
  const api = await startFakeApi({ 'GET /info': neverAnswer });
  onTestFinished(api.stop);
  expect(await canGiveGpus(api.env)).toBe(false);
  expect(await canGiveGpus({ DOCKER_HOST: 'unix:///nowhere/d.sock' })).toBe(false);
}, 15_000);
