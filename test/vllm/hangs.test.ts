/** A real EngineCore that is frozen (SIGSTOP) while `/health` says 200: found, looked at, replaced. */
import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { waitFor } from '../../src/core/clock.ts';
import type { DeploymentEvent } from '../../src/core/event.ts';
import type { Deployment } from '../../src/supervisor/deployment.ts';
import { createSandbox, eventually, freePort, killQuietly, type Sandbox } from '../scenarios/sandbox.ts';
import { engines } from './engine-home.ts';

let box: Sandbox;
let port: number;
const startMs = 240_000;
const quick = ['health.stall-after=8s', 'health.canary-interval=6s', 'restart.first-delay=100ms', 'restart.max-failures=20'];

beforeAll(async () => {
  box = await createSandbox({ engines });
  port = await freePort();
  const sets = [...quick, `server.port=${port}`].flatMap((set) => ['--set', set]);
  const result = await box.cli('up', '-p', 'tiny', ...sets);
  expect(result.code, result.stderr).toBe(0);
}, startMs);
afterAll(() => box.dispose());

const status = async () => (await box.cli('status', 'tiny', '-o', 'json')).json<Deployment>();

async function freezeEngine(): Promise<void> {
  const core = (await box.processes()).find(({ command }) => command.startsWith('VLLM::EngineCore'));
  expect(core).toBeDefined();
  killQuietly(core?.pid ?? 0, 'SIGSTOP');
  expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200);
}

function askLong(signal: AbortSignal): Promise<unknown> {
  const body = JSON.stringify({ model: 'Qwen3-0.6B', prompt: 'Hello', max_tokens: 3000, ignore_eos: true, stream: true });
  return fetch(`http://127.0.0.1:${port}/v1/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
    signal,
  })
    .then((reply) => reply.text())
    .catch(() => undefined);
}

async function keepAsking(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await askLong(signal);
    await waitFor(300);
  }
}

async function expectReplaced(before: Deployment, cause: string): Promise<void> {
  const frozenAt = performance.now();
  const after = await eventually(status, ({ state, launchId }) => state === 'ready' && launchId !== before.launchId, startMs);
  expect(after).toMatchObject({ lastExit: { cause }, restarts: { total: before.restarts.total + 1 } });
  const { events } = (await box.cli('events', '-o', 'json')).json<{ events: readonly DeploymentEvent[] }>();
  const said = events.filter(({ launchId }) => launchId === before.launchId);
  expect(said).toContainEqual(expect.objectContaining({ type: 'unhealthy', cause }));
  const files = await readdir(after.lastExit?.bundle ?? '');
  // The API server, EngineCore and Python's resource tracker at least.
  expect(files.filter((name) => name.startsWith('process-')).length).toBeGreaterThanOrEqual(2);
  expect(files).toEqual(expect.arrayContaining(['about.json', 'log.txt', 'metrics-3.txt']));
  process.stdout.write(`replaced ${Math.round((performance.now() - frozenAt) / 1000)} s after it froze (${cause})\n`);
}

it(
  'frozen before a request arrives: its gauges stay at 0, the API server has it open',
  async () => {
    const before = await status();
    await freezeEngine();
    const asking = new AbortController();
    void askLong(asking.signal);
    await expectReplaced(before, 'stall');
    asking.abort();
  },
  startMs,
);

it(
  'frozen while a request runs',
  async () => {
    const before = await status();
    const asking = new AbortController();
    // One after the other: a miniature is done with the longest answer in seconds.
    void keepAsking(asking.signal);
    await eventually(status, ({ load }) => (load?.running ?? 0) > 0);
    await freezeEngine();
    await expectReplaced(before, 'stall');
    asking.abort();
  },
  startMs,
);

it(
  'frozen with nothing to do: the canary finds it',
  async () => {
    const before = await status();
    await freezeEngine();
    await expectReplaced(before, 'canary');
  },
  startMs,
);
