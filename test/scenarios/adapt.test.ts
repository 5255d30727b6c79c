/** Under pressure a deployment steps to a lighter profile, says so with the numbers, and clients find it where it was. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import type { DeploymentEvent } from '../../src/core/event.ts';
import type { Deployment } from '../../src/supervisor/deployment.ts';
import { eachInSandbox, eventually, fakeVllm, type Sandbox } from './sandbox.ts';

let box: Sandbox;
let port: number;
eachInSandbox((made) => {
  ({ box, port } = made);
});

/** Each has something in use of both. */
const always = "{ cpu: 0.1%, host-memory: '0.1%' }";

beforeEach(async () => {
  await mkdir(join(box.home, 'profiles'));
  const put = (name: string, text: string) => writeFile(join(box.home, 'profiles', `${name}.yaml`), text);
  const engine = `extends: tiny\nengine: { executable: ${fakeVllm} }\n`;
  await put('heavy', `${engine}adapt: { when: ${always}, for: 1s, least-stay: 10m, steps: [light] }\n`);
  await put('light', 'extends: heavy\nvllm: { max-num-seqs: 2 }\n');
  await put('broken', `${engine}adapt: { when: ${always}, for: 1s, least-stay: 10m, steps: [failing] }\n`);
  await put('failing', `extends: tiny\nengine:\n  executable: ${fakeVllm}\n  env: { FAKE_VLLM: 'exit=loading:1' }\n`);
});

const timeout = 90_000;
const status = async (name = 'heavy') => (await box.cli('status', name, '-o', 'json')).json<Deployment>();
const up = (profile: string, ...more: string[]) => box.cli('up', '-p', profile, '--set', `server.port=${port}`, ...more);
const events = async (name = 'heavy') =>
  (await box.cli('events', name, '-o', 'json')).json<{ events: readonly DeploymentEvent[] }>().events;

it('steps to the lighter profile at the same address, stays when asked for again, and goes back by restart', { timeout }, async () => {
  const first = await up('heavy', '-o', 'json');
  expect(first.code, first.stderr).toBe(0);
  const before = first.json<Deployment>();
  const light = await eventually(status, (seen) => seen.state === 'ready' && seen.profile === 'light', 30_000);
  expect(light).toMatchObject({ run: 2, endpoint: before.endpoint, servedNames: before.servedNames, configDrift: false });
  expect(light.adapted).toMatchObject({
    from: 'heavy',
    because: expect.arrayContaining([expect.objectContaining({ what: 'host-memory', limit: 0.1 })]),
  });
  const told = (await events()).filter(({ type }) => type === 'adapted');
  expect(told).toMatchObject([{ from: 'heavy', to: 'light', direction: 'lighter', run: 1 }]);
  expect((await box.cli('status', 'heavy')).stdout).toMatch(
    /running light instead of heavy since \S+, because .*host memory was [\d.]+ % \(limit 0\.1 %\)/,
  );
  const again = await up('heavy');
  expect(again.code, again.stderr).toBe(0);
  expect(again.stderr).toMatch(/heavy runs light instead of heavy for now/);
  expect((await status()).run).toBe(2);
  expect((await up('heavy', '--set', 'adapt.most-steps=9')).code, 'to change adapt restarts nothing').toBe(0);
  expect(await status()).toMatchObject({ run: 2, pid: light.pid, profile: 'light' });
  const restarted = await box.cli('restart', 'heavy', '-o', 'json');
  expect(restarted.code, restarted.stderr).toBe(0);
  expect(restarted.json()).toMatchObject({ state: 'ready', profile: 'heavy', run: 3 });
});

it('serves on with what it has when the lighter one does not start', { timeout }, async () => {
  const first = await up('broken');
  expect(first.code, first.stderr).toBe(0);
  const after = await eventually(
    () => status('broken'),
    (seen) => seen.state === 'ready' && seen.run === 3,
    40_000,
  );
  expect(after).toMatchObject({ profile: 'broken' });
  expect(after.adapted).toBeUndefined();
  expect((await events('broken')).map(({ type }) => type)).toContain('rolling-back');
});
