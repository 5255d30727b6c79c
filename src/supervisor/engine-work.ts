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
import { DeployError } from '../core/error.ts';
import type { LifeEvent, Survivor } from '../core/event.ts';
import { say } from '../core/message.ts';
import type { LaunchSpec } from '../plan/launch-spec.ts';
import type { Instance, LaunchRecord, Remains, Runtime } from '../runtime/runtime.ts';
import { writeCrashBundle } from './crash-bundle.ts';
import {
  checkBeforeLaunch,
  createLaunchId,
  insist,
  isPermanentLaunchError,
  killAll,
  type LaunchFiles,
  observeExit,
  readSecret,
  readSecrets,
  reclaim,
  toLaunchedSpec,
  toLaunchRecord,
  toProblem,
} from './launch-work.ts';
import { watchServing } from './serving-watch.ts';
import type { Effect, RunSignal } from './signal.ts';
import { watchStart } from './start-watch.ts';
import type { State } from './state.ts';

export type Work = Exclude<Effect['do'], 'emit' | 'timer' | 'cancel' | 'quiet'>;

export interface EngineWorkParts {
  readonly runtimeOf: (spec: LaunchSpec) => Runtime;
  readonly filesOf: (launchId: string) => LaunchFiles;
  /** Where what was seen of hanging engines is kept. */
  readonly crashDirectory: string;
  /** Resolves when this start may begin: others on its GPU come first. No limit counts meanwhile. */
  readonly waitForTurn?: (state: State) => Promise<void>;
  /** Deletes what launches of long ago have left. */
  readonly pruneLaunches?: () => Promise<void>;
  readonly clock: Clock;
  readonly push: (signal: RunSignal) => void;
  readonly append: (event: LifeEvent) => void;
}

/** How long a kill waits for a launch that does not come to an end. */
const launchLimitMs = 15_000;
const againMs = 1000;
const sampleMs = 60_000;

export class EngineWork {
  private readonly parts: EngineWorkParts;
  private instance: Promise<Instance> | undefined;
  private held: Instance | undefined;
  private watching = new AbortController();
  private secrets: Readonly<Record<string, string>> = {};
  private readonly pages: string[] = [];
  private doneRun = 0;
  private released = false;

  constructor(parts: EngineWorkParts) {
    this.parts = parts;
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

  /** Takes over the engine of the state's record, if it is alive. */
  async adopt(state: State): Promise<boolean> {
    const { launch } = state;
    if (launch === undefined) return false;
    const instance = await this.parts.runtimeOf(toLaunchedSpec(state)).adopt(launch);
    if (instance) this.hold(instance);
    return instance !== undefined;
  }

  /** Lets go: the engine is not touched. */
  release(): void {
    this.released = true;
    this.watching.abort();
    this.held?.release();
  }

  private async preflight({ run, wanted }: State, turn: Promise<unknown>): Promise<void> {
    const { push } = this.parts;
    await turn;
    try {
      const { launchId, bootId } = await createLaunchId();
      const files = this.parts.filesOf(launchId);
      const result = await checkBeforeLaunch(wanted.spec, files.logFile, this.parts.clock);
      if (result.is === 'failed') push({ ...result, type: 'preflight-failed', run });
      else push({ type: 'preflight-passed', run, record: toLaunchRecord(wanted.spec, { run, bootId, launchId, files }) });
    } catch (error) {
      const reason = say('life.work-failed', { work: 'preflight', problem: toProblem(error) });
      push({ type: 'preflight-failed', run, code: 'host/io-failed', reason, permanent: false });
    }
  }

  private async launch({ launch: record, wanted: { spec }, run, name }: State): Promise<void> {
    if (record === undefined) return;
    const starting = this.start(spec, record, name);
    this.instance = starting;
    try {
      const instance = await starting;
      if (run <= this.doneRun) return await this.endLate(instance);
      this.hold(instance);
      this.parts.push({ type: 'launched', run, record: instance.record });
      if (this.parts.pruneLaunches) void this.attempt('launch', this.parts.pruneLaunches);
    } catch (error) {
      if (this.instance === starting) this.instance = undefined;
      const exit = { cause: 'launch', at: this.at(), line: toProblem(error) };
      const diagnosis = error instanceof DeployError ? error.code : 'host/io-failed';
      this.parts.push({ type: 'launch-failed', run, exit: { ...exit, diagnosis }, permanent: isPermanentLaunchError(error) });
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
  private hold(instance: Instance): void {
    this.instance = Promise.resolve(instance);
    this.held = instance;
    void this.watchExit(instance);
  }

  private async watchExit({ exited, record: { run, logFile } }: Instance): Promise<void> {
    const exit = await exited.catch((error: unknown) => {
      this.note('exit', error);
      return {};
    });
    if (this.released) return;
    const at = this.at();
    const report = await observeExit(exit, logFile, at).catch((error: unknown) => {
      // That it has ended counts; the log only says why.
      this.note('exit', error);
      return { exit: { cause: 'exit', at, ...exit }, permanent: false };
    });
    this.parts.push({ type: 'exited', run, ...report });
  }

  private async watchStart({ launch: record, wanted: { spec } }: State, signal: AbortSignal): Promise<void> {
    if (record) await watchStart({ spec, record, apiKey: () => this.readApiKey(spec), push: this.parts.push }, signal);
  }

  private async watchServing({ run, wanted: { spec } }: State, signal: AbortSignal): Promise<void> {
    await watchServing({ ...this.parts, run, spec, apiKey: () => this.readApiKey(spec), pages: this.pages }, signal);
  }

  /** The reducer waits for the answer only so long, so that nothing here need be quick. */
  private async bundle(state: State): Promise<void> {
    let path: string | undefined;
    await this.attempt('bundle', async () => {
      const pids = (await (await this.remainsOf(state)).members()).map(({ pid }) => pid);
      const secrets = Object.values(await readSecrets(state.wanted.spec.secretEnv, this.secrets).catch(() => this.secrets));
      const { pages, parts, watching } = this;
      path = await writeCrashBundle({ state, directory: parts.crashDirectory, pids, pages, secrets, signal: watching.signal });
    });
    this.parts.push({ type: 'bundled', run: state.run, ...(path === undefined ? {} : { path }) });
  }

  /** What only living processes can tell: once when it is ready, then now and then. */
  private async sample(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await (await this.settled())?.sample();
      await waitFor(sampleMs, signal, this.parts.clock);
    }
  }

  /** Without the value (only the asking shell knows it) a probe goes without. */
  private async readApiKey(spec: LaunchSpec): Promise<string | undefined> {
    if (spec.apiKey === undefined) return undefined;
    return readSecret(spec.apiKey, this.secrets).catch((error: unknown) => {
      if (error instanceof DeployError) return undefined;
      throw error;
    });
  }

  private async kill(state: State): Promise<void> {
    const survivors = await this.insist('kill', state, async () => killAll(await this.remainsOf(state)));
    this.parts.push({ type: 'killed', run: state.run, survivors });
  }

  private async reclaim(state: State): Promise<void> {
    const survivors = await this.insist('reclaim', state, async () =>
      reclaim(await this.remainsOf(state), toLaunchedSpec(state), {
        onLeftover: (left) => this.parts.append({ type: 'survivors', survivors: left }),
        onUntidy: (error) => this.note('reclaim', error),
      }),
    );
    if (survivors.length === 0) {
      this.instance = undefined;
      this.doneRun = state.run;
    }
    this.parts.push({ type: 'reclaimed', run: state.run, survivors });
  }

  private insist(work: Work, { launch }: State, once: () => Promise<readonly Survivor[]>): Promise<readonly Survivor[]> {
    const otherwise = { pid: launch?.process?.pid ?? launch?.keeper?.pid ?? 0 };
    return insist(once, { otherwise, onProblem: (error) => this.note(work, error), clock: this.parts.clock });
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
    if (this.released) return;
    this.parts.append({ type: 'note', note: say('life.work-failed', { work, problem: toProblem(error) }) });
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

  private at(): string {
    return new Date(this.parts.clock.wall()).toISOString();
  }
}
