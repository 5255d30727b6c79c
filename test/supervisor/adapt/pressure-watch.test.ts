import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Clock } from '../../../src/core/clock.ts';
import type { Pressure, PressureName } from '../../../src/core/pressure.ts';
import type { Gpu } from '../../../src/gpu/gpu.ts';
import type { AdaptSettings } from '../../../src/profile/profile.ts';
import { type PressureWatch, watchPressure } from '../../../src/supervisor/adapt/pressure-watch.ts';

let root = '';
let server: Server;
let page = '';
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'pressure-'));
  await mkdir(join(root, 'proc'));
  server = createServer((_, reply) => reply.writeHead(page === '' ? 404 : 200).end(page));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  server.close();
  await rm(root, { recursive: true, force: true });
});

/** Every wait is over at once, and took as long as it was to take. */
function createQuickClock(): Clock & { readonly onWait: (each: (nowMs: number) => Promise<void> | void) => void } {
  let now = 0;
  let each: (nowMs: number) => Promise<void> | void = () => undefined;
  return {
    mono: () => now,
    wall: () => now,
    onWait: (told) => {
      each = told;
    },
    after: (delayMs, run) => {
      const timer = setImmediate(async () => {
        now += delayMs;
        await each(now);
        run();
      });
      return { cancel: () => clearImmediate(timer) };
    },
  };
}

const settings = (when: AdaptSettings['when']): AdaptSettings => ({
  when,
  forMs: 60_000,
  backBelowPercent: 80,
  backAfterMs: 900_000,
  leastStayMs: 600_000,
  mostSteps: 4,
  steps: ['light'],
});

interface Seen {
  readonly steps: (readonly [string, readonly Pressure[]])[];
  readonly blind: PressureName[];
}

/** What was said within so many looks. */
async function watchFor(
  when: AdaptSettings['when'],
  looks: number,
  more: Partial<PressureWatch> = {},
  onWait?: (nowMs: number) => Promise<void>,
) {
  const clock = createQuickClock();
  const over = new AbortController();
  const seen: Seen = { steps: [], blind: [] };
  let waits = 0;
  clock.onWait(async (nowMs) => {
    waits += 1;
    await onWait?.(nowMs);
    if (waits > looks) over.abort();
  });
  const watch: PressureWatch = {
    settings: settings(when),
    past: { canGo: { lighter: true, back: true }, steps: [] },
    gpus: [],
    readGpus: async () => [],
    endpoint: { host: '127.0.0.1', port: (server.address() as AddressInfo).port },
    clock,
    random: () => 0.5,
    root,
    ...more,
  };
  const reports = {
    onStep: (to: string, because: readonly Pressure[]) => void seen.steps.push([to, because]),
    onBlind: (what: readonly PressureName[]) => void seen.blind.push(...what),
  };
  await watchPressure(watch, reports, over.signal);
  return seen;
}

it('sees the CPUs of the engine busy, and says so once', async () => {
  let ticks = 0;
  const write = () => {
    ticks += 100;
    return writeFile(join(root, 'proc/stat'), `cpu 0 0 0 ${ticks} 0\ncpu0 0 0 0 ${ticks} 0\ncpu1 ${ticks} 0 0 0 0\n`);
  };
  await write();
  const seen = await watchFor({ cpuPercent: 90 }, 12, { cpus: '1' }, write);
  expect(seen).toEqual({ steps: [['lighter', [{ what: 'cpu', value: 100, limit: 90 }]]], blind: [] });
  expect((await watchFor({ cpuPercent: 90 }, 12, {}, write)).steps).toEqual([]);
});

it('sees the cap in place of the machine where there is one', async () => {
  await writeFile(join(root, 'proc/meminfo'), 'MemTotal: 1000 kB\nMemAvailable: 900 kB\n');
  await writeFile(join(root, 'memory.current'), '990\n');
  expect((await watchFor({ hostMemoryPercent: 92 }, 12)).steps).toEqual([]);
  const capped = await watchFor({ hostMemoryPercent: 92 }, 12, { cap: { directory: root, bytes: 1000 } });
  expect(capped.steps).toEqual([['lighter', [{ what: 'host-memory', value: 99, limit: 92 }]]]);
});

it('sees the hottest and the fullest of its own GPUs, and asks for them rarely', async () => {
  const gpu = (index: number, temperatureC: number, used: number): Gpu => ({
    index,
    name: 'L4',
    uuid: `GPU-${index}`,
    temperatureC,
    memoryTotalBytes: 100,
    memoryUsedBytes: used,
  });
  let asked = 0;
  const readGpus = async () => {
    asked += 1;
    return [gpu(0, 95, 99), gpu(1, 80, 50), gpu(2, 89, 40)];
  };
  const seen = await watchFor({ gpuTemperature: 88, gpuMemoryPercent: 97 }, 12, { gpus: ['GPU-1', '2'], readGpus });
  expect(seen.steps).toEqual([['lighter', [{ what: 'gpu-temperature', value: 89, limit: 88 }]]]);
  expect(asked).toBeLessThanOrEqual(7);
});

it('sees that requests wait', async () => {
  let served = 0;
  const turn = async () => {
    served += 2;
    const labels = '{engine="0",model_name="q"}';
    page = `vllm:num_requests_waiting${labels} 3.0\nvllm:request_queue_time_seconds_count${labels} ${served}\nvllm:request_queue_time_seconds_sum${labels} ${served * 30}\n`;
  };
  await turn();
  const seen = await watchFor({ queueWaitMs: 20_000 }, 12, {}, turn);
  expect(seen.steps).toEqual([['lighter', [{ what: 'queue-wait', value: 30, limit: 20 }]]]);
});

it('says what it cannot see, and steps nowhere for it', async () => {
  page = '';
  expect(await watchFor({ cpuPercent: 1, hostMemoryPercent: 1, gpuMemoryPercent: 1, queueWaitMs: 1 }, 80)).toEqual({
    steps: [],
    blind: ['cpu', 'host-memory', 'gpu-memory', 'queue-wait'],
  });
});
