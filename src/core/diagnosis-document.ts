/** A diagnosis as the public interface has it: sentences become text, the rest stays data. */
import type { DeploymentEvent, ExitReport } from './event.ts';
import type { Diagnosis, Remedy } from './finding.ts';
import type { Message } from './message.ts';

type ToText = (message: Message) => string;

export interface DiagnosisDocument extends Omit<Diagnosis, 'title' | 'remedies'> {
  readonly kind: 'Diagnosis';
  readonly version: 1;
  readonly title: string;
  readonly remedies: readonly (Omit<Remedy, 'text'> & { readonly text: string })[];
}

export function toDiagnosisDocument(diagnosis: Diagnosis, toText: ToText): DiagnosisDocument {
  const { title, remedies = [], ...rest } = diagnosis;
  const told = remedies.map(({ text, ...how }) => ({ text: toText(text), ...how }));
  return { kind: 'Diagnosis', version: 1, ...rest, title: toText(title), remedies: told };
}

export function toExitDocument({ diagnosis, ...rest }: ExitReport, toText: ToText): object {
  return { ...rest, ...(diagnosis === undefined ? {} : { diagnosis: toDiagnosisDocument(diagnosis, toText) }) };
}

/** With the documents of what ended in it. */
export function toPublicEvent(event: DeploymentEvent, toText: ToText): object {
  return event.type === 'exited' || event.type === 'failed' ? { ...event, exit: toExitDocument(event.exit, toText) } : event;
}
