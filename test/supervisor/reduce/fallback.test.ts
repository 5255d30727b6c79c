/** Which step is taken when, and what becomes of it when there is none: tables about the reducer. */
import { describe, expect, it } from 'vitest';
import type { LifeEvent } from '../../../src/core/event.ts';
import type { FallbackStep } from '../../../src/profile/profile.ts';
import { findBroken } from '../../../src/supervisor/reduce/invariants.ts';
import { reduce } from '../../../src/supervisor/reduce/reduce.ts';
import type { Effect, Signal } from '../../../src/supervisor/signal.ts';
import type { Deployable, Fix, State } from '../../../src/supervisor/state.ts';
import { makeRecord, makeState, makeWanted } from '../make.ts';

const moment = { wallMs: Date.parse('2026-01-01T00:00:00Z'), random: 0 };
const shorter: FallbackStep = { name: 'shorter', set: { 'vllm.max-model-len': 'estimated' } };
const eager: FallbackStep = { name: 'eager', set: { 'vllm.enforce-eager': true } };
const small: FallbackStep = { name: 'small', profile: 'small' };
const wanted: Deployable = { ...makeWanted('heavy'), fallback: [shorter, eager, small] };

const before: State = makeState({ desired: 'up', life: 'reclaiming', run: 1, launch: makeRecord(1), wanted });

interface End {
  readonly reason?: string;
  readonly permanent?: boolean;
}

/** The proof that a start of run 1 is gone, which failed. */
const fail = (state: State, { reason, permanent = true }: End): [State, readonly Effect[]] => {
  const exit = { cause: 'exit', at: '', code: 1, ...(reason === undefined ? {} : { reason }) };
  const failing: State = { ...state, life: 'reclaiming', ending: { is: 'failure', exit, permanent, signature: 'same' } };
  return take(failing, { type: 'reclaimed', run: state.run, survivors: [] });
};

function take(state: State, signal: Signal): [State, readonly Effect[]] {
  const step = reduce(state, signal, moment);
  expect(findBroken(state, signal, step)).toBeUndefined();
  return [step[0], step[1]];
}

const planned = (state: State, step: string, hash?: string): Signal => ({
  type: 'fallback-planned',
  run: state.run,
  step,
  ...(hash === undefined ? {} : { wanted: toStepped(state.wanted, step, hash) }),
});

function toStepped(from: Deployable, step: string, hash: string): Deployable {
  const fix: Fix = { set: {}, cause: '', at: '', by: 'fallback', step, changes: [{ path: 'vllm.max-model-len', from: '8', to: '4' }] };
  return { ...from, spec: { ...from.spec, hash }, source: { ...from.source, fixes: [...(from.source.fixes ?? []), fix] } };
}

const kinds = (effects: readonly Effect[]) => effects.map((effect) => (effect.do === 'emit' ? effect.event.type : effect.do));
const eventsOf = (effects: readonly Effect[]): readonly LifeEvent[] => effects.flatMap((one) => (one.do === 'emit' ? [one.event] : []));

describe('the step that is planned in place of giving up', () => {
  it.each<[string, End, string | undefined]>([
    ['the first that can cure it', { reason: 'kv_cache_too_small' }, 'shorter'],
    ['not one that cannot', { reason: 'torch_compile_or_triton_failure' }, 'eager'],
    ['a profile, where no setting does', { reason: 'quantization_unsupported_gpu' }, 'small'],
    ['none for what nobody can cure', { reason: 'model_not_found' }, undefined],
    ['none for a cause that nobody knows', { reason: 'xid-79' }, undefined],
    ['none without a diagnosis', {}, undefined],
  ])('%s', (_, end, step) => {
    const [state, effects] = fail(before, end);
    if (step === undefined) {
      expect(state).toMatchObject({ life: 'failed' });
      expect(kinds(effects)).toEqual(['failed']);
    } else {
      expect(state).toMatchObject({ life: 'backoff', run: 1, falling: { step } });
      expect(kinds(effects)).toEqual(['plan-fallback', 'timer']);
    }
  });

  it('is also taken after the same failure twice, and not after the first that may go away', () => {
    const [first] = fail(before, { reason: 'cuda_oom_warmup', permanent: false });
    expect(first.life).toBe('backoff');
    expect(first.falling).toBeUndefined();
    const [second] = fail({ ...first, life: 'reclaiming', launch: makeRecord(1) }, { reason: 'cuda_oom_warmup', permanent: false });
    expect(second.falling?.step).toBe('eager');
  });

  it('is taken at the door of a crash loop, which goes on where there is none', () => {
    const often: State = { ...before, failures: 5, readyAt: '2026-01-01T00:00:00.000Z' };
    const [state] = fail(often, { reason: 'cuda_oom_runtime', permanent: false });
    expect(state.falling).toMatchObject({ step: 'eager', againMs: 30 * 60_000 });
    const [refused] = take(state, planned(state, 'eager'));
    const [over, effects] = take(refused, planned(refused, 'small'));
    expect(over.life).toBe('crashloop');
    expect(over.falling).toBeUndefined();
    expect(kinds(effects)).toEqual(['cancel', 'crashloop', 'timer']);
  });

  it('comes after a way back to what served', () => {
    const [state, effects] = fail({ ...before, lastGood: makeWanted('good') }, { reason: 'kv_cache_too_small' });
    expect(state).toMatchObject({ life: 'preflight', wanted: { spec: { hash: 'good' } } });
    expect(kinds(effects)).toContain('rolling-back');
  });
});

describe('its plan', () => {
  const [planning] = fail(before, { reason: 'kv_cache_too_small' });

  it('is started with fresh counts, and what is left behind is nothing to go back to', () => {
    const [state, effects] = take({ ...planning, failures: 4, lastGood: wanted }, planned(planning, 'shorter', 'light'));
    expect(state).toMatchObject({ life: 'preflight', run: 2, failures: 0, wanted: { spec: { hash: 'light' } } });
    expect([state.falling, state.lastGood, state.lastSignature, state.nextStartAt]).toEqual([undefined, undefined, undefined, undefined]);
    expect(eventsOf(effects)[0]).toEqual({
      type: 'fell-back',
      step: 'shorter',
      changes: [{ path: 'vllm.max-model-len', from: '8', to: '4' }],
      because: 'kv_cache_too_small',
    });
    const [next] = fail({ ...state, launch: makeRecord(2) }, { reason: 'kv_cache_too_small' });
    expect(next.falling?.step).toBe('eager');
  });

  it.each<[string, string | undefined]>([
    ['is refused', undefined],
    ['changes nothing', 'heavy'],
  ])('when it %s, the next step is planned, and after the last one it fails', (_, hash) => {
    const [second, effects] = take(planning, planned(planning, 'shorter', hash));
    expect(second.falling).toMatchObject({ step: 'eager', refused: ['shorter'] });
    expect(kinds(effects)).toEqual(['plan-fallback', 'timer']);
    const [third] = take(second, planned(second, 'eager', hash));
    const [over, told] = take(third, planned(third, 'small', hash));
    expect(over.life).toBe('failed');
    expect(eventsOf(told)).toMatchObject([{ type: 'failed', exit: { reason: 'kv_cache_too_small' } }]);
    expect(kinds(told)).toContain('cancel');
  });

  it('that does not come in time is not waited for any longer', () => {
    const [state] = take(planning, { type: 'timer', run: 1, timer: 'next-start' });
    expect(state.life).toBe('failed');
    expect(take(state, planned(planning, 'shorter', 'light'))[0]).toBe(state);
  });

  it('of another step, without the step in its record, or of another run is nobody’s', () => {
    expect(take(planning, planned(planning, 'eager', 'light'))[0]).toBe(planning);
    const unmarked = { ...wanted, spec: { ...wanted.spec, hash: 'light' } };
    expect(take(planning, { type: 'fallback-planned', run: 1, step: 'shorter', wanted: unmarked })[0].falling?.step).toBe('eager');
    expect(take({ ...planning, run: 2 }, planned(planning, 'shorter', 'light'))[0].life).toBe('backoff');
  });

  it.each<[string, Signal, State['life'], number]>([
    ['down', { type: 'down', force: false }, 'stopped', 1],
    ['up', { type: 'up', wanted: makeWanted('other'), rollback: true, by: 'up' }, 'preflight', 2],
    ['restart', { type: 'restart' }, 'preflight', 2],
  ])('loses against %s', (_, command, life, run) => {
    const [state] = take(planning, command);
    expect(state).toMatchObject({ life, run });
    expect(state.falling).toBeUndefined();
    expect(take(state, planned(planning, 'shorter', 'light'))[0]).toBe(state);
  });

  it('is asked for again by the next supervisor, which does what was asked meanwhile first', () => {
    const [recovering] = take(planning, { type: 'recovering' });
    expect(take(recovering, planned(planning, 'shorter', 'light'))[0]).toBe(recovering);
    const [again, effects] = take(recovering, { type: 'recovered', alive: false });
    expect(again).toMatchObject({ life: 'backoff', falling: { step: 'shorter' } });
    expect(kinds(effects)).toEqual(['cancel', 'plan-fallback', 'timer']);
    const [deferring] = take(recovering, { type: 'down', force: false });
    expect(take(deferring, { type: 'recovered', alive: false })[0].life).toBe('stopped');
  });
});

it('leaves a lighter profile of adapt to its own way back', () => {
  const settings = { when: {}, forMs: 0, backBelowPercent: 80, backAfterMs: 0, leastStayMs: 0, mostSteps: 4, steps: ['light'] };
  const light: Deployable = { ...makeWanted('light'), fallback: [shorter], adapt: { settings, ladder: [wanted, makeWanted('light')] } };
  expect(fail({ ...before, wanted: light }, { reason: 'kv_cache_too_small' })[0].life).toBe('failed');
  const top: Deployable = { ...wanted, adapt: { settings, ladder: [wanted, makeWanted('light')] } };
  const [planning] = fail({ ...before, wanted: top }, { reason: 'kv_cache_too_small' });
  const [state] = take(planning, planned(planning, 'shorter', 'shortened'));
  expect(state.wanted.adapt?.ladder.map(({ spec }) => spec.hash)).toEqual(['shortened', 'light']);
});
