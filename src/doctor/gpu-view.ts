/** What the checks of GPUs look at: those that the profile gets, else all that answer. */
import { type Message, say } from '../core/message.ts';
import type { Gpu, GpuObservation } from '../gpu/gpu.ts';
import { chooseGpus } from '../plan/gpu-choice.ts';
import type { CheckOutcome, DoctorContext, DoctorSubject } from './check.ts';
import { toGpuSubject } from './subject.ts';

export interface GpuView {
  /** Of the profile, else all. */
  readonly gpus: readonly Gpu[];
  readonly all: readonly Gpu[];
  readonly observed: GpuObservation & { readonly is: 'present' };
  /** The profile that is to run on them. */
  readonly subject?: DoctorSubject;
}

/** Skips where there is no GPU, or none that answers: gpu.present says that. */
export async function withGpus(
  context: DoctorContext,
  judge: (view: GpuView) => CheckOutcome | Promise<CheckOutcome>,
): Promise<CheckOutcome> {
  const observed = await context.gpus();
  if (observed.is === 'absent') return { status: 'skip', message: say('doctor.gpu.none') };
  if (observed.is === 'silent') return { status: 'skip', message: say('doctor.gpu.silent') };
  const subject = toGpuSubject(context);
  const chosen = subject ? chooseGpus(subject.profile, { ...subject.facts, gpus: observed }).gpus : [];
  const all = observed.gpus;
  return judge({ gpus: chosen.length > 0 ? chosen : all, all, observed, ...(subject ? { subject } : {}) });
}

/** For checks of what only a machine knows itself. */
export function skipOfFile({ gpusFromFile }: DoctorContext): CheckOutcome | undefined {
  return gpusFromFile ? { status: 'skip', message: say('doctor.gpu.from-file') } : undefined;
}

export function skip(message: Message = say('doctor.gpu.unsaid')): CheckOutcome {
  return { status: 'skip', message };
}

export function toGpuName({ index, name }: Pick<Gpu, 'index' | 'name'>): string {
  return `GPU ${index} (${name})`;
}

/** `GPU 0`, `GPUs 0, 2`: of several of one kind. */
export function toIndexes(gpus: readonly Pick<Gpu, 'index'>[]): string {
  return `GPU${gpus.length === 1 ? '' : 's'} ${gpus.map(({ index }) => index).join(', ')}`;
}

/** For commands: `-i 0`. */
export function toIndexArgument(gpus: readonly Pick<Gpu, 'index'>[]): string {
  return gpus.map(({ index }) => index).join(',');
}

/** Those that say something about it, with what they say; none: the driver is silent about it. */
export function collect<T>(gpus: readonly Gpu[], look: (gpu: Gpu) => T | undefined): readonly { readonly gpu: Gpu; readonly value: T }[] {
  return gpus.flatMap((gpu) => {
    const value = look(gpu);
    return value === undefined ? [] : [{ gpu, value }];
  });
}
