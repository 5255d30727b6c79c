/** What a subject lacks that has to come from elsewhere before it can run. */
import type { DoctorSubject } from './check.ts';
import { isProcess, isReal } from './subject.ts';

/** `up` would have to install an engine first. */
export function isToInstall(subject: DoctorSubject): boolean {
  const { source } = subject.plan.engine;
  return isProcess(subject) && source.kind === 'managed' && !source.installed;
}

/** The weights would have to be downloaded. */
export function isToDownload(subject: DoctorSubject): boolean {
  const { model } = subject.facts;
  return isReal(subject) && model.is === 'hub' && !model.cached;
}
