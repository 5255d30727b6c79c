/** What the supervisor's hands keep of one launch and must not tell of the next. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Instance, Runtime } from '../../src/runtime/runtime.ts';
import { EngineWork } from '../../src/supervisor/engine-work.ts';
import type { Recovery, RunSignal } from '../../src/supervisor/signal.ts';
import { createFakeClock } from './fake-clock.ts';
import { makeRecord, makeSpec, makeState, makeWanted } from './make.ts';

it('evidence of a hang has no pages of an earlier launch', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'qd-work-'));
  const server = createServer((_, response) => response.end('vllm:num_requests_running{engine="0"} 0\n'));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  const health = { ...makeSpec().health, stallAfterMs: 1000, canaryIntervalMs: 0 };
  const wanted = makeWanted('a', { endpoint: { host: '127.0.0.1', port }, health });
  const state = (run: number) => makeState({ life: 'ready', desired: 'up', run, launch: makeRecord(run), wanted });
  const remains = { members: async () => [], kill: async () => [], tidy: async () => undefined };
  const launch = async (): Promise<Instance> => ({
    ...remains,
    record: makeRecord(2),
    exited: new Promise(() => undefined),
    sample: async () => undefined,
    terminate: async () => undefined,
    release: () => undefined,
  });
  const runtime: Runtime = { launch, adopt: async () => undefined, remains: () => remains };
  const signals: (RunSignal | Recovery)[] = [];
  const clock = createFakeClock();
  let pages = 0;
  const work = new EngineWork({
    runtimeOf: () => runtime,
    filesOf: (id) => ({ logFile: id, exitFile: id, tmpDir: id }),
    crashDirectory: directory,
    onPage: () => {
      pages += 1;
    },
    clock,
    push: (signal) => signals.push(signal),
    append: () => undefined,
  });
  const bundle = async (run: number) => {
    work.begin('bundle', state(run));
    await expect.poll(() => signals.find((one) => one.type === 'bundled' && one.run === run), { timeout: 5000 }).toBeDefined();
    return (await readdir(join(directory, `launch-${run}`))).filter((name) => name.startsWith('metrics-'));
  };
  work.begin('watch-health', state(1));
  const pagesLater = async () => {
    await clock.advance(250);
    return pages;
  };
  await expect.poll(pagesLater, { timeout: 5000 }).toBeGreaterThan(0);
  expect(await bundle(1)).not.toEqual([]);
  work.quiet();
  work.begin('launch', state(2));
  await expect.poll(() => signals.some(({ type }) => type === 'launched')).toBe(true);
  expect(await bundle(2)).toEqual([]);
  work.release();
  server.close();
  await rm(directory, { recursive: true, force: true });
});
