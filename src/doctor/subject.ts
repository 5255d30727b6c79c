/** Where the engine of a subject runs and what it computes on; undefined when a question is not about it. */
import type { DoctorContext, DoctorSubject } from './check.ts';

/** A real engine as a process of this environment: its limits and libraries hold for it. */
export function toProcessSubject({ subject }: DoctorContext): DoctorSubject | undefined {
  return subject?.plan.backend === 'process' ? subject : undefined;
}

export function toCpuSubject({ subject }: DoctorContext): DoctorSubject | undefined {
  return isReal(subject) && subject.profile.engine.variant === 'cpu' ? subject : undefined;
}

export function toGpuSubject({ subject }: DoctorContext): DoctorSubject | undefined {
  return isReal(subject) && subject.profile.engine.variant === 'gpu' ? subject : undefined;
}

/** For `isNeeded`: nothing of the machine stands in the simulator's way. */
export function isReal(subject: DoctorSubject | undefined): subject is DoctorSubject {
  return subject !== undefined && subject.plan.backend !== 'simulator';
}

export function isProcess({ plan }: DoctorSubject): boolean {
  return plan.backend === 'process';
}
