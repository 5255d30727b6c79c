import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Message } from '../../../src/core/message.ts';
import { tryLock } from '../../../src/host/lock.ts';
import { StartTurn } from '../../../src/supervisor/start/turn.ts';
import { createFakeClock, type FakeClock } from '../fake-clock.ts';
import { makeState, makeWanted } from '../make.ts';

let directory: string;
let clock: FakeClock;
let notes: Message[];
let turns: StartTurn[];
beforeEach(async () => {
  directory = join(await mkdtemp(join(tmpdir(), 'qd-turn-')), 'run');
  clock = createFakeClock();
  notes = [];
  turns = [];
});
afterEach(async () => {
  for (const turn of turns) await turn.giveBack();
  await rm(join(directory, '..'), { recursive: true, force: true });
});

function make(): StartTurn {
  const turn = new StartTurn({ directory, onNote: (note) => notes.push(note), clock });
  turns.push(turn);
  return turn;
}

const start = (name: string, ...gpus: string[]) => ({ name, wanted: { ...makeWanted(), ...(gpus.length > 0 ? { gpus } : {}) } });

/** Whether it was granted, as far as one can see by now. */
function watch(taking: Promise<void>): { granted: boolean } {
  const seen = { granted: false };
  void taking.then(() => {
    seen.granted = true;
  });
  return seen;
}

const pass = (check: () => boolean) =>
  expect.poll(async () => {
    await clock.advance(500);
    return check();
  });

describe('starts on one GPU', () => {
  it('wait for the one before, say for whom, and go on when it is ready', async () => {
    const first = make();
    await first.take(start('chat', 'GPU-a'));
    const second = watch(make().take(start('code', 'GPU-a')));
    await pass(() => notes.length > 0).toBe(true);
    await clock.advance(3_600_000);
    expect(second.granted).toBe(false);
    expect(notes).toEqual([{ id: 'life.start-turn', params: { name: 'chat', gpu: 'GPU-a' } }]);
    await first.observe(makeState({ life: 'starting' }));
    await clock.advance(500);
    expect(second.granted).toBe(false);
    await first.observe(makeState({ life: 'ready' }));
    await pass(() => second.granted).toBe(true);
  });

  it.each(['backoff', 'stopping', 'failed', 'stopped'] as const)('go on when the one before is %s', async (life) => {
    const first = make();
    await first.take(start('chat', 'GPU-a'));
    const second = watch(make().take(start('code', 'GPU-a')));
    await first.observe(makeState({ life }));
    await pass(() => second.granted).toBe(true);
  });

  it('of another, and without any, do not wait', async () => {
    await make().take(start('chat', 'GPU-a'));
    await make().take(start('code', 'GPU-b'));
    await make().take(start('tiny'));
    expect(notes).toEqual([]);
  });

  it('several GPUs in whatever order they are named do not wait for each other for ever', async () => {
    const first = make();
    const seen = [watch(first.take(start('chat', 'GPU-a', 'GPU-b'))), watch(make().take(start('code', 'GPU-b', 'GPU-a')))];
    await pass(() => seen.some(({ granted }) => granted)).toBe(true);
    for (const turn of turns) await turn.observe(makeState({ life: 'ready' }));
    await pass(() => seen.every(({ granted }) => granted)).toBe(true);
  });

  it('that are not wanted any more stop waiting, and take nothing', async () => {
    const first = make();
    await first.take(start('chat', 'GPU-a'));
    const turn = make();
    const waiting = turn.take(start('code', 'GPU-a'));
    await pass(() => notes.length > 0).toBe(true);
    await turn.observe(makeState({ life: 'stopped' }));
    await waiting;
    await first.giveBack();
    const lock = await tryLock(join(directory, 'gpu-GPU-a.lock'));
    expect(lock).toBeDefined();
    await lock?.release();
  });

  it('that are stopped while the lock is being taken take nothing', async () => {
    const turn = make();
    const taking = turn.take(start('code', 'GPU-a'));
    await turn.observe(makeState({ life: 'stopped' }));
    await taking;
    const lock = await tryLock(join(directory, 'gpu-GPU-a.lock'));
    expect(lock).toBeDefined();
    await lock?.release();
  });
});
