/** A launch whose engine of containers cannot be asked: what is said of its end, and what is not. */
import { describe, expect, it } from 'vitest';
import { DeployError } from '../../../src/core/error.ts';
import type { Instance, Remains, Runtime } from '../../../src/runtime/runtime.ts';
import { GpuDoor } from '../../../src/supervisor/gpu/door.ts';
import { toLaunchFailed } from '../../../src/supervisor/launch/failure.ts';
import { findEngine, withSight } from '../../../src/supervisor/launch/look.ts';
import { killWhole, proveGone } from '../../../src/supervisor/launch/reclaim.ts';
import type { RunSignal } from '../../../src/supervisor/signal.ts';
import { createFakeClock } from '../fake-clock.ts';
import { makeRecord, makeState } from '../make.ts';

const unreachable = DeployError.of('docker/unreachable', { address: '/run/docker.sock', problem: 'ECONNREFUSED' });
const silent = DeployError.of('docker/silent', { address: '/run/docker.sock', waited: '10 s' });
const reason = 'docker/unreachable: /run/docker.sock: ECONNREFUSED';
const state = makeState({ life: 'killing', desired: 'down', run: 3, launch: { ...makeRecord(3), port: 15_999 } });
const refuse = (error: Error) => () => Promise.reject(error);

function toRemains(error: Error, isGone?: () => Promise<boolean | undefined>): Remains {
  const all = refuse(error);
  return { members: all, kill: all, tidy: all, ...(isGone ? { isGone } : {}) };
}

/** Time goes on until there is an answer. */
async function ask(work: 'kill' | 'reclaim', remains: Remains) {
  const clock = createFakeClock();
  const problems: unknown[] = [];
  const parts = {
    remains: async () => remains,
    gpus: new GpuDoor({ clock, note: () => undefined }),
    clock,
    append: () => undefined,
    onProblem: (error: unknown) => void problems.push(error),
  };
  let answer: unknown;
  void (work === 'kill' ? killWhole(state, parts) : proveGone(state, parts)).then((found) => {
    answer = found;
  });
  const begunMs = clock.mono();
  for (let n = 0; n < 100 && answer === undefined; n += 1) {
    await clock.advance(500);
    await new Promise(setImmediate);
  }
  return { answer, problems, tookMs: clock.mono() - begunMs };
}

describe.each(['kill', 'reclaim'] as const)('an end by %s', (work) => {
  it.each([
    ['gone', true],
    ['alive', false],
    ['not to be seen', undefined],
  ] as const)('that Docker does not answer is out of sight within seconds, and its processes are %s', async (_, gone) => {
    const { answer, problems, tookMs } = await ask(
      work,
      toRemains(unreachable, async () => gone),
    );
    expect(answer).toEqual({ type: 'out-of-sight', run: 3, reason, ...(gone === undefined ? {} : { gone }) });
    expect(problems).toEqual([]);
    expect(tookMs).toBeLessThanOrEqual(5000);
  });

  it('that fails otherwise is no matter of sight: what cannot be looked at is not called gone', async () => {
    const { answer } = await ask(work, toRemains(Object.assign(new Error('EMFILE'), { code: 'EMFILE' })));
    expect(answer).toMatchObject({ survivors: [{ pid: 1003 }] });
  });
});

it('a container whose removal Docker does not answer is not proven gone', async () => {
  const remains: Remains = { members: async () => [], kill: async () => [], tidy: refuse(silent), isGone: async () => true };
  const { answer } = await ask('reclaim', remains);
  expect(answer).toMatchObject({ type: 'out-of-sight', gone: true });
});

it.each([
  ['docker/unreachable', unreachable, { permanent: false, waits: true }],
  ['docker/silent', silent, { permanent: false, waits: true }],
  ['docker/absent', DeployError.of('docker/absent', { looked: '/run/docker.sock' }), { permanent: false, waits: true }],
  ['docker/forbidden', DeployError.of('docker/forbidden', { address: '/run/docker.sock' }), { permanent: true }],
  ['docker/port-taken', DeployError.of('docker/port-taken', { problem: 'it is' }), { permanent: false }],
])('a launch that fails by %s counts only where Docker was there to refuse it', (reason, error, expected) => {
  const { exit, type: _, ...how } = toLaunchFailed(error, '');
  expect(how).toEqual(expected);
  expect(exit).toMatchObject({ cause: 'launch', reason });
});

describe('a look at what the last supervisor left', () => {
  const runtime: Runtime = {
    launch: refuse(unreachable),
    adopt: async () => undefined,
    remains: () => toRemains(unreachable, async () => true),
    findHand: async () => ({ signal: 'SIGTERM', by: 'stopped' }),
  };
  const explain = async () => ({ exit: { cause: 'stopped-by-hand', at: '' }, permanent: false });
  const look = (life: 'ready' | 'draining', with_: Partial<Runtime> = {}) =>
    findEngine({ ...state, life: 'recovering', before: life }, { runtime: { ...runtime, ...with_ }, explain });

  it('tells whose hand has ended what served, and asks for none where we ended it ourselves', async () => {
    expect((await look('ready')).answer).toEqual({ type: 'recovered', alive: false, exit: { cause: 'stopped-by-hand', at: '' } });
    expect((await look('draining')).answer).toEqual({ type: 'recovered', alive: false });
    expect((await look('ready', { findHand: async () => undefined })).answer).toEqual({ type: 'recovered', alive: false });
  });

  it('tells what the kernel shows where Docker cannot be asked', async () => {
    const unknown = { type: 'recovered', alive: 'unknown', reason, gone: true };
    expect((await look('ready', { adopt: refuse(unreachable) })).answer).toEqual(unknown);
    expect((await look('ready', { findHand: refuse(unreachable) })).answer).toEqual(unknown);
  });
});

describe('a verdict by what an engine answers', () => {
  const stalled: RunSignal = { type: 'stalled', run: 3, cause: 'api', forMs: 120_000 };
  const health: RunSignal = { type: 'health', run: 3, ok: false };
  const pass = async (signal: RunSignal, checkSight?: () => Promise<void>) => {
    const seen: RunSignal[] = [];
    const instance = { ...(checkSight ? { checkSight } : {}) } as Instance;
    withSight(
      (one) => void seen.push(one),
      async () => instance,
    )(signal);
    const atOnce = seen.length;
    await new Promise(setImmediate);
    return { seen, atOnce };
  };

  it('is none while Docker cannot be asked: its port may be gone with that', async () => {
    expect((await pass(stalled, refuse(unreachable))).seen).toEqual([{ type: 'out-of-sight', run: 3, reason }]);
  });

  it('is one where Docker answers, where it says anything else, and where there is none', async () => {
    for (const check of [async () => undefined, refuse(new Error('a mistake')), undefined]) {
      expect((await pass(stalled, check)).seen).toEqual([stalled]);
    }
  });

  it('keeps nothing else waiting', async () => {
    expect(await pass(health, refuse(unreachable))).toEqual({ seen: [health], atOnce: 1 });
  });
});
