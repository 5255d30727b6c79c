import { describe, expect, it } from 'vitest';
import { say } from '../../../src/core/message.ts';
import { reduce } from '../../../src/supervisor/reduce/reduce.ts';
import type { Effect, Signal, TimerName } from '../../../src/supervisor/signal.ts';
import type { State } from '../../../src/supervisor/state.ts';
import { makeRecord, makeState, makeWanted } from '../make.ts';

const at = { wallMs: Date.parse('2026-01-01T00:00:00Z'), random: 0 };
const exit = { cause: 'exit', at: '2026-01-01T00:00:00.000Z', code: 1, line: 'ValueError: no' };

/** Effects in short: `launch`, `emit ready`, `timer kill 40000`. */
function short(effects: readonly Effect[]): string[] {
  return effects.map((effect) => {
    if (effect.do === 'emit') return `emit ${effect.event.type}`;
    if (effect.do === 'timer') return `timer ${effect.timer} ${effect.delayMs}`;
    return effect.do === 'cancel' ? `cancel ${effect.timer}` : effect.do;
  });
}

function run(first: State, ...signals: Signal[]): { state: State; effects: string[] } {
  const effects: string[] = [];
  let state = first;
  for (const signal of signals) {
    const [next, more] = reduce(state, signal, at);
    state = next;
    effects.push(...short(more));
  }
  return { state, effects };
}

const up: Signal = { type: 'up', wanted: makeWanted(), rollback: true, by: 'up' };
const down: Signal = { type: 'down', force: false };
const passed = (n = 1): Signal => ({ type: 'preflight-passed', run: n, record: makeRecord(n) });
const launched = (n = 1): Signal => ({ type: 'launched', run: n, record: makeRecord(n) });
const gatePassed = (n = 1): Signal => ({ type: 'gate-passed', run: n, firstTokenMs: 60 });
const exited = (n = 1, extra: object = {}): Signal => ({ type: 'exited', run: n, exit, permanent: false, ...extra });
const reclaimed = (n = 1): Signal => ({ type: 'reclaimed', run: n, survivors: [] });
const killed = (n = 1): Signal => ({ type: 'killed', run: n, survivors: [] });
const recovered = (alive: boolean): Signal[] => [{ type: 'recovering' }, { type: 'recovered', alive }];
const timer = (name: TimerName, n = 1): Signal => ({
  type: 'timer',
  run: n,
  timer: name,
});

const starting = run(makeState(), up, passed(), launched()).state;
const ready = run(starting, gatePassed()).state;

describe('a start', () => {
  it('goes preflight → launch record → launch → watch → ready', () => {
    const { state, effects } = run(makeState(), up, passed(), launched(), gatePassed());
    expect(state).toMatchObject({ life: 'ready', desired: 'up', run: 1, launch: { launchId: 'launch-1' }, health: { ready: true } });
    expect(effects).toEqual([
      'emit requested',
      'cancel next-start',
      'emit preflight',
      'preflight',
      'emit launching',
      'launch',
      'timer start-deadline 1800000',
      'emit launched',
      'watch-start',
      'cancel start-deadline',
      'emit ready',
      'watch-health',
      'timer stable 600000',
    ]);
  });

  it('has the launch record in the state before the launch is asked for', () => {
    const [state, effects] = reduce(run(makeState(), up).state, passed(), at);
    expect(short(effects)).toContain('launch');
    expect(state.launch?.launchId).toBe('launch-1');
  });

  it('is not begun twice for the same spec', () => {
    for (const state of [run(makeState(), up).state, starting, ready]) {
      const { state: after, effects } = run(state, up);
      expect(effects).toEqual([]);
      expect(after.run).toBe(state.run);
    }
  });

  it('ends the launch when the deadline or the gate is missed, and tries again after a delay', () => {
    const timedOut = run(starting, { type: 'gate-timed-out', run: 1, check: 'chat', detail: 'HTTP 400' });
    expect(timedOut.state).toMatchObject({ life: 'stopping', lastExit: { cause: 'gate', line: 'chat: HTTP 400' } });
    expect(timedOut.effects).toContain('terminate');
    const after = run(timedOut.state, exited(), reclaimed());
    expect(after.state).toMatchObject({ life: 'backoff', failures: 1, lastExit: { cause: 'gate' } });
    expect(run(starting, timer('start-deadline')).state.lastExit?.cause).toBe('start-timeout');
  });

  it('has the diagnosis of its log, where it was ended because it was not ready in time', () => {
    const timedOut = run(starting, { type: 'gate-timed-out', run: 1, check: 'chat', detail: 'HTTP 400' });
    const diagnosis = { cause: 'tokenizer_or_chat_template', title: say('cause.unknown'), confidence: 'sure', evidence: [] } as const;
    const told = (permanent: boolean) =>
      exited(1, { exit: { ...exit, reason: diagnosis.cause, diagnosis: { ...diagnosis, permanent } }, permanent });
    const lastExit = { cause: 'gate', line: 'chat: HTTP 400', reason: diagnosis.cause, diagnosis: { permanent: false } };
    expect(run(timedOut.state, told(false)).state).toMatchObject({ life: 'reclaiming', lastExit });
    expect(run(timedOut.state, told(false), reclaimed()).state).toMatchObject({ life: 'backoff', lastExit });
    expect(run(timedOut.state, told(true), reclaimed()).state).toMatchObject({ life: 'failed', lastExit: { cause: 'gate' } });
  });

  it('fails for good when the same start fails the same way twice', () => {
    const once = run(starting, exited(1, { signature: 'ValueError: no' }), reclaimed());
    expect(once.state.life).toBe('backoff');
    const twice = run(once.state, timer('next-start'), passed(2), launched(2), exited(2, { signature: 'ValueError: no' }), reclaimed(2));
    expect(twice.state.life).toBe('failed');
    expect(twice.effects).toContain('emit failed');
    const other = run(once.state, timer('next-start'), passed(2), launched(2), exited(2, { signature: 'OSError' }), reclaimed(2));
    expect(other.state.life).toBe('backoff');
  });

  it('fails at once for a permanent cause', () => {
    const { state } = run(starting, exited(1, { permanent: true }), reclaimed());
    expect(state).toMatchObject({ life: 'failed', lastExit: { line: 'ValueError: no' } });
  });
});

describe('a start that fails before the engine does', () => {
  const taken = (n: number): Signal => ({
    type: 'preflight-failed',
    run: n,
    code: 'runtime/port-taken',
    reason: { id: 'life.port-taken', params: {} },
    permanent: false,
  });
  const notLaunched = (n: number, permanent: boolean): Signal => ({
    type: 'launch-failed',
    run: n,
    exit: { cause: 'launch', at: exit.at, line: 'ENOSPC' },
    permanent,
  });

  it('gives a port that somebody else holds three tries', () => {
    const second = run(run(makeState(), up, taken(1)).state, timer('next-start'), taken(2));
    expect(second.state.life).toBe('backoff');
    expect(run(second.state, timer('next-start', 2), taken(3)).state).toMatchObject({ life: 'failed', run: 3 });
  });

  it('is tried again for what may pass, however often, and not for what will not', () => {
    let state = run(makeState(), up).state;
    for (let n = 1; n <= 5; n += 1) {
      state = run(state, passed(n), notLaunched(n, false), reclaimed(n)).state;
      expect(state.life).toBe('backoff');
      state = run(state, timer('next-start', n)).state;
    }
    expect(run(state, passed(6), notLaunched(6, true), reclaimed(6)).state.life).toBe('failed');
  });
});

describe('a ready engine that ends', () => {
  it('is reclaimed first, then started again after the delay, and the restart is counted', () => {
    const gone = run(ready, exited());
    expect(gone.state.life).toBe('reclaiming');
    expect(gone.effects).toEqual(expect.arrayContaining(['emit exited', 'quiet', 'reclaim']));
    expect(gone.effects).not.toContain('preflight');
    const waiting = run(gone.state, reclaimed());
    expect(waiting.state).toMatchObject({ life: 'backoff', failures: 1 });
    expect(waiting.effects).toContain('timer next-start 2000');
    const again = run(waiting.state, timer('next-start'));
    expect(again.state).toMatchObject({ life: 'preflight', run: 2, restartsTotal: 1, lastExit: exit });
  });

  it('is restarted whatever its exit code says', () => {
    const zero = run(ready, { type: 'exited', run: 1, exit: { cause: 'exit', at: exit.at, code: 0 }, permanent: false }, reclaimed());
    expect(zero.state.life).toBe('backoff');
  });

  it('is restarted even for a cause that is permanent at a start: it did run', () => {
    expect(run(ready, exited(1, { permanent: true }), reclaimed()).state.life).toBe('backoff');
  });

  it('counts from the start again after being ready for long', () => {
    const worn = run({ ...ready, failures: 4 }, timer('stable')).state;
    expect(worn.failures).toBe(0);
  });
});

describe('a stop', () => {
  it('asks the main process, and kills everything after drain plus ten seconds', () => {
    const { state, effects } = run(ready, down);
    expect(state).toMatchObject({ life: 'draining', desired: 'down', health: { ready: false } });
    expect(effects).toEqual(expect.arrayContaining(['terminate', 'timer kill 40000']));
    expect(effects).not.toContain('timer term-again 5000');
  });

  it('obeys a shorter grace exactly', () => {
    expect(run(ready, { type: 'down', force: false, graceMs: 3000 }).effects).toContain('timer kill 3000');
  });

  it('repeats SIGTERM while starting, three times at most, then kills', () => {
    const first = run(starting, down);
    expect(first.effects).toEqual(expect.arrayContaining(['terminate', 'timer term-again 5000', 'timer kill 15000']));
    const more = run(first.state, timer('term-again'), timer('term-again'), timer('term-again'));
    expect(more.effects.filter((effect) => effect === 'terminate')).toHaveLength(2);
    expect(run(more.state, timer('kill')).effects).toContain('kill');
  });

  it('is stopped only after the reclaim found nothing', () => {
    const asked = run(ready, down, exited());
    expect(asked.state.life).toBe('reclaiming');
    expect(asked.effects).not.toContain('emit stopped');
    const proven = run(asked.state, reclaimed());
    expect(proven.state).toMatchObject({ life: 'stopped', desired: 'down' });
    expect(proven.effects).toContain('emit stopped');
    const stuck = run(asked.state, { type: 'reclaimed', run: 1, survivors: [{ pid: 7, command: 'VLLM::Worker', state: 'D' }] });
    expect(stuck.state).toMatchObject({ life: 'unkillable', survivors: [{ pid: 7 }] });
    expect(run(stuck.state, up).state.life).toBe('unkillable');
  });

  it('with force goes to the kill at once, also in the middle of a graceful one', () => {
    const force: Signal = { type: 'down', force: true };
    expect(run(ready, force).state.life).toBe('killing');
    expect(run(ready, down, force).effects.filter((effect) => effect === 'kill')).toHaveLength(1);
    expect(run(ready, force, killed(), reclaimed()).state.life).toBe('stopped');
  });

  it('that is asked for again with less time takes less time', () => {
    const { effects, state } = run(ready, down, { type: 'down', force: false, graceMs: 1000 });
    expect(effects).toContain('timer kill 1000');
    expect(state.life).toBe('draining');
    expect(run(ready, down, down).effects.filter((effect) => effect.startsWith('timer kill'))).toHaveLength(1);
  });

  it('of what cannot be killed is looked after until that has gone', () => {
    const survivors = [{ pid: 7, command: 'VLLM::Worker', state: 'D' }];
    const stuck = run(ready, down, exited(), { type: 'reclaimed', run: 1, survivors });
    expect(stuck.effects).toContain('timer recheck 30000');
    const again = run(stuck.state, timer('recheck'), { type: 'reclaimed', run: 1, survivors });
    expect(again.state.life).toBe('unkillable');
    expect(again.effects).toEqual(['reclaim', 'timer recheck 30000']);
    const other = run(again.state, timer('recheck'), { type: 'reclaimed', run: 1, survivors: [{ pid: 8, command: 'x' }] });
    expect(other.effects).toContain('emit unkillable');
    expect(run(again.state, timer('recheck'), reclaimed()).state.life).toBe('stopped');
    expect(run(stuck.state, down).effects).toContain('cancel recheck');
  });

  it('cancels a waiting start without touching anything', () => {
    const waiting = run(ready, exited(), reclaimed()).state;
    const { state, effects } = run(waiting, down);
    expect(state.life).toBe('stopped');
    expect(effects).toContain('cancel next-start');
    expect(run(state, timer('next-start')).state.life).toBe('stopped');
  });

  it('overtaking a launch still ends it', () => {
    const launching = run(makeState(), up, passed()).state;
    const { state, effects } = run(launching, down, launched());
    expect(effects).toContain('terminate');
    expect(state).toMatchObject({ life: 'stopping', launch: { process: { pid: 1001 } } });
    expect(run(launching, down, { type: 'launch-failed', run: 1, exit, permanent: true }, reclaimed()).state.life).toBe('stopped');
  });

  it('followed by up starts again when the old launch is gone, not before', () => {
    const both = run(ready, down, up);
    expect(both.effects).not.toContain('preflight');
    const after = run(both.state, exited(), reclaimed());
    expect(after.state).toMatchObject({ life: 'preflight', run: 2, desired: 'up' });
  });
});

describe('a replacement', () => {
  const other: Signal = { type: 'up', wanted: makeWanted('b'), rollback: true, by: 'up' };

  it('stops the old launch first', () => {
    const { state, effects } = run(ready, other);
    expect(state.life).toBe('draining');
    expect(effects).not.toContain('preflight');
    const next = run(state, exited(), reclaimed());
    expect(next.state).toMatchObject({ life: 'preflight', run: 2, wanted: { spec: { hash: 'b' } }, lastGood: { spec: { hash: 'a' } } });
  });

  it('gives the old engine the time that the old engine was promised', () => {
    const hasty: Signal = { ...other, wanted: makeWanted('b', { drainMs: 1000 }) } as Signal;
    expect(run(ready, hasty).effects).toContain('timer kill 40000');
  });

  it('of a launch that is still starting ends that first', () => {
    const { state, effects } = run(starting, other);
    expect(state).toMatchObject({ life: 'stopping', wanted: { spec: { hash: 'b' } } });
    expect(effects).toEqual(expect.arrayContaining(['terminate', 'timer term-again 5000', 'timer kill 15000']));
    expect(run(state, exited(), reclaimed()).state).toMatchObject({ life: 'preflight', run: 2 });
  });

  it('is refused, and not remembered, while something cannot be killed', () => {
    const stuck = run(ready, down, exited(), { type: 'reclaimed', run: 1, survivors: [{ pid: 7, command: 'x' }] }).state;
    const { state, effects } = run(stuck, other);
    expect(state).toEqual(stuck);
    expect(effects).toEqual(['emit unkillable']);
  });

  it('is not judged by the failures of what it replaces', () => {
    const failed = run(starting, exited(1, { signature: 'S' }), reclaimed()).state;
    const changed = run(failed, other, passed(2), launched(2), exited(2, { signature: 'S' }), reclaimed(2));
    expect(changed.state.life).toBe('backoff');
  });

  it('that fails, and then the last good one too, ends: nothing goes round in circles', () => {
    const back = run(ready, other, exited(), reclaimed(), passed(2), launched(2), exited(2, { permanent: true }), reclaimed(2));
    const gone = run(back.state, passed(3), launched(3), exited(3, { permanent: true }), reclaimed(3));
    expect(gone.state).toMatchObject({ life: 'failed', run: 3, wanted: { spec: { hash: 'a' } } });
    expect(gone.effects).not.toContain('emit rolling-back');
  });

  it('that does not start brings the last good one back', () => {
    const { state, effects } = run(
      ready,
      other,
      exited(),
      reclaimed(),
      passed(2),
      launched(2),
      exited(2, { permanent: true }),
      reclaimed(2),
    );
    expect(effects).toContain('emit rolling-back');
    expect(state).toMatchObject({ life: 'preflight', run: 3, wanted: { spec: { hash: 'a' } } });
  });

  it('is left failed when that is wished', () => {
    const stay: Signal = { ...other, rollback: false } as Signal;
    const { state } = run(ready, stay, exited(), reclaimed(), passed(2), launched(2), exited(2, { permanent: true }), reclaimed(2));
    expect(state).toMatchObject({ life: 'failed', wanted: { spec: { hash: 'b' } } });
  });
});

describe('a crash loop', () => {
  it('is recognised at the sixth failure in a row and tried again slowly', () => {
    let state: State = ready;
    const delays: string[] = [];
    for (let n = 1; n <= 6; n += 1) {
      const step = run(state, exited(n), reclaimed(n));
      delays.push(...step.effects.filter((effect) => effect.startsWith('timer next-start')));
      state = run(step.state, timer('next-start', n), passed(n + 1), launched(n + 1), gatePassed(n + 1)).state;
      if (n === 6) expect(step.state.life).toBe('crashloop');
    }
    expect(delays).toEqual([2000, 10_000, 20_000, 40_000, 80_000, 1_800_000].map((ms) => `timer next-start ${ms}`));
  });

  it('is recognised by restarts within an hour, however stable in between', () => {
    const restarts = Array.from({ length: 7 }, (_, n) => new Date(at.wallMs - n * 60_000).toISOString());
    expect(run({ ...ready, restarts }, exited(), reclaimed()).state.life).toBe('crashloop');
  });
});

describe('a person', () => {
  const restart: Signal = { type: 'restart' };
  const failed = run(starting, exited(1, { permanent: true }), reclaimed()).state;
  const looping: State = { ...run(ready, exited(), reclaimed()).state, life: 'crashloop', failures: 9, slowTries: 3 };

  it.each([
    ['up', up, failed],
    ['up', up, looping],
    ['restart', restart, failed],
    ['restart', restart, looping],
    ['restart', restart, run(ready, down, exited(), reclaimed()).state],
  ])('%s: starts again at once what had been given up or stopped', (_, signal, state) => {
    const after = run(state, signal);
    expect(after.state).toMatchObject({ life: 'preflight', desired: 'up', run: 2, failures: 0, slowTries: 0 });
    expect(after.effects).toContain('cancel next-start');
  });

  it('restart: stops with proof first what is ready', () => {
    const { state, effects } = run(ready, { type: 'restart', graceMs: 2000 });
    expect(effects).toContain('timer kill 2000');
    expect(run(state, exited(), reclaimed()).state).toMatchObject({ life: 'preflight', run: 2, restartsTotal: 0 });
  });
});

describe('signals that come late', () => {
  it('of another run change nothing, in any state', () => {
    const late: Signal[] = [passed(99), launched(99), gatePassed(99), exited(99), killed(99), reclaimed(99), timer('kill', 99)];
    const stuck = run(ready, down, exited(), { type: 'reclaimed', run: 1, survivors: [{ pid: 7, command: 'x' }] }).state;
    for (const state of [makeState(), starting, ready, run(ready, down).state, stuck]) {
      for (const signal of late) expect(reduce(state, signal, at)).toEqual([state, []]);
    }
  });
});

it('a launch that answers when everything is over does not count as running', () => {
  const over = run(run(makeState(), up, passed()).state, { type: 'down', force: true }, killed(), reclaimed()).state;
  expect(over.life).toBe('stopped');
  expect(run(over, launched())).toEqual({ state: over, effects: [] });
});

describe('health of a ready engine', () => {
  const miss: Signal = { type: 'health', run: 1, ok: false, reason: 'ETIMEDOUT' };
  it('is lost at the third miss in a row and back at the first answer', () => {
    const two = run(ready, miss, miss);
    expect(two.state.health.ready).toBe(true);
    const three = run(two.state, miss);
    expect(three.state.health).toMatchObject({ ready: false, reason: 'ETIMEDOUT' });
    expect(three.effects).toEqual(['cancel stable', 'emit health']);
    expect(run(three.state, { type: 'health', run: 1, ok: true }).state.health.ready).toBe(true);
    expect(three.state.life).toBe('degraded');
  });
});

describe('a new supervisor', () => {
  it('adopts a live engine: watched again, not started', () => {
    const { state, effects } = run({ ...ready, failures: 2, restartsTotal: 3 }, ...recovered(true));
    expect(effects).toEqual(expect.arrayContaining(['emit adopted', 'watch-health', 'timer stable 600000']));
    expect(effects).not.toContain('launch');
    expect(state).toMatchObject({ life: 'ready', run: 1, readyAt: ready.readyAt, health: { ready: true }, failures: 2, restartsTotal: 3 });
  });

  it('sends one that was starting through its gate', () => {
    const { state, effects } = run(starting, ...recovered(true));
    expect(effects).toEqual(expect.arrayContaining(['watch-start', 'timer start-deadline 1800000']));
    expect(run(state, gatePassed()).state.life).toBe('ready');
  });

  it('clears up after a dead one before starting again', () => {
    const { state, effects } = run(ready, ...recovered(false));
    expect(state.life).toBe('reclaiming');
    expect(effects).toContain('reclaim');
    expect(effects).not.toContain('preflight');
  });

  it('finishes an interrupted stop and honours the rest of a delay', () => {
    expect(run(run(ready, down).state, ...recovered(true)).effects).toContain('kill');
    const waiting = { ...run(ready, exited(), reclaimed()).state, nextStartAt: new Date(at.wallMs + 700).toISOString() };
    expect(run(waiting, ...recovered(false)).effects).toEqual(['recover', 'timer sight 10000', 'cancel sight', 'timer next-start 700']);
  });

  it('does not wait for ever when the clock was set back meanwhile', () => {
    const waiting = { ...run(ready, exited(), reclaimed()).state, nextStartAt: new Date(at.wallMs + 365 * 24 * 3_600_000).toISOString() };
    const { effects } = run(waiting, ...recovered(false));
    expect(Number(effects.at(-1)?.split(' ')[2])).toBeLessThanOrEqual(36 * 60_000);
  });
});

describe('a ready engine that hangs', () => {
  const stalled: Signal = { type: 'stalled', run: 1, cause: 'stall', forMs: 130_000 };
  const unhealthy = run(ready, stalled).state;
  const path = '/state/crashes/launch-1';

  it('is looked at before it is ended, and started again after a delay', () => {
    const first = run(ready, stalled);
    expect(first.state).toMatchObject({ life: 'unhealthy', health: { ready: false, reason: 'stall' }, lastExit: { cause: 'stall' } });
    expect(first.effects).toEqual(['quiet', 'cancel stable', 'cancel start-deadline', 'emit unhealthy', 'bundle', 'timer bundle 15000']);
    const ending = run(first.state, { type: 'bundled', run: 1, path });
    expect(ending.state).toMatchObject({ life: 'stopping', lastExit: { cause: 'stall', bundle: path } });
    expect(ending.effects).toContain('timer kill 10000');
    const after = run(ending.state, timer('kill'), killed(), reclaimed());
    expect(after.state).toMatchObject({ life: 'backoff', failures: 1, lastExit: { cause: 'stall', bundle: path } });
  });

  it('is ended without evidence that takes too long', () => {
    expect(run(unhealthy, timer('bundle')).state).toMatchObject({ life: 'stopping', lastExit: { cause: 'stall' } });
  });

  it('keeps its cause when it ends by itself meanwhile', () => {
    const { state } = run(unhealthy, exited());
    expect(state).toMatchObject({ life: 'reclaiming', lastExit: { cause: 'stall' } });
  });

  it('is not drained when somebody wants it down', () => {
    const { state, effects } = run(unhealthy, { type: 'down', force: false });
    expect(state).toMatchObject({ life: 'stopping', desired: 'down' });
    expect(effects).toContain('timer kill 10000');
    expect(effects).toContain('cancel bundle');
    expect(run(state, timer('kill'), killed(), reclaimed()).state.life).toBe('stopped');
  });

  it('is ended first by a supervisor that finds it so', () => {
    expect(run(unhealthy, ...recovered(true)).state.life).toBe('killing');
    expect(run(unhealthy, ...recovered(false)).state).toMatchObject({ life: 'reclaiming', lastExit: { cause: 'stall' } });
  });

  it('is only called so while it serves', () => {
    for (const state of [starting, run(ready, { type: 'down', force: false }).state]) expect(run(state, stalled).state).toBe(state);
  });
});

describe('a slow engine', () => {
  const slow: Signal = { type: 'slow', run: 1, reason: '/metrics: ETIMEDOUT' };

  it('is degraded, and nothing is done about it', () => {
    const { state, effects } = run(ready, slow);
    expect(state).toMatchObject({ life: 'degraded', health: { ready: true, slow: '/metrics: ETIMEDOUT' } });
    expect(effects).toEqual(['cancel stable', 'emit degraded']);
    const back = run(state, { type: 'slow', run: 1 });
    expect(back.state.life).toBe('ready');
    // Only a time of being ready without a break forgets failures.
    expect(back.effects).toEqual(['timer stable 600000', 'emit health']);
  });

  it('stays degraded while its health is lost too', () => {
    const miss: Signal = { type: 'health', run: 1, ok: false, reason: 'ETIMEDOUT' };
    const { state } = run(ready, slow, miss, miss, miss, { type: 'slow', run: 1 });
    expect(state).toMatchObject({ life: 'degraded', health: { ready: false } });
    expect(run(state, { type: 'health', run: 1, ok: true }).state.life).toBe('ready');
  });

  it('serves all the same: down, restart, up and a new supervisor treat it as ready', () => {
    const { state } = run(ready, slow);
    expect(run(state, up)).toEqual({ state, effects: [] });
    expect(run(state, { type: 'restart' }).state.life).toBe('draining');
    expect(run(state, { type: 'down', force: false }).state.life).toBe('draining');
    expect(run(state, ...recovered(true)).state.life).toBe('degraded');
  });
});

describe('what cannot be seen', () => {
  const lost: Signal = { type: 'out-of-sight', run: 1, reason: 'ETIMEDOUT' };

  it('is neither started nor ended, and looked for again', () => {
    const { state, effects } = run(ready, lost, timer('kill'), timer('stable'), { type: 'stalled', run: 1, cause: 'stall', forMs: 1 });
    expect(state).toMatchObject({ life: 'unknown', before: 'ready', health: { reason: 'ETIMEDOUT' } });
    expect(effects).toEqual(['emit unknown', 'timer sight 5000']);
    expect(run(state, timer('sight')).effects).toEqual(['recover', 'timer sight 10000']);
  });

  it('goes on as it was when it is seen again', () => {
    const { state, effects } = run(ready, lost, timer('sight'), { type: 'recovered', alive: true });
    expect(state.life).toBe('ready');
    expect(state.before).toBeUndefined();
    expect(effects).toEqual(expect.arrayContaining(['cancel sight', 'quiet', 'watch-health']));
  });

  it('keeps what is asked meanwhile, and does it then', () => {
    const blind = run(ready, lost, down);
    expect(blind.state).toMatchObject({ life: 'unknown', desired: 'down', deferred: { type: 'down' } });
    expect(blind.effects).not.toContain('terminate');
    const seen = run(blind.state, { type: 'recovered', alive: true });
    expect(seen.state).toMatchObject({ life: 'draining', desired: 'down' });
    expect(seen.effects).toContain('terminate');
    expect(seen.effects).not.toContain('emit requested');
  });

  it('that ends is gone, with its cause', () => {
    const { state } = run(ready, lost, exited());
    expect(state).toMatchObject({ life: 'reclaiming', lastExit: exit, ending: { is: 'failure', exit } });
  });

  it('at the begin of a supervisor: nobody can tell, so nothing is done', () => {
    const { state, effects } = run(ready, { type: 'recovering' }, { type: 'recovered', alive: 'unknown', reason: 'EMFILE' });
    expect(state).toMatchObject({ life: 'unknown', before: 'ready', health: { reason: 'EMFILE' } });
    expect(effects).toEqual(['recover', 'timer sight 10000', 'emit unknown', 'timer sight 5000']);
    expect(run(ready, { type: 'recovering' }, timer('sight')).state.life).toBe('unknown');
  });
});

describe('a drain', () => {
  const inFlight = (requests: number): Signal => ({ type: 'in-flight', run: 1, requests });
  const told = (state: State, signal: Signal, wallMs = at.wallMs) =>
    reduce(state, signal, { ...at, wallMs })[1].flatMap((effect) =>
      effect.do === 'emit' && effect.event.type === 'drained' ? [effect.event] : [],
    );

  it('becomes a stop when no request is left, and says how many ended', () => {
    const draining = run(ready, down, inFlight(3), inFlight(1)).state;
    expect(draining).toMatchObject({ life: 'draining', drain: { open: 3, left: 1 } });
    expect(told(draining, inFlight(0))).toEqual([{ type: 'drained', finished: 3, aborted: 0 }]);
    expect(run(draining, inFlight(0)).state.life).toBe('stopping');
  });

  it('cut off by the deadline says how many were', () => {
    const draining = run(ready, down, inFlight(3), inFlight(2)).state;
    expect(told(draining, timer('kill'))).toEqual([{ type: 'drained', finished: 1, aborted: 2 }]);
    expect(run(draining, timer('kill')).state.life).toBe('killing');
  });

  it('at the end of which the engine ended itself: within its limit all were finished, after it the rest was cut off', () => {
    const draining = run(ready, down, inFlight(2)).state;
    expect(told(draining, exited(), at.wallMs + 5000)).toEqual([{ type: 'drained', finished: 2, aborted: 0 }]);
    expect(told(draining, exited(), at.wallMs + 31_000)).toEqual([{ type: 'drained', finished: 0, aborted: 2 }]);
  });

  it('counts what goes after the limit as cut off, also where it goes one by one', () => {
    const draining = run(ready, down, inFlight(3)).state;
    const [later] = reduce(draining, inFlight(1), { ...at, wallMs: at.wallMs + 30_100 });
    expect(told(later, inFlight(0), at.wallMs + 30_200)).toEqual([{ type: 'drained', finished: 0, aborted: 3 }]);
    expect(told(later, timer('kill'), at.wallMs + 40_000)).toEqual([{ type: 'drained', finished: 0, aborted: 3 }]);
  });

  it('of an idle engine is not spoken of', () => {
    const { state, effects } = run(ready, down, inFlight(0), exited(), reclaimed());
    expect(state.life).toBe('stopped');
    expect(effects).not.toContain('emit drained');
  });
});

describe('a start that stands still', () => {
  const stall = (cause: 'start-stall' | 'download-stall'): Signal => ({
    type: 'start-stalled',
    run: 1,
    cause,
    forMs: 300_000,
    detail: 'loading',
  });

  it('is looked at, ended, and tried again', () => {
    const { state, effects } = run(starting, stall('start-stall'), { type: 'bundled', run: 1, path: '/c/1' }, exited(), reclaimed());
    expect(state).toMatchObject({ life: 'backoff', lastExit: { cause: 'start-stall', line: 'loading', bundle: '/c/1' } });
    expect(effects).toEqual(expect.arrayContaining(['bundle', 'terminate', 'reclaim', 'timer next-start 2000']));
  });

  it('at the same place twice is given up; a download never is for that', () => {
    for (const [cause, life] of [
      ['start-stall', 'failed'],
      ['download-stall', 'backoff'],
    ] as const) {
      const again = (n: number): Signal[] => [{ ...stall(cause), run: n } as Signal, { type: 'bundled', run: n }, exited(n), reclaimed(n)];
      const first = run(starting, ...again(1), timer('next-start'), passed(2), launched(2)).state;
      expect(run({ ...first, phase: starting.phase ?? 'spawned' }, ...again(2)).state.life).toBe(life);
    }
  });

  it('has its deadline put off by signs of life, four times at most', () => {
    const later = (ms: number, signal: Signal, state: State) => reduce(state, signal, { wallMs: at.wallMs + ms, random: 0 });
    const deadlineMs = 1_800_000;
    const [lively] = later(deadlineMs - 10_000, { type: 'progress', run: 1 }, starting);
    const [on, effects] = later(deadlineMs, timer('start-deadline'), lively);
    expect(on.life).toBe('starting');
    expect(short(effects)).toEqual(['timer start-deadline 60000']);
    expect(later(deadlineMs + 60_000, timer('start-deadline'), on)[0]).toMatchObject({
      life: 'stopping',
      lastExit: { cause: 'start-timeout' },
    });
    const waiting: Signal = { type: 'gate-waiting', run: 1, check: 'models', detail: '503' };
    const [asked] = later(deadlineMs - 5000, waiting, lively);
    expect(later(deadlineMs, timer('start-deadline'), asked)[0].life).toBe('starting');
    const [last] = later(7_199_000, { type: 'progress', run: 1 }, starting);
    expect(later(7_200_000, timer('start-deadline'), last)[0].life).toBe('stopping');
    expect(later(deadlineMs, timer('start-deadline'), starting)[0].life).toBe('stopping');
  });

  it('says how far a download is, not too often', () => {
    const bytes = (doneBytes: number): Signal => ({ type: 'downloading', run: 1, doneBytes, totalBytes: 100, bytesPerSecond: 5 });
    const { state, effects } = run(starting, bytes(1), bytes(2), bytes(100));
    expect(state.download).toMatchObject({ doneBytes: 100, totalBytes: 100 });
    expect(effects).toEqual(['emit download', 'emit download']);
  });
});
