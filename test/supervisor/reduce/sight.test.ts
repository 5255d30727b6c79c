/** What the supervisor makes of an engine of containers that cannot be asked while a launch is being ended. */
import { describe, expect, it } from 'vitest';
import type { LifeState } from '../../../src/supervisor/deployment.ts';
import type { Effect, Signal } from '../../../src/supervisor/signal.ts';
import { type State, toDeployment } from '../../../src/supervisor/state.ts';
import { makeRecord, makeState } from '../make.ts';
import { feed } from './feed.ts';

const at = '2026-01-01T00:00:00.000Z';
const moment = { wallMs: Date.parse(at), random: 0 };
const containerId = 'c'.repeat(64);
const launch = { ...makeRecord(1), containerId };
const ending = (life: LifeState, more: Partial<State> = {}) =>
  makeState({ life, desired: 'down', run: 1, launch, startedAt: at, ending: { is: 'down' }, ...more });
const reason = 'docker/unreachable: /run/docker.sock: ECONNREFUSED';
const unseen = (gone?: boolean): Signal => ({ type: 'out-of-sight', run: 1, reason, ...(gone === undefined ? {} : { gone }) });
const stillUnseen = (gone?: boolean): Signal => ({ type: 'recovered', alive: 'unknown', reason, ...(gone === undefined ? {} : { gone }) });
const sight: Signal = { type: 'timer', run: 1, timer: 'sight' };
const reclaimed: Signal = { type: 'reclaimed', run: 1, survivors: [] };

function toWord(effect: Effect): string {
  if (effect.do === 'timer') return `timer ${effect.timer}`;
  if (effect.do !== 'emit') return effect.do;
  return effect.event.type === 'unknown' ? `unknown ${effect.event.owed ?? '-'}` : effect.event.type;
}

const run = (state: State, ...signals: readonly Signal[]) => feed(state, signals, { moment, toWord });

const lives = ['draining', 'stopping', 'killing', 'reclaiming', 'unkillable'] as const;

describe('a launch that is being ended while Docker cannot be asked', () => {
  it.each(lives)('and is proven gone while %s owes the removal of its container, and waits for it', (life) => {
    const { state, effects } = run(ending(life), unseen(true), sight, stillUnseen(true), sight, stillUnseen(true));
    expect(state).toMatchObject({ life: 'unknown', before: life, owed: containerId, failures: 0, health: { ready: false, reason } });
    expect(effects.filter((effect) => effect.startsWith('unknown'))).toEqual([`unknown ${containerId}`]);
    expect(effects).toContain('recover');
    expect(effects.filter((effect) => ['kill', 'reclaim', 'preflight', 'launch'].includes(effect))).toEqual([]);
    const document = toDeployment(state, { wallMs: moment.wallMs });
    expect(document.owed).toEqual({ containerId });
    expect(document.pid).toBeUndefined();
  });

  it.each(lives)('is settled while %s as soon as Docker answers: cleared away first, then stopped, and nothing is counted', (life) => {
    const back = run(ending(life), unseen(true), sight, { type: 'recovered', alive: false });
    expect(back.state).toMatchObject({ life: 'reclaiming', ending: { is: 'down' } });
    expect(back.state.owed).toBeUndefined();
    expect(back.effects).toContain('reclaim');
    expect(run(back.state, reclaimed).state).toMatchObject({ life: 'stopped', failures: 0, restartsTotal: 0 });
  });

  it.each(lives)('and lives on is ended while %s when Docker answers', (life) => {
    const { state, effects } = run(ending(life), unseen(false), sight, { type: 'recovered', alive: true });
    expect(state.life).toBe('killing');
    expect(effects).toContain('kill');
    expect(state.owed).toBeUndefined();
  });

  it('and of which nobody can tell whether it is gone owes nothing, and its container is named all the same', () => {
    for (const gone of [undefined, false]) {
      const { state, effects } = run(ending('killing'), unseen(gone));
      expect(state.owed).toBeUndefined();
      expect(effects).toEqual(['unknown -', 'timer sight']);
      expect(toDeployment(state, { wallMs: moment.wallMs })).toMatchObject({ state: 'unknown', containerId });
    }
  });

  it('says it once more when it is known to be gone, and takes that back when it is not', () => {
    const { state, effects } = run(ending('killing'), unseen(), sight, stillUnseen(true), sight, stillUnseen(), sight, stillUnseen(false));
    expect(effects.filter((effect) => effect.startsWith('unknown'))).toEqual(['unknown -', `unknown ${containerId}`, 'unknown -']);
    expect(state.owed).toBeUndefined();
  });

  it('keeps its failure, which counts once, and starts again only after the proof', () => {
    const exit = { cause: 'exit', at, code: 1 };
    const failed = ending('reclaiming', { desired: 'up', ending: { is: 'failure', exit, permanent: false } });
    const blind = run(failed, unseen(true));
    expect(run(blind.state, { type: 'timer', run: 1, timer: 'next-start' }).effects).toEqual([]);
    const { state } = run(blind.state, sight, { type: 'recovered', alive: false }, reclaimed);
    expect(state).toMatchObject({ life: 'backoff', failures: 1, lastExit: exit });
  });

  it('keeps what is asked meanwhile: down again, with or without force, and up', () => {
    const blind = run(ending('killing'), unseen(true)).state;
    for (const force of [false, true]) {
      const asked = run(blind, { type: 'down', force });
      expect(asked.state).toMatchObject({ life: 'unknown', owed: containerId, deferred: { type: 'down' } });
      expect(run(asked.state, sight, { type: 'recovered', alive: false }, reclaimed).state.life).toBe('stopped');
    }
    const up = run(blind, { type: 'up', wanted: blind.wanted, rollback: true, by: 'up' });
    expect(up.state).toMatchObject({ life: 'unknown', desired: 'up', run: 1 });
    const back = run(up.state, sight, { type: 'recovered', alive: false });
    expect(back.state).toMatchObject({ life: 'reclaiming', run: 1 });
    expect(run(back.state, reclaimed).state).toMatchObject({ life: 'preflight', run: 2 });
  });

  it('is looked at by a new supervisor with what is known', () => {
    const { state } = run(ending('killing'), unseen(true), { type: 'recovering' }, stillUnseen());
    expect(state).toMatchObject({ life: 'unknown', before: 'killing', owed: containerId });
  });
});

it('what is over cannot be lost from sight', () => {
  for (const life of ['stopped', 'failed', 'backoff', 'crashloop', 'preflight'] as const) {
    const state = makeState({ life, run: 1, launch });
    expect(run(state, unseen(true))).toEqual({ state, effects: [] });
  }
});

describe('an engine that somebody stopped while no supervisor was there', () => {
  const exit = { cause: 'stopped-by-hand', at, signal: 'SIGTERM' };
  it.each(['starting', 'ready', 'degraded'] as const)('is held, and that is said: %s', (life) => {
    const before = makeState({ life, desired: 'up', run: 1, launch, startedAt: at });
    const { state, effects } = run(before, { type: 'recovering' }, { type: 'recovered', alive: false, exit }, reclaimed);
    expect(state).toMatchObject({ life: 'stopped', desired: 'down', restartsTotal: 0, lastExit: exit });
    expect(effects).toEqual(expect.arrayContaining(['exited', 'reclaim', 'stopped']));
    expect(effects).not.toContain('preflight');
  });
});
