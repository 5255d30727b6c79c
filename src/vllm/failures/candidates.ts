/** Which lines of a log may be the reason of its end, the likeliest first. */
import { startPhases } from '../start-log.ts';
import { deathWindow, type FailureEvidence, type Hit, type LogEvidence, type ProcessRole } from './evidence.ts';
import type { SignatureRole } from './signature.ts';
import { signatures } from './signatures.ts';

export interface Candidates {
  readonly hits: readonly Hit[];
  /** Lines between which the reason stands. */
  readonly from: number;
  readonly to: number;
  /** Something failed, whether or not a signature knows it. */
  readonly isFailed: boolean;
}

export function toCandidates(evidence: FailureEvidence): Candidates {
  return isServed(evidence) ? toServing(evidence) : toStarting(evidence);
}

function isServed({ log, served }: FailureEvidence): boolean {
  return served === true || log.servedFrom !== undefined;
}

/** Errors of single requests are survived: without a death there is nothing to explain. */
function toServing(evidence: FailureEvidence): Candidates {
  const { log } = evidence;
  const hang = findHang(log);
  if (log.death === undefined && hang !== undefined) return { hits: [hang], from: hang.line, to: log.lines, isFailed: true };
  const isEnded = log.death !== undefined || hasFailedExit(evidence);
  if (!isEnded || evidence.wanted || (log.stop !== undefined && log.death === undefined))
    return { hits: [], from: 0, to: 0, isFailed: false };
  const to = log.stop?.line ?? log.lines;
  const from = Math.max(log.servedFrom ?? 0, (log.death?.line ?? log.lines) - deathWindow);
  const hits = log.hits.filter((hit) => hit.line >= from && hit.line <= to && counts(hit, 'serving'));
  return { hits: toRanked(hits), from, to, isFailed: true };
}

function toStarting(evidence: FailureEvidence): Candidates {
  const { log } = evidence;
  const to = log.stop?.line ?? log.lines;
  const hits = log.hits.filter((hit) => hit.line <= to && counts(hit, 'starting') && !isSlowness(hit, log));
  const telling = hits.filter((hit) => roleOf(hit) !== 'noise');
  // Noise alone is of a stop as well as of a failure; so is what an engine says that was told to end.
  if (log.stop !== undefined && telling.every((hit) => roleOf(hit) === 'generic' || roleOf(hit) === 'symptom'))
    return { hits: [], from: 0, to: 0, isFailed: false };
  if (evidence.wanted) return { hits: [], from: 0, to: 0, isFailed: false };
  const isFailed = hits.length > 0 || hasFailedExit(evidence) || log.exceptions.some(({ line }) => line <= to);
  return { hits: toRanked(hits), from: 0, to, isFailed: isFailed && (log.stop === undefined || telling.length > 0) };
}

function hasFailedExit({ exit }: FailureEvidence): boolean {
  return exit !== undefined && (exit.signal !== undefined || exit.code !== 0);
}

/** Silence of the engine after the last answer. While it compiles or loads the same words are usual. */
function findHang(log: LogEvidence): Hit | undefined {
  return log.hits.find(
    (hit) =>
      isSilence(hit) &&
      hit.line > Math.max(log.servedFrom ?? 0, log.lastServedLine) &&
      hit.line < (log.stop?.line ?? Number.POSITIVE_INFINITY),
  );
}

function isSilence(hit: Hit): boolean {
  return hit.cause === 'request_timeout_hang' && signatures[hit.signature]?.quiet === true;
}

/** Phases in which the engine itself is at work for long. */
const slowPhases = startPhases.slice(startPhases.indexOf('engine'), startPhases.indexOf('listening'));

/** Of a start whose log tells that it is at work. */
function isSlowness(hit: Hit, log: LogEvidence): boolean {
  return isSilence(hit) && slowPhases.includes(log.phase);
}

function roleOf({ signature }: Hit): SignatureRole {
  return signatures[signature]?.role ?? 'root';
}

function counts(hit: Hit, half: 'starting' | 'serving'): boolean {
  const signature = signatures[hit.signature];
  if (signature === undefined || signature.role === 'context') return false;
  return (hit.loud || signature.quiet === true) && (signature.when === undefined || signature.when === half);
}

const roleRanks: readonly SignatureRole[] = ['root', 'hint', 'symptom', 'generic', 'noise', 'context'];
const processRanks: Readonly<Record<ProcessRole, number>> = { worker: 0, engine: 0, other: 1, api: 2 };

function toRanked(hits: readonly Hit[]): readonly Hit[] {
  return hits.toSorted(
    (one, other) =>
      roleRanks.indexOf(roleOf(one)) - roleRanks.indexOf(roleOf(other)) ||
      processRanks[one.role] - processRanks[other.role] ||
      Number(one.chained) - Number(other.chained) ||
      one.line - other.line ||
      one.signature - other.signature,
  );
}
