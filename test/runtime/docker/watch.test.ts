import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Container, ContainerEvent } from '../../../src/host/docker/docker.ts';
import { watchContainer } from '../../../src/runtime/docker/watch.ts';
import type { Notice } from '../../../src/runtime/runtime.ts';
import { containerId, running, toDocker } from './stand-ins.ts';

const begun = Date.parse('2026-01-01T00:00:00Z') / 1000;
const at = (seconds: number) => new Date((begun + seconds) * 1000).toISOString();
const run: Container = { ...running, startedAt: at(0), config: { StopTimeout: 10 } };
const exited = (more: Partial<Container> = {}): Container => ({ ...run, state: 'exited', exitCode: 0, finishedAt: at(101), ...more });
const event = (action: string, seconds: number, signal?: string): ContainerEvent => ({
  ...{ id: containerId, action, at: begun + seconds },
  attributes: signal === undefined ? {} : { signal },
});

async function* tell(...events: readonly ContainerEvent[]): AsyncIterable<ContainerEvent> {
  yield* events;
  await new Promise(() => undefined);
}

interface World {
  readonly inspect: () => Container | undefined | Error;
  readonly events?: () => AsyncIterable<ContainerEvent>;
  /** Of a process that is not there. */
  readonly gone?: boolean;
  readonly asked?: boolean;
  /** Podman. */
  readonly hidesStops?: boolean;
}

function watch({ inspect, events, gone, asked = false, hidesStops = false }: World) {
  const seen: { exit?: object; readonly notices: Notice[]; readonly pauses: boolean[]; readonly forbidden: string[] } = {
    notices: [],
    pauses: [],
    forbidden: [],
  };
  const docker = {
    ...toDocker({ inspect, ...(events ? { events } : {}) }),
    hidesStops,
    forbidRestart: async (id: string) => void seen.forbidden.push(id),
  };
  const parts = {
    ...{ docker: async () => docker, containerId, asked: () => asked, ...(gone ? { process: { pid: 2 ** 22 + 1, startTicks: 1 } } : {}) },
    onNotice: (notice: Notice) => void seen.notices.push(notice),
    onPaused: (paused: boolean) => void seen.pauses.push(paused),
  };
  const over = new AbortController();
  ending = over;
  void watchContainer(parts, over.signal).then((exit) => {
    seen.exit = exit;
  });
  return seen;
}

let ending: AbortController | undefined;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  ending?.abort();
  vi.useRealTimers();
});

/** Time goes on in small steps, and what reads files in between comes back. */
async function pass(seconds: number): Promise<void> {
  for (let n = 0; n < seconds * 4; n += 1) {
    await vi.advanceTimersByTimeAsync(250);
    await new Promise(setImmediate);
  }
}

const noteIds = (notices: readonly Notice[]) => notices.map((notice) => (notice.type === 'note' ? notice.note.id : notice.type));

describe('the end of a container', () => {
  it.each<[string, Partial<Container>, object]>([
    ['a clean one', { exitCode: 0 }, { code: 0 }],
    ['an error', { exitCode: 1 }, { code: 1 }],
    ['a signal', { exitCode: 143 }, { signal: 'SIGTERM' }],
    ['Python’s -1', { exitCode: 255 }, { code: 255 }],
    ['no memory', { exitCode: 137, oomKilled: true }, { signal: 'SIGKILL', outOfMemory: true }],
  ])('is told: %s', async (_, more, exit) => {
    const seen = watch({ inspect: () => exited(more) });
    await pass(1);
    expect(seen.exit).toEqual(exit);
  });

  it('is not what an engine that does not answer means', async () => {
    const answers = [new Error('timed out'), new Error('timed out'), exited({ exitCode: 3 })];
    let said = 0;
    const seen = watch({ inspect: () => answers[Math.min(said++, 2)], events: () => tell(event('die', 100)) });
    await pass(12);
    expect([seen.exit, said]).toEqual([{ code: 3 }, 3]);
  });

  it('comes from the events at once', async () => {
    let died = false;
    const events = async function* () {
      died = true;
      yield event('die', 100);
      await new Promise(() => undefined);
    };
    const seen = watch({ inspect: () => (died ? exited({ exitCode: 9 }) : run), events });
    await pass(1);
    expect(seen.exit).toEqual({ code: 9 });
  });

  it('H8: is found within 10 s when the events drop', async () => {
    let died = false;
    const events = async function* (): AsyncIterable<ContainerEvent> {
      yield event('start', 0);
      throw new Error('the stream broke');
    };
    const seen = watch({ inspect: () => (died ? exited({ exitCode: 1 }) : run), events });
    await pass(3);
    died = true;
    await pass(6);
    expect(seen.exit).toEqual({ code: 1 });
  });

  it('H8: is one end, and is read right, when events repeat and are out of order', async () => {
    const said = [event('stop', 101), event('die', 101), event('kill', 100, '15'), event('kill', 100, '15'), event('die', 101)];
    const seen = watch({ inspect: () => exited({ exitCode: 143 }), events: () => tell(...said) });
    await pass(5);
    expect(seen.exit).toEqual({ signal: 'SIGTERM', by: 'stopped' });
  });

  it('H4: is believed of the kernel where the engine says "running" for ever', async () => {
    const seen = watch({ inspect: () => run, gone: true });
    await pass(5);
    expect(seen.exit).toBeUndefined();
    await pass(5);
    expect(seen.exit).toEqual({});
  });
});

describe('somebody’s hand', () => {
  it('H5: in a removal is known, and not how it ended', async () => {
    const seen = watch({ inspect: () => undefined, events: () => tell(event('kill', 100, '9'), event('die', 101), event('destroy', 101)) });
    await pass(1);
    expect(seen.exit).toEqual({ by: 'removed' });
  });

  it('H6: in a stop is known, also when it is removed right afterwards', async () => {
    let removed = false;
    const said = [event('kill', 100, '15'), event('die', 101), event('stop', 101)];
    const seen = watch({ inspect: () => (removed ? undefined : exited()), events: () => tell(...said) });
    await pass(1);
    removed = true;
    await pass(2);
    expect(seen.exit).toEqual({ by: 'stopped' });
  });

  it.each<[string, World]>([
    ['a signal that ends nothing', { inspect: () => exited(), events: () => tell(event('kill', 100, '1')) }],
    ['a signal of long ago', { inspect: () => exited(), events: () => tell(event('kill', 1, '15')) }],
    ['our own', { inspect: () => exited(), events: () => tell(event('kill', 100, '15')), asked: true }],
  ])('H6: is not in %s', async (_, world) => {
    const seen = watch(world);
    await pass(5);
    expect(seen.exit).toEqual({ code: 0 });
  });

  it.each([true, false])('is in a stop that is seen while it lasts, where no event tells of one (asked for by us: %s)', async (asked) => {
    let container = run;
    const seen = watch({ inspect: () => container, hidesStops: true, asked });
    await pass(2);
    container = { ...run, isStopping: true };
    await pass(2);
    container = exited({ exitCode: 143 });
    await pass(5);
    expect(seen.exit).toEqual({ signal: 'SIGTERM', ...(asked ? {} : { by: 'stopped' }) });
  });

  it('is in a signal of which Podman does not say which it was', async () => {
    const seen = watch({ inspect: () => exited({ exitCode: 137 }), events: () => tell(event('kill', 100), event('die', 101)) });
    await pass(5);
    expect(seen.exit).toEqual({ signal: 'SIGKILL', by: 'stopped' });
  });

  it('H7: in a restart is known by its new beginning', async () => {
    let container = run;
    const said = [event('kill', 100, '15'), event('die', 101), event('stop', 101), event('start', 102), event('restart', 102)];
    const seen = watch({ inspect: () => container, events: () => tell(...said) });
    await pass(1);
    container = exited();
    await pass(2);
    container = { ...run, startedAt: at(102) };
    await pass(6);
    expect(seen.exit).toEqual({ by: 'restarted' });
  });

  it('in a pause is said, and that it is over', async () => {
    let container: Container = run;
    const seen = watch({ inspect: () => container });
    await pass(1);
    container = { ...run, state: 'paused' };
    await pass(6);
    container = run;
    await pass(6);
    expect([seen.exit, seen.pauses, noteIds(seen.notices)]).toEqual([
      undefined,
      [true, false],
      ['life.docker-paused', 'life.docker-unpaused'],
    ]);
  });

  it('H17: in a restart policy is undone as often as it takes, and said once', async () => {
    let policy = 'always';
    const seen = watch({ inspect: () => ({ ...run, restartPolicy: policy }) });
    await pass(6);
    policy = 'no';
    await pass(6);
    expect(seen.forbidden).toEqual([containerId, containerId]);
    expect(noteIds(seen.notices)).toEqual(['life.docker-policy']);
  });
});

describe('an engine of containers', () => {
  it('H1: that goes away with the process is no evidence; its kill is nobody’s hand when it is back', async () => {
    let answer: Container | Error = new Error('ECONNREFUSED');
    const seen = watch({ inspect: () => answer, events: () => tell(event('kill', 100, '15')), gone: true });
    await pass(60);
    expect([seen.exit, noteIds(seen.notices)]).toEqual([undefined, ['out-of-sight']]);
    answer = exited({ exitCode: 143 });
    await pass(3);
    expect(seen.exit).toEqual({ signal: 'SIGTERM' });
  });

  it('H3: that hangs is said once, and that it answers again', async () => {
    let answer: Container | Error = new Error('ETIMEDOUT');
    const seen = watch({ inspect: () => answer });
    await pass(60);
    answer = run;
    await pass(6);
    expect([seen.exit, noteIds(seen.notices)]).toEqual([undefined, ['life.docker-silent', 'life.docker-back']]);
  });

  it('H19: that tells of memory without an end has that noted; an end soon after is by memory', async () => {
    let answer = run;
    const seen = watch({ inspect: () => answer, events: () => tell(event('oom', 95), event('oom', 95)) });
    await pass(6);
    expect([seen.exit, noteIds(seen.notices)]).toEqual([undefined, ['life.docker-oom']]);
    answer = exited({ exitCode: 1 });
    await pass(6);
    expect(seen.exit).toEqual({ code: 1, outOfMemory: true });
  });
});
