/**
 * The way to the GPUs of a deployment that has some. For one without, nothing is loaded and nothing asked. What goes
 * wrong here is said and changes nothing: an engine must not suffer from a look at its GPU.
 */
import type { Clock } from '../../core/clock.ts';
import type { ExitReport } from '../../core/event.ts';
import { type Message, say } from '../../core/message.ts';
import type { Instance, LaunchRecord } from '../../runtime/runtime.ts';
import { toProblem } from '../launch/work.ts';
import type { Deployable } from '../state.ts';
import type { GpuEnd } from './end.ts';
import type { GpuLife, GpuStart, LostGpus, LostLook } from './life.ts';

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

  /** When a launch has ended. `ours`: pids that it still has; undefined: who else was there does not matter. */
  async observeEnd(record: LaunchRecord, ours: readonly number[] | undefined): Promise<GpuEnd> {
    return record.gpuBaselines ? this.attempt({}, (life) => life.observeEnd(record, ours)) : {};
  }

  /** When no process is left. `ours`: pids that the launch had. Undefined: its memory came back, as far as can be told. */
  async proveMemoryReturned(record: LaunchRecord | undefined, ours: readonly number[]): Promise<ExitReport | undefined> {
    return record?.gpuBaselines ? this.attempt(undefined, (life) => life.proveMemoryReturned(record, ours)) : undefined;
  }

  /** Before a launch that hangs is ended: a better reason than that it hangs, where its container has lost its GPUs. */
  async observeLost(instance: Instance | undefined): Promise<LostGpus | undefined> {
    const look = toLook(instance);
    return look && this.attempt(undefined, (life) => life.observeLost(look));
  }

  /** While it serves, until told to stop. That its container has lost them says more than their clocks. */
  toServingWatch({ gpus = [] }: Deployable, toInstance: () => Promise<Instance | undefined>) {
    return async (report: (reason: string | undefined) => void, signal: AbortSignal): Promise<void> => {
      if (gpus.length === 0) return;
      let lost = false;
      const onThrottle = (reason: string | undefined) => (lost ? undefined : report(reason));
      const onLost = () => {
        lost = true;
        report('gpu-lost');
      };
      const watchLost = (life: GpuLife) => life.watchLost(async () => toLook(await toInstance()), onLost, signal);
      await this.attempt(undefined, async (life) => {
        await Promise.all([life.watchThrottle(gpus, onThrottle, signal), watchLost(life)]);
      });
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

/** Undefined for what has no container, or no GPUs. */
function toLook(instance: Instance | undefined): LostLook | undefined {
  const { gpuBaselines, launchId = '' } = instance?.record ?? {};
  if (!gpuBaselines || instance?.observeLostGpus === undefined) return undefined;
  return { launchId, look: async () => instance.observeLostGpus?.() };
}
