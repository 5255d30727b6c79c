/** The lines to show: what proves the cause, or the best to read where none is known. Without keys. */
import type { Diagnosis } from '../../core/finding.ts';
import { createMask } from '../../core/redact.ts';
import type { ExceptionPlace, FailureEvidence, Hit, LogPlace } from './evidence.ts';
import { signatures } from './signatures.ts';

export interface ProofParts {
  readonly winner?: Hit;
  readonly others: readonly Hit[];
  readonly beside?: string;
}

/** The most telling first. */
export function toProof(evidence: FailureEvidence, { winner, others, beside }: ProofParts): Diagnosis['evidence'] {
  const mask = createMask([]);
  const needsMore = winner === undefined || (signatures[winner.signature]?.role ?? 'root') !== 'root';
  const places: readonly LogPlace[] = [
    ...(beside === undefined ? [] : [{ line: 0, text: beside }]),
    ...(winner === undefined ? [] : [winner]),
    ...(needsMore ? evidence.log.exceptions.map(toExceptionLine) : []),
    ...others.filter((hit) => hit.line !== winner?.line && (needsMore || hit.cause === winner?.cause)),
  ];
  const lines = places.filter(({ line, text }, index) => isFirst(places, index, line === 0 ? text : line));
  return lines.slice(0, mostLines).map(({ line, text }) => ({ line, text: mask(toShort(text)) }));
}

const mostLines = 5;
const longestText = 600;

function toExceptionLine({ line, text, place }: ExceptionPlace): LogPlace {
  return { line, text: place === undefined ? text : `${text} (${place})` };
}

function isFirst(places: readonly LogPlace[], index: number, key: string | number): boolean {
  return places.findIndex(({ line, text }) => (line === 0 ? text : line) === key) === index;
}

function toShort(text: string): string {
  const plain = text.trim();
  return plain.length <= longestText ? plain : `${plain.slice(0, longestText)} …`;
}
