/**
 * The world of seeded random walks: a small world performs the reducer's effects in any order that could really happen, people
 * give random commands, engines die at random. Checked at every step, by an error that names what broke:
 *  I1 never two live launches · I3 nothing is launched while `down` is wanted · I4 `stopped` only when nothing lives
 *  I5 the launch record is in the state before the launch · I6 no transient state without something that will answer
 *  no step of `fallback` twice, unless somebody asked for something else
 *  and at the end a `down` always leads to `stopped` (drain). I2 and I8 need processes and probes: other tests.
 */
import type { Survivor } from '../../../src/core/event.ts';
import type { FallbackStep } from '../../../src/profile/profile.ts';
import { findBroken } from '../../../src/supervisor/reduce/invariants.ts';
import { reduce } from '../../../src/supervisor/reduce/reduce.ts';
import type { Effect, Signal, TimerName } from '../../../src/supervisor/signal.ts';
import type { Deployable, Fix, State } from '../../../src/supervisor/state.ts';
import { makeRecord, makeState, makeWanted } from '../make.ts';

/** Lives that one seed leads through, one for each step; then `down`, which must lead to `stopped`. */
export function* walk(seed: number, steps: number): Generator<State['life'] | 'planning a step'> {
  const world = new World(seeded(seed));
  for (let step = 0; step < steps; step += 1) {
    world.step();
    yield world.state.falling && world.state.life === 'backoff' ? 'planning a step' : world.state.life;
  }
  world.feed({ type: 'down', force: false });
  world.drain();
  must(world.state.life === 'stopped', `after down it is ${world.state.life}`);
}

const transient = [
  'preflight',
  'starting',
  'unhealthy',
  'draining',
  'stopping',
  'killing',
  'reclaiming',
  'backoff',
  'crashloop',
  'unkillable',
  'recovering',
  'unknown',
];

class World {
  state: State = makeState();
  readonly alive = new Set<number>();
  readonly timers = new Map<TimerName, number>();
  /** What effects will answer, in any order. */
  readonly pending: (() => Signal | undefined)[] = [];
  /** Steps of `fallback` since it was last asked for. */
  private readonly fallen = new Set<string>();
  private wallMs = 1_767_225_600_000;
  private readonly random: () => number;
  /** What runs the engine answers nobody for a while. */
  private away = false;

  constructor(random: () => number) {
    this.random = random;
  }

  feed(signal: Signal): void {
    this.wallMs += Math.floor(this.random() * 5000);
    const before = this.state;
    const [state, effects] = reduce(before, signal, { wallMs: this.wallMs, random: this.random() });
    const broken = findBroken(before, signal, [state, effects]);
    must(broken === undefined, `${broken?.invariant}: ${broken?.detail}`);
    this.state = state;
    for (const effect of effects) this.perform(effect);
    this.check(signal);
  }

  /** One thing that could happen next. */
  step(): void {
    const dice = this.random();
    if (dice < 0.08) return this.feed(this.command());
    if (dice < 0.16 && this.alive.size > 0) return this.die();
    if (dice < 0.3 && this.timers.size > 0) return this.fire();
    if (dice < 0.34) return this.feed({ type: 'health', run: this.state.run, ok: this.random() < 0.5 });
    if (dice < 0.36) return this.feed({ type: 'slow', run: this.state.run, ...(this.random() < 0.5 ? { reason: 'stall' } : {}) });
    if (dice < 0.37) return this.feed({ type: 'stalled', run: this.state.run, cause: 'stall', forMs: 120_000 });
    if (dice < 0.385) return this.feed({ type: 'out-of-sight', run: this.state.run, reason: 'ETIMEDOUT' });
    if (dice < 0.4) return this.feed({ type: 'progress', run: this.state.run });
    if (dice < 0.405) {
      this.away = !this.away;
      return;
    }
    if (dice < 0.415) return this.feed({ type: 'start-stalled', run: this.state.run, cause: 'start-stall', forMs: 1, detail: '' });
    this.answer();
  }

  /** Lets everything run out: answers first, then timers. */
  drain(): void {
    this.away = false;
    for (let n = 0; n < 400 && this.state.life !== 'stopped'; n += 1) {
      if (this.pending.length > 0) this.answer();
      else if (this.timers.size > 0) this.fire();
      else break;
    }
  }

  private command(): Signal {
    const wanted = { ...makeWanted(this.random() < 0.5 ? 'a' : 'b'), fallback };
    const choice = this.random();
    if (choice < 0.4) this.fallen.clear();
    if (choice < 0.4) return { type: 'up', wanted, rollback: this.random() < 0.5, by: 'up' };
    if (choice < 0.7) return { type: 'down', force: this.random() < 0.3 };
    if (choice < 0.9) return { type: 'restart' };
    // A supervisor that is killed and replaced: what was pending or timed dies with it.
    this.pending.length = 0;
    this.timers.clear();
    return { type: 'recovering' };
  }

  private die(): void {
    const [run] = this.alive;
    if (run === undefined) return;
    const hand = this.random();
    // Somebody has restarted its container: it lives on.
    if (hand < 0.1) return this.feed({ type: 'exited', run, exit: { cause: 'restarted-by-hand', at: '' }, permanent: false });
    this.alive.delete(run);
    if (hand < 0.2) return this.feed({ type: 'exited', run, exit: { cause: 'stopped-by-hand', at: '' }, permanent: false });
    const permanent = this.random() < 0.2;
    const reason = this.random() < 0.5 ? 'kv_cache_too_small' : 'engine_dead_runtime';
    const exit = { cause: 'exit', at: '', code: 1, reason };
    this.feed({ type: 'exited', run, exit, permanent, signature: `${Math.floor(this.random() * 3)}` });
  }

  private fire(): void {
    const [timer, run] = [...this.timers][Math.floor(this.random() * this.timers.size)] ?? [];
    if (timer === undefined || run === undefined) return;
    this.timers.delete(timer);
    this.feed({ type: 'timer', run, timer });
  }

  private answer(): void {
    const [next] = this.pending.splice(Math.floor(this.random() * this.pending.length), 1);
    const signal = next?.();
    if (signal) this.feed(signal);
  }

  private perform(effect: Effect): void {
    const { run } = this.state;
    switch (effect.do) {
      case 'timer':
        this.timers.set(effect.timer, run);
        return;
      case 'cancel':
        this.timers.delete(effect.timer);
        return;
      case 'emit':
        if (effect.event.type === 'fell-back') this.fall(effect.event.step);
        if (effect.event.type === 'stopped') must(this.alive.size === 0, 'I4: stopped while an engine lives');
        return;
      case 'preflight':
        this.pending.push(() =>
          this.random() < 0.85
            ? { type: 'preflight-passed', run, record: toContained(run) }
            : {
                type: 'preflight-failed',
                run,
                code: 'runtime/port-taken',
                reason: { id: 'life.port-taken', params: {} },
                permanent: this.random() < 0.2,
              },
        );
        return;
      case 'launch':
        must(this.state.launch?.run === run, 'I5: launched without its record');
        must(this.state.desired === 'up', 'I3: launched while down is wanted');
        must(this.alive.size === 0, 'I1: launched while an engine lives');
        if (this.random() < 0.9) {
          this.alive.add(run);
          this.pending.push(() => ({ type: 'launched', run, record: toContained(run) }));
        } else {
          this.pending.push(() => ({ type: 'launch-failed', run, exit: { cause: 'launch', at: '' }, permanent: this.random() < 0.5 }));
        }
        return;
      case 'watch-start':
        this.pending.push(() =>
          this.random() < 0.7
            ? { type: 'gate-passed', run, firstTokenMs: 1 }
            : { type: 'gate-timed-out', run, check: 'chat', detail: '400' },
        );
        return;
      case 'plan-fallback': {
        const { wanted, falling } = this.state;
        this.pending.push(() => toPlanned({ run, wanted, step: falling?.step ?? '' }, this.random()));
        return;
      }
      case 'recover':
        this.pending.push(() => {
          const alive = this.alive.has(this.state.run);
          return this.away ? { type: 'recovered', alive: 'unknown', ...this.look(!alive) } : { type: 'recovered', alive };
        });
        return;
      case 'watch-drain':
        this.pending.push(() => ({ type: 'in-flight', run, requests: Math.floor(this.random() * 3) }));
        return;
      case 'bundle':
        // Now and then it takes too long, and the timer has the last word.
        if (this.random() < 0.7) this.pending.push(() => ({ type: 'bundled', run, path: '/crashes/1' }));
        return;
      case 'terminate':
        this.pending.push(() => {
          if (this.random() < 0.4 || !this.alive.delete(run)) return undefined;
          return { type: 'exited', run, exit: { cause: 'exit', at: '', code: 0 }, permanent: false };
        });
        return;
      case 'kill':
        this.pending.push(() => this.lose(run) ?? { type: 'killed', run, survivors: this.endAll(run) });
        return;
      case 'reclaim':
        this.pending.push(() => this.lose(run) ?? { type: 'reclaimed', run, survivors: this.endAll(run) });
        return;
      default:
    }
  }

  /** The kernel may end what its engine of containers cannot, and may show that or not. */
  private lose(run: number): Signal | undefined {
    if (!this.away) return undefined;
    if (this.random() < 0.5) this.alive.delete(run);
    return { type: 'out-of-sight', run, ...this.look(!this.alive.has(run)) };
  }

  private look(gone: boolean): { readonly reason: string; readonly gone?: boolean } {
    return { reason: 'docker/silent', ...(this.random() < 0.5 ? { gone } : {}) };
  }

  /** Now and then a process hangs in the kernel for a while. */
  private endAll(run: number): readonly Survivor[] {
    if (this.random() < 0.1) return [{ pid: 1000 + run, command: 'VLLM::Worker', state: 'D' }];
    this.alive.delete(run);
    return [];
  }

  private fall(step: string): void {
    must(!this.fallen.has(step), `${step} is taken twice`);
    this.fallen.add(step);
  }

  private check(signal: Signal): void {
    if (transient.includes(this.state.life)) {
      must(this.pending.length + this.timers.size > 0, `I6: ${this.state.life} after ${signal.type} waits for nothing`);
    }
    must(!this.state.falling || ['backoff', 'recovering', 'unknown'].includes(this.state.life), `a step is planned in ${this.state.life}`);
    must(this.alive.size <= 1, 'I1: two engines live');
    must(this.state.owed === undefined || this.alive.size === 0, 'called gone while an engine lives');
    must(this.state.owed === undefined || ['unknown', 'recovering'].includes(this.state.life), `owed in ${this.state.life}`);
  }
}

const fallback: readonly FallbackStep[] = [
  { name: 'shorter', set: { 'vllm.max-model-len': 1024 } },
  { name: 'unfit', set: { 'vllm.dtype': 'float32' } },
  { name: 'lighter', profile: 'lighter' },
];

/** Now and then it cannot be planned, or changes nothing. */
function toPlanned({ run, wanted, step }: { run: number; wanted: Deployable; step: string }, random: number): Signal {
  if (random < 0.2) return { type: 'fallback-planned', run, step };
  const fix: Fix = { set: {}, cause: 'kv_cache_too_small', at: '', by: 'fallback', step, changes: [] };
  const source = { ...wanted.source, fixes: [...(wanted.source.fixes ?? []), fix] };
  const hash = random < 0.3 ? wanted.spec.hash : `${wanted.spec.hash}, ${step}`;
  return { type: 'fallback-planned', run, step, wanted: { ...wanted, spec: { ...wanted.spec, hash }, source } };
}

function toContained(run: number) {
  return { ...makeRecord(run), containerId: String(run).repeat(64).slice(0, 64) };
}

function must(holds: boolean, broken: string): void {
  if (!holds) throw new Error(broken);
}

/** mulberry32: small, seeded, good enough to wander. */
export function seeded(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
