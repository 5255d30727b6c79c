/**
 * The supervisor's hands: performs the effects that take time on the engine of one deployment. What comes of them
 * returns as signals.
 *
 * Nothing here may reject. A full disk, no descriptor left, a directory that has gone: each becomes the signal that
 * the reducer waits for, or a note where it waits for none. The engine must not lose its supervisor over it.
 *
 * Races thought about:
 * - A stop may overtake the launch it wants to stop: `terminate`, `kill` and `reclaim` wait for it. The last two not
 *   for ever (a hung file system): then the launch's processes are found by its record, and an instance that comes
 *   out of it later is ended at once, because its run is over (`doneRun`).
 * - `quiet` replaces the controller of all watching; work that began before has the old one, which is aborted.
 */
import { type Clock, waitFor } from '../core/clock.ts';
import type { LifeEvent, Survivor } from '../core/event.ts';
import { type Message, say } from '../core/message.ts';
import type { LaunchSpec } from '../plan/launch-spec.ts';
import type { Exit, Instance, LaunchRecord, Remains, Runtime } from '../runtime/runtime.ts';
import { GpuDoor } from './gpu/door.ts';
import { prepareLaunch } from './launch/before.ts';
import { writeCrashBundle } from './launch/crash-bundle.ts';
import { toDrainWatch, watchDrain } from './launch/drain-watch.ts';
import type { ExitEvidenceReport } from './launch/exit-report.ts';
import { type ExitContext, explainExit } from './launch/explain-exit.ts';
import { explainHang } from './launch/explain-hang.ts';
import { toLaunchFailed } from './launch/failure.ts';
import { findEngine, withSight } from './launch/look.ts';
import { killAll, killWhole, proveGone, type Reclaiming } from './launch/reclaim.ts';
import { type LaunchFiles, readApiKey, readSecrets, toLaunchedSpec, toProblem } from './launch/work.ts';
import { type ServingWatch, watchServing } from './serving/watch.ts';
import type { Effect, Recovery, RunSignal } from './signal.ts';
import { watchStart } from './start/watch.ts';
import type { State } from './state.ts';

export type Work = Exclude<Effect['do'], 'emit' | 'timer' | 'cancel' | 'quiet' | 'plan-fallback'>;

export interface EngineWorkParts extends Pick<ServingWatch, 'onPage'>, Pick<ExitContext, 'flagsOf'> {
  readonly runtimeOf: (spec: LaunchSpec) => Runtime;
  readonly filesOf: (launchId: string) => LaunchFiles;
  /** Where what was seen of hanging engines is kept. */
  readonly crashDirectory: string;
  /** Resolves when this start may begin: others on its GPU come first. No limit counts meanwhile. */
  readonly waitForTurn?: (state: State) => Promise<void>;
  /** Deletes what launches of long ago have left. */
  readonly pruneLaunches?: () => Promise<void>;
  /** What the weights of a model take, where that is known. */
  readonly weightsOf?: (spec: LaunchSpec) => Promise<number | undefined>;
  readonly now?: () => State;
  readonly clock: Clock;
  readonly push: (signal: RunSignal | Recovery) => void;
  readonly append: (event: LifeEvent) => void;
}

/** How long a kill waits for a launch that does not come to an end. */
const launchLimitMs = 15_000;
const againMs = 1000;
const sampleMs = 60_000;

export class EngineWork {
  private readonly parts: EngineWorkParts;
  private readonly gpus: GpuDoor;
  private instance: Promise<Instance> | undefined;
  private held: Instance | undefined;
  private watching = new AbortController();
  private secrets: Readonly<Record<string, string>> = {};
  private readonly pages: string[] = [];
  private doneRun = 0;
  private released = false;
  private readonly pushSeen: (signal: RunSignal) => void;

  constructor(parts: EngineWorkParts) {
    this.parts = parts;
    this.pushSeen = withSight(parts.push, () => this.settled());
    this.gpus = new GpuDoor({ clock: parts.clock, note: (note) => this.tell(note) });
  }

  /** Begins; run, spec and record are those of this moment, whatever becomes of the state meanwhile. */
  begin(work: Work, state: State): void {
    const { signal } = this.watching;
    switch (work) {
      case 'preflight':
        return void this.preflight(
          state,
          this.attempt(work, async () => this.parts.waitForTurn?.(state)),
        );
      case 'launch':
        return void this.launch(state);
      case 'recover':
        return void this.recover(state);
      case 'watch-drain':
        return void this.keepWatching(work, signal, () => watchDrain({ ...this.parts, ...toDrainWatch(state) }, signal));
      case 'watch-start':
        return void this.keepWatching(work, signal, () => this.watchStart(state, signal));
      case 'watch-health':
        void this.keepWatching(work, signal, () => this.sample(signal));
        return void this.keepWatching(work, signal, () => this.watchServing(state, signal));
      case 'bundle':
        return void this.bundle(state);
      case 'terminate':
        return void this.attempt(work, async () => (await this.settled())?.terminate());
      case 'kill':
        return void this.kill(state);
      case 'reclaim':
        return void this.reclaim(state);
    }
  }

  /** Ends all probes and log reading. */
  quiet(): void {
    this.watching.abort();
    this.watching = new AbortController();
  }

  /** Values of `env:` references that only the asking shell knows. Never written anywhere. */
  give(secrets: Readonly<Record<string, string>>): void {
    this.secrets = { ...this.secrets, ...secrets };
  }

  /** Lets go: the engine is not touched. */
  release(): void {
    this.released = true;
    this.watching.abort();
    this.held?.release();
  }

  /** Takes over the engine of the state's record, if it is alive. That it cannot be looked at says nothing about it. */
  private async recover(state: State): Promise<void> {
    const { spec } = state.wanted;
    const runtime = this.parts.runtimeOf(toLaunchedSpec(state));
    const { instance, answer } = await findEngine(state, { runtime, explain: (exit, record) => this.explain(exit, record, spec) });
    if (instance) {
      // Not before there is another: of two looks that were slow, the later one may find it dead already.
      this.held?.release();
      this.hold(instance, spec);
    }
    this.parts.push(answer);
  }

  private async preflight(state: State, turn: Promise<unknown>): Promise<void> {
    await turn;
    this.parts.push(await prepareLaunch(state, { ...this.parts, gpus: this.gpus }));
  }

  private async launch({ launch: record, wanted: { spec }, run, name }: State): Promise<void> {
    if (record === undefined) return;
    this.pages.length = 0;
    const starting = this.start(spec, record, name);
    this.instance = starting;
    try {
      const instance = await starting;
      if (run <= this.doneRun) return await this.endLate(instance);
      this.hold(instance, spec);
      this.parts.push({ type: 'launched', run, record: instance.record });
      if (this.parts.pruneLaunches) void this.attempt('launch', this.parts.pruneLaunches);
    } catch (error) {
      if (this.instance === starting) this.instance = undefined;
      this.parts.push({ ...toLaunchFailed(error, new Date(this.parts.clock.wall()).toISOString()), run });
    }
  }

  private async start(spec: LaunchSpec, record: LaunchRecord, deployment: string): Promise<Instance> {
    const secrets = await readSecrets(spec.secretEnv, this.secrets);
    return this.parts.runtimeOf(spec).launch({ deployment, spec, record, secrets });
  }

  /** Its run was given up and cleared away while it was being started. */
  private async endLate(instance: Instance): Promise<void> {
    await this.attempt('launch', async () => {
      await killAll(instance);
      await instance.tidy();
    });
  }

  /** From now on this instance's end is a signal. */
  private hold(instance: Instance, spec: LaunchSpec): void {
    this.instance = Promise.resolve(instance);
    this.held = instance;
    const { run } = instance.record;
    instance.notices?.((told) => (told.type === 'note' ? this.tell(told.note) : this.parts.push({ ...told, run })));
    void this.watchExit(instance, spec);
  }

  private async watchExit({ exited, record }: Instance, spec: LaunchSpec): Promise<void> {
    const exit = await exited.catch((error: unknown) => {
      this.note('exit', error);
      return {};
    });
    if (this.released) return;
    this.parts.push({ type: 'exited', run: record.run, ...(await this.explain(exit, record, spec)) });
  }

  private explain(exit: Exit, record: LaunchRecord, spec: LaunchSpec): Promise<ExitEvidenceReport> {
    return explainExit(exit, record, this.toExitContext(spec, this.parts.now?.()));
  }

  private toExitContext(spec: LaunchSpec, state: State | undefined): ExitContext {
    const { clock, flagsOf } = this.parts;
    const about = { clock, spec, gpus: this.gpus, given: this.secrets, ...(state ? { state } : {}), ...(flagsOf ? { flagsOf } : {}) };
    return { ...about, members: () => this.members(), onProblem: (error) => this.note('exit', error) };
  }

  private async watchStart({ launch: record, wanted: { spec } }: State, signal: AbortSignal): Promise<void> {
    if (record === undefined) return;
    const secrets = () => Object.values(this.secrets);
    const asked = { apiKey: () => readApiKey(spec, this.secrets), members: () => this.members() };
    await watchStart({ ...this.parts, push: this.pushSeen, spec, record, secrets, ...asked }, signal);
  }

  private async watchServing({ run, wanted }: State, signal: AbortSignal): Promise<void> {
    const { spec } = wanted;
    const gpus = this.gpus.toServingWatch(wanted, () => this.settled());
    const about = { run, spec, pages: this.pages, members: () => this.members(), gpus };
    await watchServing({ ...this.parts, ...about, push: this.pushSeen, apiKey: () => readApiKey(spec, this.secrets) }, signal);
  }

  private async members(): Promise<readonly Survivor[]> {
    return (await this.settled())?.members() ?? [];
  }

  /** The reducer waits for the answer only so long, so that nothing here need be quick. */
  private async bundle(state: State): Promise<void> {
    let path: string | undefined;
    const lost = this.settled().then((instance) => this.gpus.observeLost(instance));
    const hang = explainHang(state, this.toExitContext(state.wanted.spec, state));
    await this.attempt('bundle', async () => {
      const pids = (await (await this.remainsOf(state)).members()).map(({ pid }) => pid);
      const secrets = Object.values(await readSecrets(state.wanted.spec.secretEnv, this.secrets).catch(() => this.secrets));
      const { pages, parts, watching } = this;
      path = await writeCrashBundle({ state, directory: parts.crashDirectory, pids, pages, secrets, signal: watching.signal });
    });
    const why = (await lost) ?? (await hang);
    this.parts.push({ type: 'bundled', run: state.run, ...(path === undefined ? {} : { path }), ...(why ? { why } : {}) });
  }

  /** What only living processes can tell: once when it is ready, then now and then. */
  private async sample(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await (await this.settled())?.sample();
      await waitFor(sampleMs, signal, this.parts.clock);
    }
  }

  private async kill(state: State): Promise<void> {
    this.parts.push(await killWhole(state, this.toReclaiming('kill', state)));
  }

  private async reclaim(state: State): Promise<void> {
    const reclaimed = await proveGone(state, this.toReclaiming('reclaim', state));
    if (reclaimed.type === 'reclaimed' && reclaimed.survivors.length === 0) {
      this.instance = undefined;
      this.doneRun = state.run;
    }
    this.parts.push(reclaimed);
  }

  private toReclaiming(work: Work, state: State): Reclaiming {
    const { gpus, parts } = this;
    const { clock, append } = parts;
    return { remains: () => this.remainsOf(state), gpus, clock, append, onProblem: (error) => this.note(work, error) };
  }

  /** Watching that fails for reasons of ours says nothing about the engine: it begins again. */
  private async keepWatching(work: Work, signal: AbortSignal, watch: () => Promise<void>): Promise<void> {
    while (!signal.aborted) {
      if (await this.attempt(work, watch)) return;
      await waitFor(againMs, signal, this.parts.clock);
    }
  }

  private async attempt(work: Work, once: () => Promise<void>): Promise<boolean> {
    try {
      await once();
      return true;
    } catch (error) {
      this.note(work, error);
      return false;
    }
  }

  private note(work: Work | 'exit', error: unknown): void {
    this.tell(say('life.work-failed', { work, problem: toProblem(error) }));
  }

  private tell(note: Message): void {
    if (!this.released) this.parts.append({ type: 'note', note });
  }

  private async settled(): Promise<Instance | undefined> {
    return this.instance?.catch(() => undefined);
  }

  private async remainsOf(state: State): Promise<Remains> {
    const done = new AbortController();
    const instance = await Promise.race([this.settled(), waitFor(launchLimitMs, done.signal, this.parts.clock).then(() => undefined)]);
    done.abort();
    if (instance) return instance;
    if (state.launch === undefined) return { members: async () => [], kill: async () => [], tidy: async () => undefined };
    return this.parts.runtimeOf(toLaunchedSpec(state)).remains(state.launch);
  }
}
