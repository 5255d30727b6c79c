/**
 * Adaptive steps, model-checked: random pressure, failing starts, dying engines and people, through the judge and the
 * guarded reducer, on a clock that only the walk moves. Held at every step: never more steps a day than allowed, never
 * two within the least stay, never one while it does not serve, no invariant broken (a broken one freezes); and when
 * the pressure is over for long, it runs again what was asked for.
 */
import { expect, it } from 'vitest';
import type { AdaptSettings } from '../../../src/profile/profile.ts';
import { type AdaptMemory, judgePressure, toFirstAdaptMemory } from '../../../src/supervisor/adapt/adapt.ts';
import { isServing } from '../../../src/supervisor/deployment.ts';
import { reduceSafely } from '../../../src/supervisor/reduce/invariants.ts';
import { toAdaptedNow, toAdaptPast, toBase, toRungNumber } from '../../../src/supervisor/reduce/ladder.ts';
import type { Effect, Signal, TimerName } from '../../../src/supervisor/signal.ts';
import type { Deployable, State } from '../../../src/supervisor/state.ts';
import { makeRecord, makeState, makeWanted } from '../make.ts';
import { seeded } from './world.ts';

const minute = 60_000;
const hour = 60 * minute;
const seeds = Number(process.env.ADAPT_SEEDS ?? 12);
const everyMs = 30_000;

const settings: AdaptSettings = {
  when: { cpuPercent: 90 },
  forMs: 2 * minute,
  backBelowPercent: 80,
  backAfterMs: 15 * minute,
  leastStayMs: 10 * minute,
  mostSteps: 4,
  steps: ['lighter', 'lightest'],
};

function toLadder(): Deployable {
  const ladder = ['heavy', 'lighter', 'lightest'].map((name) => ({ ...makeWanted(name), profile: name }));
  return { ...(ladder[0] ?? makeWanted()), adapt: { settings, ladder } };
}

/** What becomes of starts and engines while it lasts. */
interface Weather {
  readonly failShare: (hash: string) => number;
  readonly dieShare: number;
  readonly personShare: number;
  /** Of moments, at any time of its life, in which somebody demands a step for no reason. */
  readonly nonsenseShare: number;
  /** Of a look, percent; undefined: nothing could be read. */
  readonly cpu: () => number | undefined;
}

class World {
  state: State = makeState({ wanted: toLadder() });
  wallMs = Date.parse('2026-01-01T00:00:00Z');
  readonly steps: number[] = [];
  notes = 0;
  private alive: number | undefined;
  private readonly random: () => number;
  private readonly timers = new Map<TimerName, { readonly at: number; readonly run: number }>();
  private readonly pending: { readonly at: number; readonly signal: () => Signal | undefined }[] = [];
  private watching: { readonly run: number; readonly plan: unknown; memory: AdaptMemory; nextMs: number } | undefined;

  constructor(random: () => number) {
    this.random = random;
  }

  feed(signal: Signal): void {
    const before = this.state;
    const [state, effects] = reduceSafely(before, signal, { wallMs: this.wallMs, random: this.random() });
    this.state = state;
    expect(state.frozen, JSON.stringify(state.frozen)).toBeUndefined();
    for (const effect of effects) this.perform(effect, before);
    expect(isServing(state.life) ? this.alive : undefined, 'serves without an engine').toBe(isServing(state.life) ? state.run : undefined);
  }

  /** Time goes on to the next thing that happens, which is a look at the pressure at the latest. */
  pass(forMs: number, weather: Weather): void {
    const end = this.wallMs + forMs;
    this.weather = weather;
    while (this.wallMs < end) {
      // The reducer must hold by itself, whoever sends what and however often.
      if (this.random() < weather.nonsenseShare)
        this.feed({ type: 'adapt', run: this.state.run, to: this.random() < 0.5 ? 'lighter' : 'back', because: [] });
      this.watch();
      const nextMs = Math.min(end, this.watching?.nextMs ?? end, ...[...this.timers.values(), ...this.pending].map(({ at }) => at));
      this.wallMs = Math.max(this.wallMs, nextMs);
      const [name, timer] = [...this.timers].find(([, { at }]) => at <= this.wallMs) ?? [];
      const answer = this.pending.findIndex(({ at }) => at <= this.wallMs);
      if (answer >= 0) this.answer(answer);
      else if (name !== undefined && timer !== undefined) {
        this.timers.delete(name);
        this.feed({ type: 'timer', run: timer.run, timer: name });
      } else if (this.watching && this.watching.nextMs <= this.wallMs) this.look(weather);
    }
  }

  private weather: Weather = calm;

  private watch(): void {
    const { life, run, wanted, desired } = this.state;
    const plan = isServing(life) && desired === 'up' ? wanted.adapt : undefined;
    if (plan === undefined) this.watching = undefined;
    else if (this.watching?.run !== run || this.watching.plan !== plan)
      this.watching = { run, plan, memory: toFirstAdaptMemory(this.wallMs), nextMs: this.wallMs + everyMs };
  }

  private look(weather: Weather): void {
    const { watching, state } = this;
    if (watching === undefined) return;
    watching.nextMs += everyMs;
    const cpu = weather.cpu();
    const reading = { atMs: this.wallMs, wallMs: this.wallMs, values: cpu === undefined ? {} : { cpu } };
    const judged = judgePressure(watching.memory, reading, { settings, past: toAdaptPast(state), mostGapMs: 4 * everyMs });
    watching.memory = judged.memory;
    const { verdict } = judged;
    if (verdict.is !== 'nothing') this.feed({ type: 'adapt', run: watching.run, to: verdict.to, because: verdict.because });
    if (this.random() < weather.dieShare && this.alive !== undefined) this.die();
    if (this.random() < weather.personShare) this.feed(this.command());
  }

  private command(): Signal {
    const choice = this.random();
    if (choice < 0.5) return { type: 'up', wanted: toLadder(), rollback: this.random() < 0.5, by: 'up' };
    return choice < 0.8 ? { type: 'restart' } : { type: 'down', force: false };
  }

  private die(): void {
    const run = this.alive ?? 0;
    this.alive = undefined;
    this.feed({ type: 'exited', run, exit: { cause: 'exit', at: '', code: 1 }, permanent: false });
  }

  private answer(index: number): void {
    const [next] = this.pending.splice(index, 1);
    const signal = next?.signal();
    if (signal) this.feed(signal);
  }

  private soon(signal: () => Signal | undefined): void {
    this.pending.push({ at: this.wallMs + Math.floor(this.random() * minute), signal });
  }

  private perform(effect: Effect, before: State): void {
    const { run, wanted } = this.state;
    const end = () => {
      if (this.alive === run) this.alive = undefined;
    };
    switch (effect.do) {
      case 'timer':
        return void this.timers.set(effect.timer, { at: this.wallMs + effect.delayMs, run });
      case 'cancel':
        return void this.timers.delete(effect.timer);
      case 'emit':
        if (effect.event.type === 'adapted') this.noteStep(before);
        if (effect.event.type === 'note') this.notes += 1;
        return;
      case 'preflight':
        return this.soon(() => ({ type: 'preflight-passed', run, record: makeRecord(run) }));
      case 'launch':
        expect(this.alive, 'I1').toBeUndefined();
        this.alive = run;
        return this.soon(() => ({ type: 'launched', run, record: makeRecord(run) }));
      case 'watch-start':
        return this.soon(() => {
          if (this.random() >= this.weather.failShare(wanted.spec.hash)) return { type: 'gate-passed', run, firstTokenMs: 1 };
          end();
          return { type: 'exited', run, exit: { cause: 'exit', at: '', code: 1 }, permanent: false };
        });
      case 'terminate':
        return this.soon(() => {
          end();
          return { type: 'exited', run, exit: { cause: 'exit', at: '', code: 0 }, permanent: false };
        });
      case 'kill':
        end();
        return this.soon(() => ({ type: 'killed', run, survivors: [] }));
      case 'reclaim':
        end();
        return this.soon(() => ({ type: 'reclaimed', run, survivors: [] }));
      default:
    }
  }

  private noteStep(before: State): void {
    expect(isServing(before.life), `a step while ${before.life}`).toBe(true);
    expect(before.desired).toBe('up');
    const last = this.steps.at(-1);
    if (last !== undefined) expect(this.wallMs - last, 'two steps within the least stay').toBeGreaterThanOrEqual(settings.leastStayMs);
    this.steps.push(this.wallMs);
    const day = this.steps.filter((at) => at > this.wallMs - 24 * hour);
    expect(day.length, 'too many steps a day').toBeLessThanOrEqual(settings.mostSteps);
  }
}

const calm: Weather = { failShare: () => 0, dieShare: 0, personShare: 0, nonsenseShare: 0, cpu: () => 5 };
const busy: Weather = { ...calm, cpu: () => 99 };

function begin(seed: number): World {
  const world = new World(seeded(seed));
  world.feed({ type: 'up', wanted: toLadder(), rollback: true, by: 'up' });
  world.pass(10 * minute, calm);
  expect(world.state.life).toBe('ready');
  return world;
}

it(`${seeds} walks of two days never flap, break no invariant, and end with what was asked for`, { timeout: 20_000 + seeds * 1000 }, () => {
  const rungs = new Set<number>();
  for (let seed = 1; seed <= seeds; seed += 1) {
    const random = seeded(seed * 7919);
    const world = begin(seed);
    for (let passed = 0; passed < 48 * hour; ) {
      const level = random() * 110;
      const spread = random() * 40;
      const bad = random() < 0.3 ? random() * 0.5 : 0;
      const forMs = random() * 90 * minute;
      const cpu = () => (random() < 0.05 ? undefined : Math.min(100, level + (random() - 0.5) * spread));
      world.pass(forMs, { failShare: () => bad, dieShare: random() < 0.2 ? 0.02 : 0, personShare: 0.002, nonsenseShare: 0.02, cpu });
      passed += forMs;
      rungs.add(toRungNumber(world.state.wanted) ?? -1);
    }
    if (world.state.life === 'stopped' || world.state.life === 'failed')
      world.feed({ type: 'up', wanted: toLadder(), rollback: true, by: 'up' });
    world.pass(26 * hour, calm);
    expect([world.state.life, toRungNumber(world.state.wanted)], `seed ${seed}`).toEqual(['ready', 0]);
    expect(toAdaptedNow(world.state)).toBeUndefined();
  }
  expect([...rungs].sort()).toEqual([0, 1, 2]);
});

it('goes down one at a time while it lasts, and back one at a time after it', () => {
  const world = begin(1);
  world.pass(5 * minute, busy);
  expect(world.state.wanted.profile).toBe('lighter');
  expect(toAdaptedNow(world.state)).toMatchObject({ from: 'heavy', because: [{ what: 'cpu', value: 99, limit: 90 }] });
  world.pass(5 * hour, busy);
  expect([world.state.wanted.profile, world.steps.length]).toEqual(['lightest', 2]);
  world.pass(20 * minute, calm);
  expect(world.state.wanted.profile).toBe('lighter');
  world.pass(30 * minute, calm);
  expect([world.state.life, world.state.wanted.profile, world.steps.length]).toEqual(['ready', 'heavy', 4]);
  world.pass(10 * hour, busy);
  expect([world.state.wanted.profile, world.steps.length]).toEqual(['heavy', 4]);
  expect(world.notes).toBeGreaterThan(0);
});

it('serves again what it came from when a lighter one does not start, and does not try that one again', () => {
  const world = begin(2);
  const failing: Weather = { ...busy, failShare: (hash) => (hash === 'lighter' ? 1 : 0) };
  world.pass(10 * minute, failing);
  expect([world.state.life, world.state.wanted.profile]).toEqual(['ready', 'heavy']);
  world.pass(10 * hour, failing);
  expect([world.state.life, world.state.wanted.profile, world.steps.length]).toEqual(['ready', 'lightest', 2]);
});

it('keeps its rung when it is asked for again, and goes back to what was asked for by restart', () => {
  const world = begin(3);
  world.pass(10 * minute, busy);
  const { run } = world.state;
  world.feed({ type: 'up', wanted: toLadder(), rollback: true, by: 'up' });
  expect(world.state).toMatchObject({ run, life: 'ready', wanted: { profile: 'lighter' } });
  expect(toBase(world.state.wanted).profile).toBe('heavy');
  world.feed({ type: 'restart' });
  world.pass(5 * minute, calm);
  expect(world.state).toMatchObject({ run: run + 1, life: 'ready', wanted: { profile: 'heavy' } });
});

it('starts what is asked for after down, whatever ran before', () => {
  const world = begin(4);
  world.pass(10 * minute, busy);
  world.feed({ type: 'down', force: false });
  world.pass(5 * minute, calm);
  expect(world.state.life).toBe('stopped');
  expect(world.state.wanted.profile).toBe('heavy');
  world.feed({ type: 'up', wanted: toLadder(), rollback: true, by: 'up' });
  world.pass(5 * minute, calm);
  expect(world.state).toMatchObject({ life: 'ready', wanted: { profile: 'heavy' } });
});
