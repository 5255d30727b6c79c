/** Engines that die again and again, on a clock that nobody waits for; and news of a death in the wrong order. */
import { afterEach, describe, expect, it } from 'vitest';
import { reduce } from '../../src/supervisor/reduce/reduce.ts';
import { makeRecord, makeState } from '../supervisor/make.ts';
import { createStage, type Stage } from './fake-engine.ts';
import { findEvent } from './kit.ts';

describe('an engine that dies again and again', () => {
  let stage: Stage | undefined;
  afterEach(() => stage?.end());

  it.each([
    ['A6', 40_000],
    ['A7', 200],
  ])('%s after %d ms of each start: growing delays, six starts, then a try each half hour', async (_, lifeMs) => {
    stage = await createStage();
    const { engine, supervisor } = stage;
    await stage.up();
    for (let start = 1; start <= 6; start += 1) {
      await stage.passTimeUntil('starting');
      await expect.poll(() => engine.launched.length, { timeout: 5000, interval: 5 }).toBe(start);
      await expect.poll(() => supervisor.now.launch?.process, { timeout: 5000, interval: 5 }).toBeDefined();
      await stage.passTime(lifeMs);
      engine.end({ code: 1 });
      await stage.untilLife(start < 6 ? 'backoff' : 'crashloop');
    }
    const delays = stage.events().flatMap((event) => (event.type === 'backoff' ? [event.delayMs] : []));
    expect(delays).toEqual([2000, 10_000, 20_000, 40_000, 80_000]);
    await expect.poll(() => findEvent(stage?.events() ?? [], 'crashloop')).toMatchObject({ attempt: 6, delayMs: 30 * 60_000 });
    // Not one more in these minutes, and then one.
    await stage.passTime(29 * 60_000, 60_000);
    expect(engine.launched).toHaveLength(6);
    await stage.passTime(2 * 60_000, 10_000);
    await expect.poll(() => engine.launched.length, { timeout: 5000, interval: 5 }).toBe(7);
  });
});

describe('A12 news that come in the wrong order', () => {
  const moment = { wallMs: 0, random: 0 };
  const exited = { type: 'exited', run: 1, exit: { cause: 'exit', at: '', code: 1 }, permanent: false } as const;
  const record = makeRecord(1);

  it('an exit before the launch has answered ends it once; the answer starts nothing', () => {
    const starting = makeState({ life: 'starting', desired: 'up', run: 1, launch: record });
    const [ended] = reduce(starting, exited, moment);
    expect(ended.life).toBe('reclaiming');
    const [late, effects] = reduce(ended, { type: 'launched', run: 1, record }, moment);
    expect(late.life).toBe('reclaiming');
    expect(effects.filter((effect) => effect.do !== 'emit')).toEqual([]);
  });

  it('the same exit again changes nothing', () => {
    const [ended] = reduce(makeState({ life: 'ready', desired: 'up', run: 1, launch: record }), exited, moment);
    expect(reduce(ended, exited, moment)).toEqual([ended, []]);
  });

  it('a supervisor is told of an engine that has ended before it was known: one restart', async () => {
    const stage = await createStage();
    let answer: () => void = () => undefined;
    stage.engine.answers = new Promise((resolve) => {
      answer = resolve;
    });
    await stage.up();
    await stage.untilLife('starting');
    stage.engine.overAtOnce = { code: 1 };
    answer();
    await stage.untilLife('backoff');
    // And once more, from somebody who was late.
    await stage.supervisor.send(exited);
    const count = (wanted: string) => stage.events().filter(({ type }) => type === wanted).length;
    await expect.poll(() => count('backoff')).toBe(1);
    expect([count('exited'), count('launching'), stage.supervisor.now.failures]).toEqual([1, 1, 1]);
    await stage.end();
  });
});
