/** What is left of a container launch while its engine cannot be asked. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DeployError } from '../../../src/core/error.ts';
import type { Docker } from '../../../src/host/docker/docker.ts';
import { readBootId } from '../../../src/host/proc.ts';
import { DockerRemains } from '../../../src/runtime/docker/remains.ts';
import { toDocker, toRecord } from './stand-ins.ts';

const unreachable = DeployError.of('docker/unreachable', { address: '/run/docker.sock', problem: 'ECONNREFUSED' });
const away = async (): Promise<Docker> => {
  throw unreachable;
};
/** Of a process that is not there; that there is one says that the engine's processes are this machine's. */
const seen = { pid: 2 ** 22 + 1, startTicks: 1 };
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'qd-remains-'));
});
afterEach(async () => {
  vi.useRealTimers();
  await rm(directory, { recursive: true, force: true });
});

describe('a container whose engine cannot be asked', () => {
  it('is proven gone by the kernel where its processes were seen before', async () => {
    const remains = new DockerRemains(toRecord(directory, { bootId: await readBootId(), process: seen }), away);
    expect(await remains.isGone()).toBe(true);
  });

  it('is not called gone where no process of it was ever seen, or it has no name yet', async () => {
    const bootId = await readBootId();
    const { containerId: _, ...unnamed } = toRecord(directory, { bootId, process: seen });
    expect(await new DockerRemains(toRecord(directory, { bootId }), away).isGone()).toBeUndefined();
    expect(await new DockerRemains(unnamed, away).isGone()).toBeUndefined();
  });

  it('is not waited for long when nothing of it is left, and what is wrong is said', async () => {
    const remains = new DockerRemains(toRecord(directory, { bootId: await readBootId(), process: seen }), away);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    const begun = performance.now();
    let problem: unknown;
    void remains.kill(10_000).catch((error: unknown) => {
      problem = error;
    });
    // Time stands still while files are read, which have limits of time too: what was asked for before this one is there.
    while (problem === undefined) {
      for (let turn = 0; turn < 8; turn += 1) await readFile('/proc/self/maps');
      if (vi.getTimerCount() > 0) await vi.advanceTimersToNextTimerAsync();
      else await new Promise(setImmediate);
    }
    expect(problem).toBe(unreachable);
    expect(performance.now() - begun).toBeLessThan(6000);
  });

  it('is not tidied away', async () => {
    const remains = new DockerRemains(toRecord(directory, { bootId: await readBootId(), process: seen }), away);
    await expect(remains.tidy()).rejects.toBe(unreachable);
  });
});

it('a container that is gone by itself is removed in one go', async () => {
  const docker = toDocker({ inspect: () => undefined });
  const remains = new DockerRemains(toRecord(directory, { bootId: await readBootId(), process: seen }), async () => docker);
  expect(await remains.kill(1000)).toEqual([]);
  await remains.tidy();
});
