/**
 * What goes along with a supervisor: turns of starts, what starts usually take, messages to others, what is learned of
 * memory, the history, short logs, lighter profiles under pressure. None of it decides about the engine's life, and
 * nothing that goes wrong in it may end the supervisor: it becomes a note.
 */
import { join } from 'node:path';
import { type DeploymentPaths, pruneLaunches } from '../control/directory.ts';
import { type Message, say } from '../core/message.ts';
import { type HistoryKeeping, keepHistory } from '../supervisor/history/keeper.ts';
import type { Journal } from '../supervisor/journal.ts';
import { toProblem } from '../supervisor/launch/work.ts';
import { keepLogsShort, type LogKeeping } from '../supervisor/log-cap.ts';
import { Notifier } from '../supervisor/notify/notify.ts';
import { StartTimes } from '../supervisor/start/times.ts';
import { StartTurn } from '../supervisor/start/turn.ts';
import type { State } from '../supervisor/state.ts';
import type { Supervisor, SupervisorParts } from '../supervisor/supervisor.ts';
import { toText } from '../text/render.ts';
import { adaptUnderPressure } from './adapt.ts';
import type { Context } from './context.ts';

export interface CompanionParts {
  readonly context: Context;
  readonly paths: DeploymentPaths;
  readonly journal: Journal;
  readonly onNote: (note: Message) => void;
  readonly now: () => State;
}

export class Companions {
  private readonly parts: CompanionParts;
  private readonly turn: StartTurn;
  private readonly times: StartTimes;
  private readonly history: HistoryKeeping;
  private logs: LogKeeping | undefined;
  private notifier: Notifier | undefined;
  private adapting: { readonly end: () => void } | undefined;
  private learnedRun = 0;

  constructor(parts: CompanionParts) {
    const { context, paths, onNote, now } = parts;
    this.parts = parts;
    this.turn = new StartTurn({ directory: context.places.run, onNote });
    this.times = new StartTimes(join(context.places.data, 'start-times.json'), {
      onProblem: (error) => this.tell('start-times', toProblem(error)),
    });
    this.history = keepHistory({ now, directory: paths.directory, onNote });
  }

  /** What a supervisor asks of them. */
  get hooks(): Pick<
    SupervisorParts,
    'waitForTurn' | 'pruneLaunches' | 'usuallySeconds' | 'weightsOf' | 'onPage' | 'planFallback' | 'flagsOf'
  > {
    return {
      waitForTurn: (state) => this.turn.take(state),
      pruneLaunches: () => this.prune(),
      usuallySeconds: () => this.times.usuallySeconds,
      weightsOf: async (spec) => (await import('./download-size.ts')).toDownloadBytes(spec),
      flagsOf: async ({ engineVersion }) => (await import('./known-flags.ts')).readKnownFlags(engineVersion, this.parts.context.places),
      onPage: (page, run) => this.history.takePage(page, run),
      planFallback: async (state) =>
        (await import('./fallback.ts')).planFallback(state, { ...this.parts.context, onNote: this.parts.onNote }),
    };
  }

  /** From before it recovers. */
  follow(supervisor: Supervisor): void {
    const { context, journal, onNote, now } = this.parts;
    const { env } = context;
    const notifier = new Notifier({ now, note: onNote, secrets: () => supervisor.secrets, env, toText });
    this.notifier = notifier;
    journal.follow(journal.last, (event) => notifier.take(event));
    supervisor.observe((state) => this.times.observe(state));
    supervisor.observe((state) => this.learnWhenReady(state));
    supervisor.observe((state) => void this.turn.observe(state));
    this.adapting = adaptUnderPressure(supervisor, { env, onNote, onProblem: (problem) => this.tell('adapt', problem) });
  }

  keepLogsShort(): void {
    const { paths, onNote, now } = this.parts;
    this.logs = keepLogsShort({ now, own: paths.supervisorLog, onNote });
  }

  adaptNoMore(): void {
    this.adapting?.end();
  }

  async end(): Promise<void> {
    this.adaptNoMore();
    await this.notifier?.release();
    await this.logs?.end();
    await this.history.end();
    await this.turn.giveBack();
  }

  /** What its start told of the GPU's memory, once per launch. */
  private learnWhenReady(state: State): void {
    if (state.life !== 'ready' || state.run === this.learnedRun) return;
    this.learnedRun = state.run;
    import('./learn-memory.ts')
      .then(({ learnMemory }) => learnMemory(state, this.parts.context))
      .catch((error: unknown) => this.tell('memory', toProblem(error)));
  }

  /** What earlier launches have left. */
  private async prune(): Promise<void> {
    const { paths, context, now } = this.parts;
    const { name, wanted, launch } = now();
    const current = launch?.launchId ?? '';
    await pruneLaunches(paths, current);
    if (wanted.spec.backend !== 'docker') return;
    await (await import('./strays.ts')).removeEndedContainers(context, { name, current });
  }

  private tell(work: string, problem: string): void {
    this.parts.onNote(say('life.work-failed', { work, problem }));
  }
}
