/** Whoever asked for it is told of what happens, by the built program and a stand-in engine; and it changes nothing. */
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Deployment } from '../../src/supervisor/deployment.ts';
import { createSandbox, eventually, freePort, killQuietly, type Sandbox, toUpArgs, untilNothingIsLeft } from './sandbox.ts';

interface Told {
  readonly transition: string;
  readonly deployment: string;
  readonly run: number;
}

let box: Sandbox;
let port: number;
let server: Server;
let url: string;
let told: Told[];
/** What the webhook wants to see before it answers. */
const token = 'Bearer scenario-secret';

beforeEach(async () => {
  told = [];
  server = createServer(async (request, reply) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const allowed = request.headers.authorization === token;
    if (allowed) told.push(JSON.parse(Buffer.concat(chunks).toString()));
    reply.writeHead(allowed ? 200 : 401).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/private-path`;
  box = await createSandbox({ env: { HOOK_URL: url, HOOK_TOKEN: token } });
  port = await freePort();
});
afterEach(async () => {
  await box.dispose();
  server.closeAllConnections();
  server.close();
});

const timeout = 90_000;
const status = async () => (await box.cli('status', 'tiny', '-o', 'json')).json<Deployment>();
const up = (notify: unknown) =>
  box.cli(...toUpArgs(port, '', '--set', 'restart.first-delay=100ms', '--set', `notify=${JSON.stringify(notify)}`), '-o', 'json');
const untilRun = (run: number) => eventually(status, (seen) => seen.state === 'ready' && seen.run === run, 30_000);
const untilTold = (count: number) =>
  eventually(
    async () => told,
    (seen) => seen.length >= count,
  );
const hook = (on: readonly string[]) => ({ on, webhook: 'env:HOOK_URL', headers: { authorization: 'env:HOOK_TOKEN' } });
const record = async () => {
  const place = join(box.home, 'qd/state/deployments/tiny');
  const files = ['state.json', 'events.ndjson', 'supervisor.log'].map((name) => readFile(join(place, name), 'utf8').catch(() => ''));
  return (await Promise.all(files)).join('\n');
};

it('ready, restarted and stopped are told; its secrets are written nowhere', { timeout }, async () => {
  const first = await up([hook(['ready', 'restarted', 'stopped'])]);
  expect(first.code, first.stderr).toBe(0);
  await untilTold(1);
  for (const run of [2, 3]) {
    killQuietly((await status()).pid ?? -1);
    await untilRun(run);
    await untilTold(run);
  }
  expect((await box.cli('down')).code).toBe(0);
  await untilTold(4);
  expect(told.map(({ transition, run }) => `${transition} ${run}`)).toEqual(['ready 1', 'restarted 2', 'restarted 3', 'stopped 3']);
  expect(told).toMatchObject([{ deployment: 'tiny', state: 'ready', summary: 'tiny is ready.' }, {}, {}, { state: 'stopped' }]);
  expect(await record()).not.toMatch(/private-path|scenario-secret/);
  await untilNothingIsLeft(box);
});

it('a command that hangs holds nothing up', { timeout }, async () => {
  const first = await up([{ on: ['ready', 'restarted', 'stopped'], command: ['sleep', '600'], timeout: '10m' }]);
  expect(first.code, first.stderr).toBe(0);
  killQuietly((await status()).pid ?? -1);
  await untilRun(2);
  expect((await box.cli('down')).code).toBe(0);
  expect(await status()).toMatchObject({ state: 'stopped', restarts: { total: 1 } });
  // It was ended with the supervisor that had started it.
  await untilNothingIsLeft(box);
});

it('to tell somebody else restarts nothing, and is known at once', { timeout }, async () => {
  const before = (await up([{ on: ['ready'], command: ['false'] }])).json<Deployment>();
  const after = await up([hook(['restarted'])]);
  expect(after.code, after.stderr).toBe(0);
  expect(after.json()).toMatchObject({ state: 'ready', pid: before.pid, run: 1 });
  killQuietly(before.pid ?? -1);
  await untilTold(1);
  expect(told).toMatchObject([{ transition: 'restarted', run: 2 }]);
});
