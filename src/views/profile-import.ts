/** What became of an imported line: the profile is the answer, what was left out and found is the conversation. */
import type { Finding } from '../core/finding.ts';
import { type Message, say } from '../core/message.ts';
import { toText } from '../text/render.ts';
import { toFindingDocument } from './documents.ts';
import { renderFindings } from './findings.ts';
import type { Palette } from './screen.ts';

export interface ImportedProfile {
  /** Absent when there is an error. */
  readonly yaml?: string;
  readonly dropped: readonly { readonly text: string; readonly why: Message }[];
  readonly findings: readonly Finding[];
}

export function toProfileImportDocument({ dropped, findings, ...rest }: ImportedProfile): object {
  return { ...rest, dropped: dropped.map(({ text, why }) => ({ text, why: toText(why) })), findings: findings.map(toFindingDocument) };
}

/** Errors last: they are what is seen when a terminal has scrolled. */
export function renderProfileImport({ yaml, dropped, findings }: ImportedProfile, palette: Palette): string {
  const lines = dropped.map(({ text, why }) => palette.dim(toText(say('import.dropped', { text, why }))));
  const sorted = findings.toSorted((a, b) => Number(a.severity === 'error') - Number(b.severity === 'error'));
  const count = findings.filter(({ severity }) => severity === 'error').length;
  const end = yaml === undefined ? palette.bad(toText(say('import.unsound', { count }))) : palette.dim(toText(say('import.sound')));
  return [...lines.map((line) => `  ${line}\n`), renderFindings(sorted, palette), end].join('');
}
