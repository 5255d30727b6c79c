/** What the reducer makes of GPUs: waiting, giving up, and a stop whose memory did not come back. */
import { expect, it } from 'vitest';
import { say } from '../../../src/core/message.ts';
import { findBroken } from '../../../src/supervisor/reduce/invariants.ts';
import { reduce } from '../../../src/supervisor/reduce/reduce.ts';
import type { Signal } from '../../../src/supervisor/signal.ts';
import type { State } from '../../../src/supervisor/state.ts';
import { makeRecord, makeState, makeWanted } from '../make.ts';

const moment = { wallMs: Date.parse('2026-01-01T00:10:00Z'), random: 0 };
const at = '2026-01-01T00:09:00.000Z';
const held = { cause: 'vram-held', reason: 'vram-held', at, line: 'GPU 0: 11.7 GiB' };
const failure = { is: 'failure', exit: { cause: 'exit', at }, permanent: false } as const;
const ended: Partial<State> = { life: 'reclaiming', desired: 'up', run: 1, launch: makeRecord(1), readyAt: at };

function step(changes: Partial<State>, signal: Signal): { readonly state: State; readonly told: readonly string[] } {
  const before = makeState(changes);
  const taken = reduce(before, signal, moment);
  expect(findBroken(before, signal, taken)).toBeUndefined();
  return { state: taken[0], told: taken[1].flatMap((effect) => (effect.do === 'emit' ? [effect.event.type] : [])) };
}

const reclaimed = { type: 'reclaimed', run: 1, survivors: [], held } as const;

it.each<[string, Partial<State>, State['life']]>([
  ['a crash', { ending: failure }, 'failed'],
  ['a replacement', { ending: { is: 'replace' } }, 'failed'],
  ['a new configuration, with one to go back to', { ending: failure, rollback: true, lastGood: makeWanted('b') }, 'failed'],
  ['a stop', { ending: { is: 'down' }, desired: 'down' }, 'stopped'],
])('D8 memory that did not come back after %s', (_, changes, life) => {
  const { state, told } = step({ ...ended, ...changes }, reclaimed);
  expect(state).toMatchObject({ life, lastExit: held });
  expect(told).toEqual([life]);
});

it.each<[State['life'], string, State['life']]>([
  ['ready', 'gpu', 'failed'],
  ['starting', 'gpu', 'failed'],
  ['ready', 'exit', 'backoff'],
])('I1 an end while %s by %s, for good, leads to %s', (life, cause, after) => {
  const exit = { cause, at, reason: 'xid-79' };
  const { state } = step({ ...ended, life }, { type: 'exited', run: 1, exit, permanent: true });
  expect(state.life).toBe('reclaiming');
  expect(step(state, { type: 'reclaimed', run: 1, survivors: [] }).state.life).toBe(after);
});

it('I5 I7 a start that waits for its GPU is tried again, however often; another reason is not', () => {
  const fail = (state: Partial<State>, waits?: true) =>
    step(
      { ...state, life: 'preflight', desired: 'up', run: 1 },
      {
        type: 'preflight-failed',
        run: 1,
        code: 'host/gpu-taken',
        reason: say('life.gpu-no-owner'),
        permanent: false,
        ...(waits ? { waits } : {}),
      },
    ).state;
  const repeat = (times: number, waits?: true) => Array.from({ length: times }).reduce<Partial<State>>((state) => fail(state, waits), {});
  // Six failures would be a crash loop: here nothing has failed.
  expect(repeat(20, true)).toMatchObject({ life: 'backoff', failures: 0, waits: true });
  expect(repeat(3).life).toBe('failed');
});
