/**
 * The single writer of a deployment's life. Everything that happens is a signal in one queue; for each one the pure
 * reducer gives the next state and the effects; the state is on disk before the first effect is performed. No
 * decision about the life of the deployment is made here.
 */
import { type Clock, systemClock, type Timer } from '../core/clock.ts';
import { DeployError } from '../core/error.ts';
import { say } from '../core/message.ts';
import { errnoOf } from '../host/files.ts';
import type { LaunchSpec } from '../plan/launch-spec.ts';
import type { Instance, LaunchRecord, Remains, Runtime } from '../runtime/runtime.ts';
import type { Deployment } from './deployment.ts';
import type { Journal } from './journal.ts';
import {
  checkBeforeLaunch,
  createLaunchId,
  killAll,
  type LaunchFiles,
  observeExit,
  readSecret,
  readSecrets,
  reclaim,
  toLaunchRecord,
} from './launch-work.ts';
import { LoadMeter } from './load.ts';
import { watchHealth } from './probes.ts';
import { reduce } from './reduce.ts';
import type { Effect, RunSignal, Signal, TimerName } from './signal.ts';
import { toProbeTarget, watchStart } from './start-watch.ts';
import { type State, toDeployment } from './state.ts';
import { writeState } from './store.ts';

export interface SupervisorParts {
  readonly state: State;
  readonly stateFile: string;
  readonly journal: Journal;
  readonly runtimeOf: (spec: LaunchSpec) => Runtime;
  readonly filesOf: (launchId: string) => LaunchFiles;
  readonly clock?: Clock;
  readonly random?: () => number;
}

export class Supervisor {
  private state: State;
  private readonly parts: SupervisorParts;
  private readonly clock: Clock;
  private readonly queue: { readonly signal: Signal; readonly done: () => void }[] = [];
  private draining = false;
  private released = false;
  private instance: Promise<Instance> | undefined;
  private readonly timers = new Map<TimerName, Timer>();
  private watching = new AbortController();
  private secrets: Readonly<Record<string, string>> = {};
  private readonly meter = new LoadMeter();
  private readonly observers = new Set<(state: State) => void>();
  private persistenceProblem: string | undefined;

  constructor(parts: SupervisorParts) {
    this.parts = parts;
    this.state = parts.state;
    this.clock = parts.clock ?? systemClock;
  }

  /** Takes over what the last supervisor left on disk: adopts a live engine, or clears up after a dead one. */
  async recover(): Promise<void> {
    const { launch, wanted } = this.state;
    const instance = launch && (await this.parts.runtimeOf(wanted.spec).adopt(launch));
    if (instance) this.hold(instance);
    await this.send({ type: 'recovered', alive: instance !== undefined });
  }

  /** Resolves when the signal has been reduced, its state is on disk and its effects are under way. */
  send(signal: Signal): Promise<void> {
    return new Promise((resolve) => {
      this.queue.push({ signal, done: resolve });
      if (!this.draining) void this.drain();
    });
  }

  /** Values of `env:` references that only the asking shell knows. Never written anywhere. */
  give(secrets: Readonly<Record<string, string>>): void {
    this.secrets = { ...this.secrets, ...secrets };
  }

  get now(): State {
    return this.state;
  }

  /** The public document, with the engine's live numbers when it answers quickly. */
  async deployment(): Promise<Deployment> {
    const load = this.state.life === 'ready' ? await this.meter.read(this.state.wanted.spec.endpoint) : undefined;
    return toDeployment(this.state, { supervisorPid: process.pid, wallMs: this.clock.wall(), ...(load ? { load } : {}) });
  }

  /** Calls after every change of state. */
  observe(observer: (state: State) => void): () => void {
    this.observers.add(observer);
    return () => this.observers.delete(observer);
  }

  /** Lets go: timers and probes end, the engine is not touched. */
  async release(): Promise<void> {
    this.released = true;
    this.watching.abort();
    for (const timer of this.timers.values()) timer.cancel();
    if (this.instance) (await this.instance.catch(() => undefined))?.release();
    await this.parts.journal.flush();
  }

  private async drain(): Promise<void> {
    this.draining = true;
    for (let next = this.queue.shift(); next; next = this.queue.shift()) {
      if (this.released) {
        next.done();
        continue;
      }
      const before = this.state;
      const [state, effects] = reduce(before, next.signal, { wallMs: this.clock.wall(), random: (this.parts.random ?? Math.random)() });
      this.state = state;
      if (isWorthKeeping(before, state)) await this.persist();
      for (const effect of effects) this.perform(effect);
      next.done();
      if (state !== before) for (const observer of this.observers) observer(state);
    }
    this.draining = false;
  }

  private async persist(): Promise<void> {
    try {
      await writeState(this.parts.stateFile, this.state);
      this.persistenceProblem = undefined;
    } catch (error) {
      const problem = errnoOf(error);
      if (problem === undefined) throw error;
      // Full or read-only disk: serving and supervising go on from memory. Said once per problem.
      if (problem !== this.persistenceProblem) this.emitNote(problem);
      this.persistenceProblem = problem;
    }
  }

  private emitNote(problem: string): void {
    this.perform({ do: 'emit', event: { type: 'note', note: say('life.persistence-degraded', { problem }) } });
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
        this.watching.abort();
        this.watching = new AbortController();
        return;
      default:
        // The run is fixed here: an answer that comes late must not count for a later launch.
        void this.work(effect.do, { run: this.state.run, state: this.state });
    }
  }

  private async work(
    what: Exclude<Effect['do'], 'emit' | 'timer' | 'cancel' | 'quiet'>,
    { run, state }: { run: number; state: State },
  ): Promise<void> {
    const push = (signal: RunSignal) => void this.send(signal);
    const { spec } = state.wanted;
    switch (what) {
      case 'preflight':
        return push(await this.preflight(run, spec));
      case 'launch':
        return this.launch(state, push);
      case 'watch-start':
        return this.watchStart(state, push);
      case 'watch-health': {
        const target = toProbeTarget(spec, () => this.readApiKey(spec));
        return watchHealth(
          target,
          (ok, reason) => push({ type: 'health', run, ok, ...(reason === undefined ? {} : { reason }) }),
          this.watching.signal,
        );
      }
      case 'terminate':
        return (await this.settledInstance())?.terminate();
      case 'kill':
        return push({ type: 'killed', run, survivors: await killAll(await this.remainsOf(state)) });
      case 'reclaim': {
        const remains = await this.remainsOf(state);
        const survivors = await reclaim(remains, toLaunchedSpec(state), (left) => this.append({ type: 'survivors', survivors: left }));
        this.instance = undefined;
        return push({ type: 'reclaimed', run, survivors });
      }
    }
  }

  private async preflight(run: number, spec: LaunchSpec): Promise<RunSignal> {
    const { launchId, bootId } = await createLaunchId();
    const files = this.parts.filesOf(launchId);
    const result = await checkBeforeLaunch(spec, files.logFile);
    if (result.is === 'failed')
      return { type: 'preflight-failed', run, code: result.code, reason: result.reason, permanent: result.permanent };
    return { type: 'preflight-passed', run, record: toLaunchRecord(spec, { run, bootId, launchId, files }) };
  }

  private async launch(state: State, push: (signal: RunSignal) => void): Promise<void> {
    const { launch: record, wanted, run } = state;
    if (record === undefined) return;
    this.instance = this.startInstance(wanted.spec, record);
    try {
      const instance = await this.instance;
      this.hold(instance);
      push({ type: 'launched', run, record: instance.record });
    } catch (error) {
      if (!(error instanceof DeployError)) throw error;
      this.instance = undefined;
      const exit = { cause: 'launch', at: new Date(this.clock.wall()).toISOString(), diagnosis: error.code, line: error.message };
      push({ type: 'launch-failed', run, exit, permanent: true });
    }
  }

  private async startInstance(spec: LaunchSpec, record: LaunchRecord): Promise<Instance> {
    const secrets = await readSecrets(spec.secretEnv, this.secrets);
    return this.parts.runtimeOf(spec).launch({ deployment: this.state.name, spec, record, secrets });
  }

  /** From now on this instance's end is a signal. */
  private hold(instance: Instance): void {
    this.instance = Promise.resolve(instance);
    const { run, logFile } = instance.record;
    void instance.exited.then(async (exit) => {
      if (this.released) return;
      const report = await observeExit(exit, logFile, new Date(this.clock.wall()).toISOString());
      await this.send({ type: 'exited', run, ...report });
    });
  }

  private async watchStart(state: State, push: (signal: RunSignal) => void): Promise<void> {
    const { launch: record, wanted } = state;
    if (record === undefined) return;
    const { signal } = this.watching;
    await watchStart({ spec: wanted.spec, record, apiKey: () => this.readApiKey(wanted.spec), push }, signal);
  }

  /** Without the value (only the asking shell knows it) a probe goes without: a 401 is no proof against the engine. */
  private async readApiKey(spec: LaunchSpec): Promise<string | undefined> {
    if (spec.apiKey === undefined) return undefined;
    return readSecret(spec.apiKey, this.secrets).catch((error: unknown) => {
      if (error instanceof DeployError) return undefined;
      throw error;
    });
  }

  /** A stop may overtake the launch it wants to stop: then it waits for it. */
  private async settledInstance(): Promise<Instance | undefined> {
    return this.instance?.catch(() => undefined);
  }

  private async remainsOf(state: State): Promise<Remains> {
    const instance = await this.settledInstance();
    if (instance) return instance;
    if (state.launch === undefined) return { members: async () => [], kill: async () => [], tidy: async () => undefined };
    return this.parts.runtimeOf(state.wanted.spec).remains(state.launch);
  }

  private setTimer(timer: TimerName, delayMs: number): void {
    const { run } = this.state;
    this.timers.get(timer)?.cancel();
    this.timers.set(
      timer,
      this.clock.after(delayMs, () => void this.send({ type: 'timer', run, timer })),
    );
  }

  private append(event: Extract<Effect, { do: 'emit' }>['event']): void {
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
  const durable = ({ phase: _phase, health: _health, ...rest }: State) => JSON.stringify(rest);
  return durable(before) !== durable(after);
}

/** A replacement may already be wanted while the old launch is reclaimed: its own address counts. */
function toLaunchedSpec(state: State): LaunchSpec {
  const { spec } = state.wanted;
  return state.launch ? { ...spec, endpoint: { host: state.launch.host, port: state.launch.port } } : spec;
}
