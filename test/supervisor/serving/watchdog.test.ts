import { describe, expect, it } from 'vitest';
import {
  type EngineLook,
  type Look,
  lookAgain,
  noteToken,
  toFirstWatch,
  type WatchSettings,
  type WatchState,
} from '../../../src/supervisor/serving/watchdog.ts';

const settings: WatchSettings = { stallAfterMs: 120_000, canaryEveryMs: 60_000 };
const s = 1000;

const engine = (progress: number, unfinished: number, name = '0'): EngineLook => ({
  engine: name,
  unfinished,
  progress,
  promptTokens: progress,
});
const page = (atMs: number, ...engines: EngineLook[]): Look => ({ atMs, stoodStill: false, engines });

/** Looks every ten seconds; what the last one wants, and everything that was wanted on the way. */
function watch(looks: readonly Look[], from: WatchState = toFirstWatch(0, settings), by = settings) {
  let state = from;
  const tasks: string[] = [];
  for (const look of looks) {
    const step = lookAgain(state, look, by);
    state = step.state;
    const { task } = step;
    tasks.push(task.is === 'nothing' ? '' : task.is === 'ask' ? `ask ${task.because}` : `verdict ${task.cause}`);
  }
  return { state, tasks, last: tasks.at(-1) };
}

const every = (fromS: number, untilS: number, make: (atMs: number) => Look) =>
  Array.from({ length: (untilS - fromS) / 10 + 1 }, (_, n) => make((fromS + 10 * n) * s));

describe('work without progress', () => {
  const stuck = every(10, 140, (at) => page(at, engine(500, 2)));

  it('is asked for a token after the budget, and not before', () => {
    expect(watch(stuck.slice(0, -1)).tasks.every((task) => task === '')).toBe(true);
    expect(watch(stuck).last).toBe('ask stall');
  });

  it('is a stall when the token does not come and nothing moved meanwhile', () => {
    const { state } = watch(stuck);
    const missed = noteToken(state, { came: false, because: 'stall', atMs: 160 * s }, settings);
    expect(watch([page(161 * s, engine(500, 2))], missed).last).toBe('verdict stall');
  });

  it('is none when something moved while the token was awaited', () => {
    const missed = noteToken(watch(stuck).state, { came: false, because: 'stall', atMs: 160 * s }, settings);
    expect(watch([page(161 * s, engine(501, 2)), page(171 * s, engine(501, 2))], missed).tasks).toEqual(['', '']);
  });

  it('is none when the token comes', () => {
    const answered = noteToken(watch(stuck).state, { came: true, because: 'stall', atMs: 131 * s }, settings);
    expect(
      watch(
        every(140, 240, (at) => page(at, engine(500, 2))),
        answered,
      ).tasks.every((task) => task === ''),
    ).toBe(true);
  });

  it('is seen where only the API server knows of the work: the gauges of a frozen engine stay at 0', () => {
    const looks = every(10, 140, (at) => ({ ...page(at, engine(500, 0)), open: 1 }));
    expect(watch(looks).last).toBe('ask stall');
  });

  it('is not counted while the machine, or we, stood still', () => {
    const looks = [...stuck.slice(0, 12), { ...page(131 * s, engine(500, 2)), stoodStill: true }, page(141 * s, engine(500, 2))];
    expect(watch(looks).tasks.every((task) => task === '')).toBe(true);
  });

  it('is nothing while it sleeps', () => {
    expect(watch(stuck.map((look) => ({ ...look, asleep: true }))).tasks.every((task) => task === '')).toBe(true);
  });

  it('may last three times the longest gap that there was', () => {
    const slow = [page(10 * s, engine(1, 1)), page(20 * s, engine(1, 1)), page(110 * s, engine(2, 1))];
    const still = every(120, 380, (at) => page(at, engine(2, 1)));
    const { tasks } = watch([...slow, ...still]);
    // 100 s without a step were survived: 300 s are allowed.
    expect(tasks.slice(0, -1).every((task) => task === '')).toBe(true);
    expect(
      watch(
        every(390, 420, (at) => page(at, engine(2, 1))),
        watch([...slow, ...still]).state,
      ).last,
    ).toBe('ask stall');
  });

  it('may last as long as the longest prompt takes at the rate that was seen', () => {
    const long: WatchSettings = { ...settings, maxModelLen: 40_000 };
    // 1000 tokens in 10 s: 400 s for 40,000.
    const fed = [
      page(10 * s, { engine: '0', unfinished: 1, progress: 1, promptTokens: 0 }),
      page(20 * s, { engine: '0', unfinished: 1, progress: 2, promptTokens: 1000 }),
    ];
    const still = (until: number) => every(30, until, (at) => page(at, { engine: '0', unfinished: 1, progress: 2, promptTokens: 1000 }));
    expect(watch([...fed, ...still(410)], undefined, long).tasks.every((task) => task === '')).toBe(true);
    expect(watch([...fed, ...still(430)], undefined, long).last).toBe('ask stall');
  });

  it('is not excused by prompts of a few tokens, which say nothing of a rate', () => {
    const long: WatchSettings = { ...settings, maxModelLen: 40_000 };
    const fed = [
      page(10 * s, { engine: '0', unfinished: 1, progress: 1, promptTokens: 0 }),
      page(20 * s, { engine: '0', unfinished: 1, progress: 2, promptTokens: 5 }),
    ];
    const still = every(30, 150, (at) => page(at, { engine: '0', unfinished: 1, progress: 2, promptTokens: 5 }));
    expect(watch([...fed, ...still], undefined, long).last).toBe('ask stall');
  });

  it('counts per engine: one of two that stands still is found though the other works', () => {
    const looks = every(10, 140, (at) => page(at, engine(at, 1, '0'), engine(7, 1, '1')));
    const { state, last } = watch(looks);
    expect(last).toBe('ask stall');
    // The token may come from the other one: only time tells.
    const answered = noteToken(state, { came: true, because: 'stall', atMs: 141 * s }, settings);
    const later = watch(
      every(150, 260, (at) => page(at, engine(at, 1, '0'), engine(7, 1, '1'))),
      answered,
    );
    expect(later.last).toBe('verdict stall');
  });

  it('takes a counter that went down for a new beginning', () => {
    const looks = [...every(10, 120, (at) => page(at, engine(500, 2))), page(130 * s, engine(3, 2)), page(140 * s, engine(3, 2))];
    expect(watch(looks).last).toBe('');
  });
});

describe('an idle engine', () => {
  const idle = (from: number, until: number) => every(from, until, (at) => page(at, engine(9, 0)));

  it('is asked for a token once a minute', () => {
    expect(watch(idle(10, 60)).tasks).toEqual(['', '', '', '', '', 'ask idle']);
    const came = noteToken(watch(idle(10, 60)).state, { came: true, because: 'idle', atMs: 61 * s }, settings);
    expect(watch(idle(70, 130), came).tasks).toEqual(['', '', '', '', '', '', 'ask idle']);
  });

  it('hangs when three tokens in a row do not come', () => {
    let { state } = watch(idle(10, 60));
    for (const at of [90, 121]) {
      state = noteToken(state, { came: false, because: 'idle', atMs: at * s }, settings);
      const next = watch([page((at + 1) * s, engine(9, 0))], state);
      expect(next.last).toBe('ask idle');
      state = next.state;
    }
    state = noteToken(state, { came: false, because: 'idle', atMs: 152 * s }, settings);
    expect(watch([page(153 * s, engine(9, 0))], state).last).toBe('verdict canary');
    expect(watch([page(153 * s, engine(10, 0))], state).last).toBe('');
  });

  it('is never asked where the interval is 0', () => {
    const never = { ...settings, canaryEveryMs: 0 };
    expect(watch(idle(10, 900), toFirstWatch(0, never), never).tasks.every((task) => task === '')).toBe(true);
  });

  it('loses its misses when work comes', () => {
    const missed = noteToken(watch(idle(10, 60)).state, { came: false, because: 'idle', atMs: 90 * s }, settings);
    expect(watch([page(91 * s, engine(9, 1))], missed).state.canaryMisses).toBe(0);
  });
});

describe('an engine without metrics', () => {
  const silent = (from: number, until: number) =>
    every(from, until, (atMs): Look => ({ atMs, stoodStill: false, problem: '/metrics: ETIMEDOUT' }));

  it('is slow at once, and asked for a token after the budget', () => {
    const step = lookAgain(toFirstWatch(0, settings), { atMs: 10 * s, stoodStill: false, problem: '/metrics: ETIMEDOUT' }, settings);
    expect(step).toMatchObject({ slow: '/metrics: ETIMEDOUT', task: { is: 'nothing' } });
    expect(watch(silent(10, 120)).last).toBe('');
    expect(watch(silent(10, 130)).last).toBe('ask silence');
  });

  it('lives while it answers tokens, and hangs after three that did not come', () => {
    const { state } = watch(silent(10, 130));
    const came = noteToken(state, { came: true, because: 'silence', atMs: 131 * s }, settings);
    expect(watch(silent(140, 240), came).tasks.every((task) => task === '')).toBe(true);
    let missed = state;
    for (const at of [160, 190, 220]) missed = noteToken(missed, { came: false, because: 'silence', atMs: at * s }, settings);
    expect(watch(silent(230, 230), missed).last).toBe('verdict api');
  });

  it('never dies of a page that has none of its series', () => {
    const looks = every(10, 1200, (at) => ({ ...page(at), open: 3 }));
    expect(watch(looks).tasks.every((task) => task === '')).toBe(true);
  });
});
