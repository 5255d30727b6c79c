/** How a container ended that nobody watched. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DeployError } from '../../../src/core/error.ts';
import type { Container, ContainerEvent, EventsOptions } from '../../../src/host/docker/docker.ts';
import { findHand } from '../../../src/runtime/docker/ended.ts';
import { containerId, running, toDocker, toRecord } from './stand-ins.ts';

const begun = Date.parse('2026-01-01T00:00:00Z') / 1000;
const at = (seconds: number) => new Date((begun + seconds) * 1000).toISOString();
const run: Container = { ...running, startedAt: at(0), config: { StopTimeout: 10 } };
const exited: Container = { ...run, state: 'exited', exitCode: 143, finishedAt: at(101) };
const event = (action: string, seconds: number, signal?: string): ContainerEvent => ({
  ...{ id: containerId, action, at: begun + seconds },
  attributes: signal === undefined ? {} : { signal },
});
const stopped = [event('kill', 100, '15'), event('die', 101), event('stop', 101)];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

interface World {
  readonly looks: readonly (Container | undefined)[];
  readonly events?: readonly ContainerEvent[];
  readonly problem?: Error;
}

async function find({ looks, events = [], problem }: World) {
  const asked: EventsOptions[] = [];
  let looked = 0;
  const docker = {
    ...toDocker({ inspect: () => looks[Math.min(looked++, looks.length - 1)] }),
    async *events(options: EventsOptions) {
      asked.push(options);
      if (problem) throw problem;
      yield* events;
    },
  };
  const found = findHand(toRecord('/state'), async () => docker).catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(10_000);
  return { found: await found, asked };
}

describe('somebody’s hand, found afterwards,', () => {
  it('is in a stop', async () => {
    const { found, asked } = await find({ looks: [exited], events: stopped });
    expect(found).toEqual({ signal: 'SIGTERM', by: 'stopped' });
    expect(asked).toMatchObject([{ container: containerId, since: begun, until: begun + 102 }]);
  });

  it('is in a stop after which it was removed', async () => {
    const { found } = await find({ looks: [undefined], events: [...stopped, event('destroy', 110)] });
    expect(found).toEqual({ by: 'stopped' });
  });

  it.each<[string, World]>([
    ['an end without events: the engine was restarted meanwhile', { looks: [exited] }],
    ['an end of its own', { looks: [exited], events: [event('die', 101)] }],
    ['a signal of long before', { looks: [exited], events: [event('kill', 1, '15'), event('die', 101)] }],
    ['a removal', { looks: [undefined], events: [event('kill', 100, '9'), event('die', 101), event('destroy', 101)] }],
    ['what runs', { looks: [run], events: stopped }],
    ['a restart that was going on', { looks: [exited, { ...run, startedAt: at(103) }], events: stopped }],
  ])('is not in %s', async (_, world) => {
    expect((await find(world)).found).toBeUndefined();
  });

  it('is not known while the engine cannot be asked', async () => {
    const problem = DeployError.of('docker/broken', { address: '/run/docker.sock', problem: 'ECONNRESET' });
    expect((await find({ looks: [exited], problem })).found).toBe(problem);
  });
});
