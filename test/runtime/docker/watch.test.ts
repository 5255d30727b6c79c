import { describe, expect, it } from 'vitest';
import type { Container, ContainerEvent } from '../../../src/host/docker/docker.ts';
import { watchContainer } from '../../../src/runtime/docker/watch.ts';
import { containerId, running, toDocker } from './stand-ins.ts';

const exited = (more: Partial<Container>): Container => ({ ...running, state: 'exited', exitCode: 0, ...more });

function watch(inspect: () => Container | undefined | Error, events?: () => AsyncIterable<ContainerEvent>) {
  const docker = toDocker({ inspect, ...(events ? { events } : {}) });
  return watchContainer({ docker: async () => docker, containerId }, new AbortController().signal);
}

describe('the end of a container', () => {
  it.each<[string, Partial<Container>, object]>([
    ['a clean one', { exitCode: 0 }, { code: 0 }],
    ['an error', { exitCode: 1 }, { code: 1 }],
    ['a signal', { exitCode: 143 }, { signal: 'SIGTERM' }],
    ['Python’s -1', { exitCode: 255 }, { code: 255 }],
    ['no memory', { exitCode: 137, oomKilled: true }, { signal: 'SIGKILL', outOfMemory: true }],
  ])('is told: %s', async (_, more, exit) => {
    expect(await watch(() => exited(more))).toEqual(exit);
  });

  it('of one that somebody removed is known, and not how', async () => {
    expect(await watch(() => undefined)).toEqual({});
  });

  it('is not what an engine that does not answer means', async () => {
    const answers = [new Error('timed out'), new Error('timed out'), exited({ exitCode: 3 })];
    let said = 0;
    const events = async function* () {
      yield* [{ id: containerId, action: 'die', at: 1, attributes: {} }];
    };
    expect(await watch(() => answers[Math.min(said++, 2)], events)).toEqual({ code: 3 });
    expect(said).toBe(3);
  });

  it('comes from the events at once', async () => {
    let died = false;
    const events = async function* () {
      died = true;
      yield { id: containerId, action: 'die', at: 1, attributes: {} };
      await new Promise(() => undefined);
    };
    const begun = performance.now();
    expect(await watch(() => (died ? exited({ exitCode: 9 }) : running), events)).toEqual({ code: 9 });
    expect(performance.now() - begun).toBeLessThan(2000);
  });
});
