/** Rows of several areas that need a clock of their own, or processes that no machine gives on demand. */
import { expect, it } from 'vitest';
import { createFakeClock } from '../supervisor/fake-clock.ts';
import { createStage } from './fake-engine.ts';
import { findEvent } from './kit.ts';

it('D7 one that cannot be killed: unkillable with the evidence, no start, and on when it has gone', async () => {
  const stage = await createStage();
  const stuck = [{ pid: 4711, command: 'VLLM::Worker', state: 'D', wchan: 'nvidia_ioctl' }];
  await stage.up();
  await stage.untilLife('starting');
  await expect.poll(() => stage.supervisor.now.launch?.process).toBeDefined();
  stage.engine.kills = async () => stuck;
  stage.engine.members = async () => stuck;
  await stage.supervisor.send({ type: 'down', force: true });
  await stage.untilLife('unkillable');
  await expect.poll(() => findEvent(stage.events(), 'unkillable')).toMatchObject({ survivors: stuck });
  await stage.up();
  await stage.passTime(5000);
  expect(stage.life()).toBe('unkillable');
  expect(stage.engine.launched).toHaveLength(1);
  stage.engine.kills = async () => [];
  stage.engine.members = async () => [];
  await stage.passTimeUntil('stopped');
  await stage.end();
});

it.each([
  ['forward', 86_400_000],
  ['back', -86_400_000],
])('E14 the wall clock jumps a day %s: the delay is as long as it was', async (_, jumpMs) => {
  const clock = createFakeClock();
  const { wall } = clock;
  const stage = await createStage({}, clock);
  await stage.up();
  await stage.untilLife('starting');
  await expect.poll(() => stage.supervisor.now.launch?.process).toBeDefined();
  stage.engine.end({ code: 1 });
  await stage.untilLife('backoff');
  await expect.poll(() => findEvent(stage.events(), 'backoff')).toMatchObject({ delayMs: 2000 });
  Object.assign(clock, { wall: () => wall() + jumpMs });
  await stage.passTime(1900, 100);
  expect(stage.life()).toBe('backoff');
  await stage.passTime(200, 100);
  await stage.untilLife('starting');
  await expect.poll(() => stage.engine.launched.length).toBe(2);
  await stage.end();
});
