/** What hangs and what does not, decided from looks alone: minutes that nobody waits for. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readMemoryPressure } from '../../src/host/pressure.ts';
import { isPaused } from '../../src/supervisor/serving/paused.ts';
import {
  type EngineLook,
  type Look,
  lookAgain,
  noteToken,
  toFirstWatch,
  type WatchSettings,
} from '../../src/supervisor/serving/watchdog.ts';
import { makeSpec } from '../supervisor/make.ts';
import { createStage } from './fake-engine.ts';

const settings: WatchSettings = { stallAfterMs: 120_000, canaryEveryMs: 60_000, maxModelLen: 32_768 };
const toLook = (atS: number, engine: Partial<EngineLook>, more: Partial<Look> = {}): Look => ({
  atMs: atS * 1000,
  stoodStill: false,
  engines: [{ engine: '0', unfinished: 1, progress: 0, promptTokens: 0, ...engine }],
  ...more,
});
const toTasks = (looks: readonly Look[]) => {
  let state = toFirstWatch(0, settings);
  return looks.map((look) => {
    const step = lookAgain(state, look, settings);
    state = step.state;
    return { task: step.task.is, slow: step.slow };
  });
};
const every10s = (untilS: number, make: (atS: number) => Look) => Array.from({ length: untilS / 10 }, (_, n) => make((n + 1) * 10));

describe('a long prefill', () => {
  it('B5 of 100 s in steps: tokens stand still, steps move, nothing is asked', () => {
    const looks = every10s(300, (at) => toLook(at, { progress: at }));
    expect(toTasks(looks).every(({ task }) => task === 'nothing')).toBe(true);
  });

  it('B5 of 100 s in one step: nothing moves, and it is within the budget', () => {
    const looks = every10s(100, (at) => toLook(at, { progress: 7 }));
    expect(toTasks(looks).every(({ task }) => task === 'nothing')).toBe(true);
  });
});

describe('a machine that thrashes', () => {
  const still = (more: Partial<Look>) => every10s(300, (at) => toLook(at, { progress: 7 }, more));

  it('B13 has three times the patience, and says why', () => {
    const asked = (looks: readonly Look[]) => looks[toTasks(looks).findIndex(({ task }) => task === 'ask')]?.atMs;
    expect(asked(still({}))).toBe(140_000);
    expect(asked(still({ thrashing: true }))).toBeUndefined();
    expect(toTasks(still({ thrashing: true }))[0]).toEqual({ task: 'nothing', slow: 'thrashing' });
  });

  it('B13 is still no excuse for an engine that is proven to hang', () => {
    const looks = every10s(400, (at) => toLook(at, { progress: 7 }, { thrashing: true }));
    let state = toFirstWatch(0, settings);
    for (const look of looks) state = lookAgain(state, look, settings).state;
    const missed = noteToken(state, { came: false, because: 'stall', atMs: 430_000 }, settings);
    expect(lookAgain(missed, toLook(431, { progress: 7 }, { thrashing: true }), settings).task).toMatchObject({
      is: 'verdict',
      cause: 'stall',
    });
  });

  it.each([
    ['some avg10=90.00 avg60=0.00 avg300=0.00 total=1\nfull avg10=61.37 avg60=0.00 avg300=0.00 total=1\n', 61.37],
    ['some avg10=90.00 avg60=0.00 avg300=0.00 total=1\n', undefined],
    ['garbage', undefined],
  ])('B13 is known by the kernel’s file: %j', async (text, percent) => {
    const directory = await mkdtemp(join(tmpdir(), 'qd-psi-'));
    const file = join(directory, 'memory');
    await writeFile(file, text);
    expect(await readMemoryPressure(file)).toBe(percent);
    expect(await readMemoryPressure(join(directory, 'not/there'))).toBeUndefined();
    await rm(directory, { recursive: true });
  });
});

it('B17 a mistake in the watching itself is noted, void, and begun again', async () => {
  const stage = await createStage({ health: { ...makeSpec().health, intervalMs: 60_000 } });
  const { mono } = stage.clock;
  await stage.up();
  await stage.untilLife('starting');
  await expect.poll(() => stage.supervisor.now.launch?.process).toBeDefined();
  let broken = 1;
  Object.assign(stage.clock, {
    mono() {
      if (stage.life() !== 'ready' || broken === 0) return mono();
      broken -= 1;
      throw new TypeError('a mistake');
    },
  });
  await stage.supervisor.send({ type: 'gate-passed', run: 1, firstTokenMs: 1 });
  const notes = () => stage.events().flatMap((event) => (event.type === 'note' ? [JSON.stringify(event.note.params)] : []));
  await expect.poll(() => notes().filter((note) => note.includes('a mistake')).length).toBeGreaterThan(0);
  expect(stage.life()).toBe('ready');
  // Watched again: nobody listens on its port, which is seen and said.
  await stage.passTimeUntil('degraded', 60_000);
  expect(stage.events().map(({ type }) => type)).not.toContain('unhealthy');
  expect(notes().filter((note) => note.includes('a mistake')).length).toBeLessThanOrEqual(2);
  await stage.end();
});

it.each([
  ['all stopped', [{ state: 'T' }, { state: 'T' }], true],
  ['all in the freezer', [{ state: 'D', wchan: '__refrigerator' }], true],
  ['one that runs', [{ state: 'T' }, { state: 'S', wchan: 'do_epoll_wait' }], false],
  ['none', [], false],
])('B11 counts as paused: %s', (_, members, paused) => {
  expect(isPaused(members)).toBe(paused);
});
