/** Steps between rungs and what else is asked for meanwhile. */
import { expect, it } from 'vitest';
import type { AdaptSettings } from '../../../src/profile/profile.ts';
import { reduce } from '../../../src/supervisor/reduce/reduce.ts';
import type { Signal } from '../../../src/supervisor/signal.ts';
import type { Deployable, State } from '../../../src/supervisor/state.ts';
import { makeRecord, makeState, makeWanted } from '../make.ts';

const moment = { wallMs: Date.parse('2026-01-01T00:00:00Z'), random: 0 };
const settings: AdaptSettings = {
  when: { cpuPercent: 90 },
  forMs: 60_000,
  backBelowPercent: 80,
  backAfterMs: 60_000,
  leastStayMs: 60_000,
  mostSteps: 4,
  steps: ['lighter'],
};
const ladder = ['heavy', 'lighter'].map((profile) => ({ ...makeWanted(profile), profile }));
const withLimit = (cpuPercent: number): Deployable => ({
  ...(ladder[0] ?? makeWanted()),
  adapt: { settings: { ...settings, when: { cpuPercent } }, ladder },
});

const run = (first: State, ...signals: Signal[]) => signals.reduce((state, signal) => reduce(state, signal, moment)[0], first);
const up = (wanted: Deployable): Signal => ({ type: 'up', wanted, rollback: true, by: 'up' });
const start = (n: number): Signal[] => [
  { type: 'preflight-passed', run: n, record: makeRecord(n) },
  { type: 'launched', run: n, record: makeRecord(n) },
];
const end = (n: number): Signal[] => [
  { type: 'exited', run: n, exit: { cause: 'exit', at: '', code: 1 }, permanent: false },
  { type: 'reclaimed', run: n, survivors: [] },
];
const lighter: Signal = { type: 'adapt', run: 1, to: 'lighter', because: [] };
const ready = run(makeState(), up(withLimit(90)), ...start(1), { type: 'gate-passed', run: 1, firstTokenMs: 1 });

it('a failed first start on a rung is left at once', () => {
  const state = run(ready, lighter, ...end(1), ...start(2), ...end(2));
  expect(state).toMatchObject({ run: 3, life: 'preflight', wanted: { profile: 'heavy' }, adapted: { unfit: ['lighter'] } });
});

it('a failed first start of what was asked for while the last engine ended for a step is tried again', () => {
  const state = run(ready, lighter, up(makeWanted('other')), ...end(1), ...start(2), ...end(2));
  expect(state).toMatchObject({ run: 2, life: 'backoff', wanted: { spec: { hash: 'other' } } });
});

it('what it falls back to has the thresholds that were asked for last', () => {
  const asked = withLimit(70);
  const state = run(ready, up(asked), lighter, ...end(1), ...start(2), ...end(2));
  expect(state.wanted.adapt?.settings.when).toEqual({ cpuPercent: 70 });
});
