import { describe, expect, it } from 'vitest';
import {
  judgeStart,
  noCounts,
  type StallSettings,
  type StallVerdict,
  type StartCounts,
  type StartLook,
  toFirstStall,
} from '../../../src/supervisor/start/stall.ts';

const settings: StallSettings = { stallAfterMs: 300_000, downloadStallAfterMs: 120_000 };
const everyMs = 10_000;

/** What a look shows, `index` looks after the first. */
type Scene = (index: number) => Partial<Omit<StartLook, 'counts'>> & { readonly counts?: Partial<StartCounts> };

/** The first verdict of an hour, or that there was none. */
function play(scene: Scene, { looks = 360, by = settings }: { readonly looks?: number; readonly by?: StallSettings } = {}) {
  let state = toFirstStall(0);
  let lives = 0;
  for (let index = 0; index < looks; index += 1) {
    const { counts, ...rest } = scene(index);
    const look: StartLook = {
      atMs: (index + 1) * everyMs,
      stoodStill: false,
      phase: 'loading',
      counts: { ...noCounts, ...counts },
      ...rest,
    };
    const step = judgeStart(state, look, by);
    state = step.state;
    if (step.verdict.is === 'stalled') return { ...step.verdict, atMs: look.atMs };
    if (step.verdict.lives) lives += 1;
  }
  return { is: 'going', lives } as const;
}

const fetching = (doneBytes: number) => ({ phase: 'downloading', download: { doneBytes } }) as const;
const busy = (index: number) => ({ cpuMs: index * everyMs });

describe('a start that stalls', () => {
  it.each<[string, Scene, Partial<Extract<StallVerdict, { is: 'stalled' }>> & { atMs: number }]>([
    ['nothing at all', () => ({}), { cause: 'start-stall', forMs: 310_000, atMs: 320_000 }],
    ['idle polling: half a tick in a hundred', (index) => ({ counts: { cpuMs: index * 50 } }), { cause: 'start-stall', atMs: 320_000 }],
    [
      'it went on for ten minutes, then no more',
      (index) => ({ counts: { logMoves: Math.min(index, 60), cpuMs: Math.min(index, 60) * everyMs } }),
      { cause: 'start-stall', forMs: 310_000, atMs: 920_000 },
    ],
    ['a deadlock that spins: four times as long', (index) => ({ counts: busy(index) }), { cause: 'start-stall', atMs: 1_220_000 }],
    [
      'a deadlock that spins and writes a line of its log again and again',
      (index) => ({ counts: { ...busy(index), ioBytes: Math.min(index, 5) * 4096 } }),
      { cause: 'start-stall', atMs: 1_220_000 },
    ],
    [
      'a download without a byte, however lively its client is',
      (index) => ({ ...fetching(5_000_000), counts: { logMoves: index, cpuMs: index * 5000 } }),
      { cause: 'download-stall', forMs: 130_000, atMs: 140_000 },
    ],
    [
      'a download that stops in the middle',
      (index) => ({ ...fetching(Math.min(index, 30) * 1000), counts: { logMoves: index } }),
      { cause: 'download-stall', forMs: 130_000, atMs: 440_000 },
    ],
    [
      'before anything is fetched: the hub does not answer',
      () => ({ phase: 'configuring' }),
      { cause: 'start-stall', forMs: 310_000, atMs: 320_000 },
    ],
  ])('%s', (_, scene, verdict) => {
    expect(play(scene)).toMatchObject({ is: 'stalled', ...verdict });
  });
});

describe('a start that is only slow', () => {
  it.each<[string, Scene]>([
    ['a new line every four minutes', (index) => ({ counts: { logMoves: Math.floor(index / 24) } })],
    ['it reads a slow disk', (index) => ({ counts: { ioBytes: index * 20 * 4096 } })],
    ['it reads a very slow disk: little by little adds up', (index) => ({ counts: { ioBytes: index * 4096 } })],
    ['another process every four minutes', (index) => ({ counts: { processes: Math.floor(index / 24) } })],
    ['it computes, and writes a file now and then', (index) => ({ counts: { ...busy(index), ioBytes: Math.floor(index / 100) * 1e6 } })],
    ['a download at a crawl', (index) => fetching(index)],
    ['a download that pauses for less than the limit', (index) => fetching(Math.floor(index / 11) * 1000)],
    ['what is fetched is there: loading takes its time', (index) => ({ phase: 'downloading', counts: { ioBytes: index * 1e6 } })],
  ])('%s', (_, scene) => {
    expect(play(scene).is).toBe('going');
  });

  it('is told to live at each sign, and not without one', () => {
    expect(play((index) => ({ counts: { logMoves: Math.floor(index / 10) } }), { looks: 100 })).toEqual({ is: 'going', lives: 10 });
    expect(play(() => ({}), { looks: 20 })).toEqual({ is: 'going', lives: 1 });
  });
});

describe('what says nothing', () => {
  it('a standstill of ours: all times begin again', () => {
    expect(play((index) => ({ stoodStill: index % 25 === 24 })).is).toBe('going');
    expect(play((index) => ({ ...fetching(1), stoodStill: index % 10 === 9 })).is).toBe('going');
    expect(play((index) => ({ stoodStill: index < 100 }))).toMatchObject({ cause: 'start-stall', forMs: 310_000, atMs: 1_310_000 });
  });

  it('rules that are switched off', () => {
    expect(play(() => ({}), { by: { stallAfterMs: 0, downloadStallAfterMs: 0 } }).is).toBe('going');
    expect(play(() => fetching(1), { by: { stallAfterMs: 0, downloadStallAfterMs: 0 } }).is).toBe('going');
    expect(play(() => fetching(1), { by: { ...settings, downloadStallAfterMs: 0 } })).toMatchObject({ cause: 'start-stall' });
  });
});
