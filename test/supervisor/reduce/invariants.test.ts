/** Steps that would break an invariant are not taken: the deployment is frozen, and looked at again when somebody asks. */
import { describe, expect, it } from 'vitest';
import { findBroken, reduceSafely } from '../../../src/supervisor/reduce/invariants.ts';
import type { Effect, Signal } from '../../../src/supervisor/signal.ts';
import type { State } from '../../../src/supervisor/state.ts';
import { makeRecord, makeState } from '../make.ts';

const moment = { wallMs: Date.parse('2026-01-01T00:00:00Z'), random: 0 };
const up = (changes: Partial<State>): State => makeState({ desired: 'up', run: 1, launch: makeRecord(1), ...changes });
const health: Signal = { type: 'health', run: 1, ok: false };
const reclaimed: Signal = { type: 'reclaimed', run: 1, survivors: [{ pid: 5, command: 'VLLM::Worker' }] };

const wrong: readonly { name: string; before: State; signal: Signal; after: Partial<State>; effects: readonly Effect[] }[] = [
  { name: 'I1 a launch while one serves', before: up({ life: 'ready' }), signal: health, after: {}, effects: [{ do: 'launch' }] },
  {
    name: 'I1 a start while one is being stopped',
    before: up({ life: 'stopping' }),
    signal: health,
    after: { life: 'preflight', run: 2 },
    effects: [{ do: 'preflight' }],
  },
  {
    name: 'I1 a start that is not counted',
    before: up({ life: 'backoff' }),
    signal: health,
    after: { life: 'preflight' },
    effects: [{ do: 'preflight' }],
  },
  {
    name: 'I3 a start while down is wanted',
    before: up({ life: 'backoff', desired: 'down' }),
    signal: health,
    after: { life: 'preflight', run: 2 },
    effects: [{ do: 'preflight' }],
  },
  {
    name: 'I4 stopped without proof',
    before: up({ life: 'stopping' }),
    signal: { type: 'exited', run: 1, exit: { cause: 'exit', at: '' }, permanent: false },
    after: { life: 'stopped' },
    effects: [],
  },
  { name: 'I4 stopped with a survivor', before: up({ life: 'reclaiming' }), signal: reclaimed, after: { life: 'stopped' }, effects: [] },
  {
    name: 'I5 a launch without its record',
    before: up({ life: 'preflight' }),
    signal: { type: 'preflight-passed', run: 1, record: makeRecord(1) },
    after: { life: 'starting', launch: makeRecord(7) },
    effects: [{ do: 'launch' }, { do: 'timer', timer: 'start-deadline', delayMs: 1 }],
  },
  {
    name: 'I6 a stop that waits for nothing',
    before: up({ life: 'ready' }),
    signal: { type: 'down', force: true },
    after: { life: 'killing' },
    effects: [],
  },
  { name: 'I8 a probe that kills', before: up({ life: 'ready' }), signal: health, after: { life: 'killing' }, effects: [{ do: 'kill' }] },
  {
    name: 'I8 an end while nothing can be seen',
    before: up({ life: 'ready' }),
    signal: { type: 'down', force: true },
    after: { life: 'unknown' },
    effects: [{ do: 'terminate' }, { do: 'timer', timer: 'sight', delayMs: 1 }],
  },
];

describe('a step that breaks', () => {
  it.each(wrong)('$name', ({ name, before, signal, after, effects }) => {
    expect(findBroken(before, signal, [{ ...before, ...after }, effects])?.invariant).toBe(name.slice(0, 2));
  });
});

describe('a frozen deployment', () => {
  const frozen = up({ life: 'ready', frozen: { invariant: 'I1', detail: 'ready → starting by health', at: '' } });

  it('takes no step, whatever happens', () => {
    const end: Signal = { type: 'exited', run: 1, exit: { cause: 'exit', at: '' }, permanent: false };
    for (const signal of [health, end, { type: 'recovering' } as const, { type: 'timer', run: 1, timer: 'kill' } as const]) {
      expect(reduceSafely(frozen, signal, moment)).toEqual([frozen, []]);
    }
  });

  it('looks at what lives when somebody asks for something, and then does it', () => {
    const [state, effects] = reduceSafely(frozen, { type: 'down', force: false }, moment);
    expect(state).toMatchObject({ life: 'recovering', before: 'ready', desired: 'down' });
    expect(state.frozen).toBeUndefined();
    expect(effects).toContainEqual({ do: 'recover' });
    const [seen] = reduceSafely(state, { type: 'recovered', alive: true }, moment);
    expect(seen).toMatchObject({ life: 'draining', desired: 'down' });
  });
});

it('a state that is not possible freezes, and says so', () => {
  // A hand-made record: a launch of another run than the one that is being checked.
  const before = up({ life: 'preflight' });
  const [state, effects] = reduceSafely(before, { type: 'preflight-passed', run: 1, record: makeRecord(7) }, moment);
  expect(state).toMatchObject({ life: 'preflight', frozen: { invariant: 'I5', detail: 'preflight → starting by preflight-passed' } });
  expect(effects).toEqual([{ do: 'emit', event: { type: 'frozen', invariant: 'I5', detail: 'preflight → starting by preflight-passed' } }]);
});
