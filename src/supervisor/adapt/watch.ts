/**
 * Watches for pressure while a deployment serves that may adapt, by what is wanted at that moment: to change `adapt:`
 * restarts nothing. Whatever goes wrong here changes nothing but that nobody steps.
 */
import { type Clock, waitFor } from '../../core/clock.ts';
import { type Message, say } from '../../core/message.ts';
import { toPressureNames } from '../../core/pressure.ts';
import { isServing } from '../deployment.ts';
import { GpuAsker } from '../gpu/asker.ts';
import { toProblem } from '../launch/work.ts';
import { type AdaptPlan, toAdaptPast } from '../reduce/ladder.ts';
import type { RunSignal } from '../signal.ts';
import type { State } from '../state.ts';
import { type PressureWatch, watchPressure } from './pressure-watch.ts';

export interface AdaptWatchParts {
  readonly push: (signal: RunSignal) => void;
  readonly note: (note: Message) => void;
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
}

const againMs = 15_000;

export class AdaptWatch {
  private readonly parts: AdaptWatchParts;
  private readonly asker: GpuAsker;
  private watching: { readonly run: number; readonly plan: AdaptPlan; readonly end: AbortController } | undefined;

  constructor(parts: AdaptWatchParts) {
    this.parts = parts;
    this.asker = new GpuAsker(parts);
  }

  /** To be called after every change of state. */
  observe(state: State): void {
    const plan = isServing(state.life) && state.desired === 'up' ? state.wanted.adapt : undefined;
    if (this.watching?.plan === plan && (plan === undefined || this.watching?.run === state.run)) return;
    this.end();
    if (plan === undefined) return;
    const end = new AbortController();
    this.watching = { run: state.run, plan, end };
    void this.watch(state, plan, end.signal);
  }

  end(): void {
    this.watching?.end.abort();
    this.watching = undefined;
  }

  private async watch(state: State, plan: AdaptPlan, signal: AbortSignal): Promise<void> {
    const { push, note, clock } = this.parts;
    const { run } = state;
    let told = false;
    while (!signal.aborted) {
      try {
        await watchPressure(
          this.toWatch(state, plan),
          {
            onStep: (to, because) => push({ type: 'adapt', run, to, because }),
            onBlind: (what) => {
              if (!told) note(say('life.adapt-blind', { what: toPressureNames(what) }));
              told = true;
            },
          },
          signal,
        );
      } catch (error) {
        note(say('life.work-failed', { work: 'adapt', problem: toProblem(error) }));
        await waitFor(againMs, signal, clock);
      }
    }
  }

  private toWatch(state: State, { settings }: AdaptPlan): PressureWatch {
    const { wanted, launch } = state;
    const { cpus, memoryBytes } = wanted.spec.resources;
    const { clock } = this.parts;
    return {
      settings,
      past: toAdaptPast(state),
      endpoint: wanted.spec.endpoint,
      gpus: wanted.gpus ?? [],
      ...(cpus === undefined ? {} : { cpus }),
      ...(launch?.memoryGroup && memoryBytes ? { cap: { directory: launch.memoryGroup, bytes: memoryBytes } } : {}),
      readGpus: async () => {
        const seen = await this.asker.ask();
        return seen.is === 'read' ? seen.gpus : [];
      },
      clock,
      random: Math.random,
    };
  }
}
