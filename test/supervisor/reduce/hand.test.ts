/** What the supervisor makes of somebody's hand at the container of its engine. */
import { describe, expect, it } from 'vitest';
import type { Effect, Signal } from '../../../src/supervisor/signal.ts';
import type { State } from '../../../src/supervisor/state.ts';
import { makeRecord, makeState, makeWanted } from '../make.ts';
import { feed } from './feed.ts';

const at = '2026-01-01T00:00:00.000Z';
const moment = { wallMs: Date.parse(at), random: 0 };
const serving = makeState({ life: 'ready', desired: 'up', run: 1, launch: makeRecord(1), startedAt: at, readyAt: at });
const exited = (cause: string): Signal => ({ type: 'exited', run: 1, exit: { cause, at }, permanent: false });
const reclaimed: Signal = { type: 'reclaimed', run: 1, survivors: [] };

const toWord = (effect: Effect) => (effect.do === 'emit' ? `emit ${effect.event.type}` : effect.do);
const run = (state: State, ...signals: readonly Signal[]) => feed(state, signals, { moment, toWord });

describe('a container', () => {
  it.each(['starting', 'ready', 'degraded', 'unhealthy'] as const)('stopped by hand while %s is proven gone and stays down', (life) => {
    const { state, effects } = run({ ...serving, life }, exited('stopped-by-hand'), reclaimed);
    expect(state).toMatchObject({ life: 'stopped', desired: 'down', restartsTotal: 0, lastExit: { cause: 'stopped-by-hand' } });
    expect(effects).toEqual(expect.arrayContaining(['emit exited', 'reclaim', 'emit stopped']));
    expect(effects).not.toContain('preflight');
  });

  it('stopped by hand is started again by whoever asks for it, also while it is cleared away', () => {
    const up: Signal = { type: 'up', wanted: makeWanted(), rollback: true, by: 'up' };
    expect(run(serving, exited('stopped-by-hand'), reclaimed, up).state).toMatchObject({ life: 'preflight', desired: 'up', run: 2 });
    expect(run(serving, exited('stopped-by-hand'), up, reclaimed).state).toMatchObject({ life: 'preflight', desired: 'up', run: 2 });
  });

  it('stopped by hand while nobody could see stays down', () => {
    const blind = run(serving, { type: 'out-of-sight', run: 1, reason: 'ETIMEDOUT' }).state;
    expect(run(blind, exited('stopped-by-hand'), reclaimed).state).toMatchObject({ life: 'stopped', desired: 'down' });
  });

  it('removed by hand is an end like others', () => {
    expect(run(serving, exited('removed-by-hand'), reclaimed).state).toMatchObject({ life: 'backoff', desired: 'up', failures: 1 });
  });

  it('restarted by hand is looked for, and goes through its gate as the same launch; nothing is counted', () => {
    const record = { ...makeRecord(1), process: { pid: 4321, startTicks: 9 } };
    const { state, effects } = run(serving, exited('restarted-by-hand'), { type: 'recovered', alive: true, record });
    expect(state).toMatchObject({ life: 'starting', run: 1, failures: 0, restartsTotal: 0, launch: record });
    expect(state.readyAt).toBeUndefined();
    expect(effects).toEqual(expect.arrayContaining(['emit exited', 'recover', 'emit adopted', 'watch-start']));
    expect(effects.filter((effect) => ['reclaim', 'kill', 'terminate', 'launch'].includes(effect))).toEqual([]);
  });

  it('restarted by hand that ends before it is found is an end', () => {
    const { state } = run(serving, exited('restarted-by-hand'), { type: 'recovered', alive: false }, reclaimed);
    expect(state).toMatchObject({ life: 'backoff', desired: 'up' });
  });

  it('restarted by hand while it was to stop is ended all the same', () => {
    const stopping = run(serving, { type: 'down', force: false }, exited('restarted-by-hand'));
    expect(stopping.state.life).toBe('reclaiming');
    expect(run(stopping.state, reclaimed).state).toMatchObject({ life: 'stopped', desired: 'down' });
  });
});
