/**
 * The way to the GPUs of a deployment that has some. For one without, nothing is loaded and nothing asked. What goes
 * wrong here is said and changes nothing: an engine must not suffer from a look at its GPU.
 */
import type { Clock } from '../../core/clock.ts';
import type { ExitReport } from '../../core/event.ts';
import { type Message, say } from '../../core/message.ts';
import type { LaunchRecord } from '../../runtime/runtime.ts';
import { type ExitEvidenceReport, toProblem } from '../launch/work.ts';
import type { Deployable } from '../state.ts';
import type { GpuLife, GpuStart } from './life.ts';

export interface GpuDoorParts {
  readonly clock: Clock;
  readonly note: (note: Message) => void;
}

export class GpuDoor {
  private readonly parts: GpuDoorParts;
  private life: Promise<GpuLife> | undefined;

  constructor(parts: GpuDoorParts) {
    this.parts = parts;
  }

  /** Before a start. Passed with what the launch's record keeps. */
  async observeBaseline(wanted: Deployable): Promise<GpuStart> {
    const passed: GpuStart = { is: 'passed', record: {} };
    return wanted.gpus?.length ? this.attempt(passed, (life) => life.observeGpuBaseline(wanted)) : passed;
  }

  /** After an end: a fault of the GPU is a better reason than what the log says. */
  async explainExit(report: ExitEvidenceReport, record: LaunchRecord): Promise<ExitEvidenceReport> {
    return record.gpuBaselines ? this.attempt(report, (life) => life.explainExit(report, record)) : report;
  }

  /** When no process is left. `ours`: pids that the launch had. Undefined: its memory came back, as far as can be told. */
  async proveMemoryReturned(record: LaunchRecord | undefined, ours: readonly number[]): Promise<ExitReport | undefined> {
    return record?.gpuBaselines ? this.attempt(undefined, (life) => life.proveMemoryReturned(record, ours)) : undefined;
  }

  /** While it serves, until told to stop. */
  toThrottleWatch({ gpus = [] }: Deployable) {
    return async (report: (reason: string | undefined) => void, signal: AbortSignal): Promise<void> => {
      if (gpus.length > 0) await this.attempt(undefined, (life) => life.watchThrottle(gpus, report, signal));
    };
  }

  private async attempt<T>(otherwise: T, once: (life: GpuLife) => Promise<T>): Promise<T> {
    try {
      this.life ??= import('./life.ts').then((room) => new room.GpuLife(this.parts));
      return await once(await this.life);
    } catch (error) {
      this.parts.note(say('life.work-failed', { work: 'gpu', problem: toProblem(error) }));
      return otherwise;
    }
  }
}
