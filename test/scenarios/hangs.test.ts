/** An engine that hangs while `/health` says 200: found by what it does not do, looked at, ended, and replaced. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { waitFor } from '../../src/core/clock.ts';
import type { DeploymentEvent } from '../../src/core/event.ts';
import type { Deployment } from '../../src/supervisor/deployment.ts';
import { eachInSandbox, eventually, killQuietly, type Sandbox, toUpArgs, untilNothingIsLeft } from './sandbox.ts';

let box: Sandbox;
let port: number;

eachInSandbox((made) => {
  ({ box, port } = made);
});

const timeout = 60_000;
const quick = ['health.stall-after=1500ms', 'health.canary-interval=1s', 'restart.first-delay=100ms', 'stop.drain=1s'];

const status = async () => (await box.cli('status', 'tiny', '-o', 'json')).json<Deployment>();
const events = async () => (await box.cli('events', 'tiny', '-o', 'json')).json<{ events: readonly DeploymentEvent[] }>().events;

async function up(faults = '', ...sets: string[]): Promise<Deployment> {
  const result = await box.cli(...toUpArgs(port, faults, ...[...quick, ...sets].flatMap((set) => ['--set', set]), '-o', 'json'));
  expect(result.code, result.stderr).toBe(0);
  return result.json<Deployment>();
}

const setFaults = (faults: object) =>
  fetch(`http://127.0.0.1:${port}/__fault`, {
    method: 'POST',
    body: JSON.stringify(faults),
    headers: { 'content-type': 'application/json' },
  });

const complete = (signal: AbortSignal) =>
  fetch(`http://127.0.0.1:${port}/v1/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'Qwen3-0.6B', prompt: 'Hello', max_tokens: 500 }),
    signal,
  })
    .then((reply) => reply.text())
    .catch(() => undefined);

/** Ready again by another launch; the events of what happened in between. */
async function untilReplaced(first: Deployment): Promise<readonly DeploymentEvent[]> {
  await eventually(status, ({ state, launchId }) => state === 'ready' && launchId !== first.launchId, 40_000);
  return events();
}

describe('an engine that hangs', () => {
  it(
    'B1 with work to do: one token is asked for, evidence is kept, and it is started again',
    async () => {
      const first = await up();
      await setFaults({ hang: true });
      const asking = new AbortController();
      void complete(asking.signal);
      const told = await untilReplaced(first);
      asking.abort();
      expect(told).toContainEqual(expect.objectContaining({ type: 'unhealthy', cause: 'stall' }));
      const bundle = told.find((event) => event.type === 'bundle');
      const files = await readdir(bundle?.path ?? '');
      expect(files).toEqual(expect.arrayContaining(['about.json', 'log.txt', 'memory.txt', 'metrics-1.txt', `process-${first.pid}.txt`]));
      const after = await status();
      expect(after).toMatchObject({ restarts: { total: 1 }, lastExit: { cause: 'stall', bundle: bundle?.path } });
      expect((await box.cli('status', 'tiny')).stdout).toContain(bundle?.path);
    },
    timeout,
  );

  it(
    'B4 before a request arrives, so that its gauges stay at 0: found by what the API server has open',
    async () => {
      const first = await up();
      await setFaults({ hang: true, zeroGauges: true });
      const asking = new AbortController();
      void complete(asking.signal);
      const told = await untilReplaced(first);
      asking.abort();
      expect(told).toContainEqual(expect.objectContaining({ type: 'unhealthy', cause: 'stall' }));
    },
    timeout,
  );

  it(
    'B2 with nothing to do: found by the canary',
    async () => {
      const first = await up();
      await setFaults({ hang: true });
      const told = await untilReplaced(first);
      // The canary's own request is work that is not done, too.
      expect(told).toContainEqual(expect.objectContaining({ type: 'unhealthy', cause: expect.stringMatching(/^(?:canary|stall)$/) }));
    },
    timeout,
  );

  it(
    'whole (SIGSTOP): no page of metrics and no token; secrets stay out of what is kept',
    async () => {
      const secret = 'top-secret-value-0123456789';
      box.env.HANG_KEY = secret;
      const first = await up('printSecrets', 'server.api-key=env:HANG_KEY');
      killQuietly(first.pid ?? 0, 'SIGSTOP');
      const told = await untilReplaced(first);
      expect(told).toContainEqual(expect.objectContaining({ type: 'unhealthy', cause: 'api' }));
      const path = told.find((event) => event.type === 'bundle')?.path ?? '';
      const texts = await Promise.all((await readdir(path)).map((name) => readFile(join(path, name), 'utf8')));
      expect(texts.join('\n')).toContain('[REDACTED]');
      expect(texts.join('\n')).not.toContain(secret);
    },
    timeout,
  );

  it(
    'is ended by down without waiting for it, and nothing is left',
    async () => {
      await up('', 'stop.drain=30s');
      await setFaults({ hang: true, ignoreSigterm: true });
      await eventually(status, ({ state }) => state === 'unhealthy' || state === 'stopping', 30_000);
      expect((await box.cli('down', 'tiny')).code).toBe(0);
      await untilNothingIsLeft(box);
    },
    timeout,
  );
});

describe('an engine that is only slow', () => {
  it(
    'B6 is left alone: long requests, late answers of /health',
    async () => {
      const first = await up('', 'health.timeout=500ms', 'health.interval=300ms');
      await setFaults({ healthDelay: '2s' });
      const asking = new AbortController();
      const asked = Array.from({ length: 4 }, () => complete(asking.signal));
      const after = await eventually(status, ({ state }) => state === 'degraded');
      await waitFor(4000);
      expect((await status()).state).toBe('degraded');
      expect(after.launchId).toBe(first.launchId);
      expect(after.restarts.total).toBe(0);
      await setFaults({ healthDelay: false });
      asking.abort();
      await Promise.all(asked);
      await eventually(status, ({ state }) => state === 'ready', 20_000);
    },
    timeout,
  );
});
