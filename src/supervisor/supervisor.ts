/**
 * The single writer of a deployment's life. Everything that happens is a signal in one queue; for each one the pure
 * reducer gives the next state and the effects; the state is on disk before the first effect is performed. No
 * decision about the life of the deployment is made here, and nothing that goes wrong here may end the process: the
 * engine would lose its supervisor.
 */
import { type Clock, systemClock, type Timer } from '../core/clock.ts';
import type { LifeEvent } from '../core/event.ts';
import { say } from '../core/message.ts';
import { toDurationText } from '../core/units.ts';
import { errnoOf } from '../host/files.ts';
import { ClockSteps } from './clock-steps.ts';
import { type Deployment, isServing } from './deployment.ts';
import { EngineWork, type EngineWorkParts } from './engine-work.ts';
import type { Journal } from './journal.ts';
import { toProblem } from './launch/work.ts';
import { reduceSafely } from './reduce/invariants.ts';
import { LoadMeter } from './serving/load.ts';
import type { Effect, Signal, TimerName } from './signal.ts';
import { type Deployable, type State, toDeployment } from './state.ts';
import { writeState } from './store.ts';

export interface SupervisorParts
  extends Pick<
    EngineWorkParts,
    'runtimeOf' | 'filesOf' | 'waitForTurn' | 'pruneLaunches' | 'crashDirectory' | 'weightsOf' | 'onPage' | 'flagsOf'
  > {
  readonly state: State;
  readonly stateFile: string;
  readonly journal: Journal;
  readonly clock?: Clock;
  readonly random?: () => number;
  /** What starts of the present plan usually take. */
  readonly usuallySeconds?: () => number | undefined;
  /** What the step of `fallback` that the state is about to take would start; undefined: it cannot. */
  readonly planFallback?: (state: State) => Promise<Deployable | undefined>;
  /** Told around each step that leaves a trace; tests end the process there. */
  readonly onStep?: (step: Effect['do'] | 'persist', when: 'before' | 'after') => void;
}

interface Queued {
  readonly signal: Signal;
  readonly done: (after: number) => void;
}

export class Supervisor {
  private state: State;
  private readonly parts: SupervisorParts;
  private readonly clock: Clock;
  private readonly work: EngineWork;
  private readonly queue: Queued[] = [];
  private draining = false;
  private released = false;
  private commanded = false;
  private given: Readonly<Record<string, string>> = {};
  private readonly timers = new Map<TimerName, Timer>();
  private readonly steps: ClockSteps;
  private readonly meter = new LoadMeter();
  private readonly observers = new Set<(state: State) => void>();
  private persistenceProblem: string | undefined;
  private writing: Promise<void> = Promise.resolve();

  constructor(parts: SupervisorParts) {
    const { runtimeOf, filesOf, waitForTurn, pruneLaunches, crashDirectory, weightsOf, onPage, flagsOf } = parts;
    this.parts = parts;
    this.state = parts.state;
    this.clock = parts.clock ?? systemClock;
    this.steps = new ClockSteps(this.clock);
    this.work = new EngineWork({
      runtimeOf,
      filesOf,
      crashDirectory,
      ...(waitForTurn ? { waitForTurn } : {}),
      ...(pruneLaunches ? { pruneLaunches } : {}),
      ...(weightsOf ? { weightsOf } : {}),
      ...(onPage ? { onPage } : {}),
      ...(flagsOf ? { flagsOf } : {}),
      now: () => this.state,
      clock: this.clock,
      push: (signal) => void this.send(signal),
      append: (event) => this.append(event),
    });
  }

  /**
   * Takes over what the last supervisor left on disk: adopts a live engine, or clears up after a dead one. Resolves
   * when it is known which, or that nobody can tell.
   */
  async recover(): Promise<void> {
    await this.persist();
    const known = new Promise<void>((resolve) => {
      const stop = this.observe(({ life, frozen }) => {
        if (life === 'recovering' && frozen === undefined) return;
        stop();
        resolve();
      });
    });
    await this.send({ type: 'recovering' });
    if (this.state.life === 'recovering' && this.state.frozen === undefined) await known;
  }

  /**
   * Resolves when the signal has been reduced, its state is on disk (or could not be written) and its effects are
   * under way; with the number of the last event before its own.
   */
  send(signal: Signal): Promise<number> {
    return new Promise((resolve) => {
      if (signal.type === 'up' || signal.type === 'down' || signal.type === 'restart') this.commanded = true;
      this.queue.push({ signal, done: resolve });
      if (!this.draining) void this.drain();
    });
  }

  /** Values of `env:` references that only the asking shell knows. Never written anywhere. */
  give(secrets: Readonly<Record<string, string>>): void {
    this.given = { ...this.given, ...secrets };
    this.work.give(secrets);
  }

  get secrets(): Readonly<Record<string, string>> {
    return this.given;
  }

  get now(): State {
    return this.state;
  }

  /** Whether anybody has asked for anything yet. */
  get wasCommanded(): boolean {
    return this.commanded;
  }

  /** Whether a signal is being taken or waits for its turn: `now` does not show yet what comes of it. */
  get isBusy(): boolean {
    return this.draining;
  }

  /** The public document, with the engine's live numbers when it answers quickly. */
  async deployment(): Promise<Deployment> {
    const load = isServing(this.state.life) ? await this.meter.read(this.state.wanted.spec.endpoint) : undefined;
    const usuallySeconds = this.parts.usuallySeconds?.();
    const known = { ...(load ? { load } : {}), ...(usuallySeconds === undefined ? {} : { usuallySeconds }) };
    return toDeployment(this.state, { supervisorPid: process.pid, wallMs: this.clock.wall(), ...known });
  }

  /** Calls after every change of state. */
  observe(observer: (state: State) => void): () => void {
    this.observers.add(observer);
    return () => this.observers.delete(observer);
  }

  /** Lets go: timers and probes end, the engine is not touched. Nothing is written any more once this resolves. */
  async release(): Promise<void> {
    this.released = true;
    for (const timer of this.timers.values()) timer.cancel();
    this.work.release();
    await this.writing;
    await this.parts.journal.flush();
  }

  /** So that the numbers are there when somebody looks, and give a rate. */
  private sampleLoad(): void {
    if (!isServing(this.state.life)) return;
    this.meter
      .sample(this.state.wanted.spec.endpoint)
      .catch((error: unknown) => this.note(say('life.work-failed', { work: 'load', problem: toProblem(error) })));
  }

  private async drain(): Promise<void> {
    this.draining = true;
    for (let next = this.queue.shift(); next; next = this.queue.shift()) {
      const after = this.parts.journal.last;
      try {
        if (!this.released) await this.take(next.signal);
      } catch (error) {
        // A mistake of ours, or a signal from another version: it is left out and said, the rest goes on.
        this.note(say('life.work-failed', { work: next.signal.type, problem: toProblem(error) }));
      }
      next.done(after);
    }
    this.draining = false;
  }

  private async take(signal: Signal): Promise<void> {
    this.lookAtClock();
    const before = this.state;
    const [state, effects] = reduceSafely(before, signal, { wallMs: this.clock.wall(), random: (this.parts.random ?? Math.random)() });
    this.state = state;
    // What could not be written is tried again with every signal.
    if (this.persistenceProblem !== undefined || isWorthKeeping(before, state)) await this.persist();
    // Let go meanwhile: what this step leads to is the next supervisor's, who finds the state that was just written.
    if (this.released) return;
    for (const effect of effects) {
      this.parts.onStep?.(effect.do, 'before');
      this.perform(effect);
      this.parts.onStep?.(effect.do, 'after');
    }
    if (signal.type === 'gate-passed' || signal.type === 'health') this.sampleLoad();
    if (state !== before) for (const observer of this.observers) observer(state);
  }

  private lookAtClock(): void {
    const byMs = this.steps.look();
    if (byMs > 0) this.note(say('life.clock-forward', { by: toDurationText(byMs) }));
    if (byMs < 0) this.note(say('life.clock-back', { by: toDurationText(-byMs) }));
  }

  /** Writes down the state as it is by then, one write at a time: with each change, and when what was written is gone. */
  persist(): Promise<void> {
    this.writing = this.writing.then(() => this.write());
    return this.writing;
  }

  private async write(): Promise<void> {
    try {
      this.parts.onStep?.('persist', 'before');
      await writeState(this.parts.stateFile, this.state);
      this.parts.onStep?.('persist', 'after');
      if (this.persistenceProblem !== undefined) this.note(say('life.persistence-restored'));
      this.persistenceProblem = undefined;
    } catch (error) {
      const problem = errnoOf(error) ?? toProblem(error);
      // Full or read-only disk: serving and supervising go on from memory. Said once per problem.
      if (problem !== this.persistenceProblem) this.note(say('life.persistence-degraded', { problem }));
      this.persistenceProblem = problem;
    }
  }

  private perform(effect: Effect): void {
    switch (effect.do) {
      case 'emit':
        return this.append(effect.event);
      case 'timer':
        return this.setTimer(effect.timer, effect.delayMs);
      case 'cancel':
        this.timers.get(effect.timer)?.cancel();
        this.timers.delete(effect.timer);
        return;
      case 'quiet':
        return this.work.quiet();
      case 'plan-fallback':
        return void this.planFallback(this.state);
      default:
        return this.work.begin(effect.do, this.state);
    }
  }

  /** However it ends, the reducer hears of it. */
  private async planFallback(state: State): Promise<void> {
    const { run, falling } = state;
    if (falling === undefined) return;
    const wanted = await this.parts.planFallback?.(state).catch((error: unknown) => {
      this.note(say('life.fallback-refused', { step: falling.step, problem: toProblem(error) }));
      return undefined;
    });
    await this.send({ type: 'fallback-planned', run, step: falling.step, ...(wanted === undefined ? {} : { wanted }) });
  }

  private setTimer(timer: TimerName, delayMs: number): void {
    const { run } = this.state;
    this.timers.get(timer)?.cancel();
    this.timers.set(
      timer,
      this.clock.after(delayMs, () => void this.send({ type: 'timer', run, timer })),
    );
  }

  private note(note: Extract<LifeEvent, { type: 'note' }>['note']): void {
    this.append({ type: 'note', note });
  }

  private append(event: LifeEvent): void {
    const { name, run, launch, wanted } = this.state;
    this.parts.journal.append(event, {
      at: new Date(this.clock.wall()).toISOString(),
      deployment: name,
      run,
      ...(launch ? { launchId: launch.launchId } : {}),
      ...(wanted.spec.simulated ? { simulated: true as const } : {}),
    });
  }
}

/** Phases and probe results change often and are found again by looking; everything else must survive us. */
function isWorthKeeping(before: State, after: State): boolean {
  if (before === after) return false;
  const durable = ({ phase: _phase, phaseAt: _phaseAt, health: _health, download: _download, drain: _drain, ...rest }: State) =>
    JSON.stringify(rest);
  return durable(before) !== durable(after);
}
