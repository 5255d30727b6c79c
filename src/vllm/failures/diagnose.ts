/**
 * Why an engine ended. The last line is rarely the cause: the API server ends with "Engine core initialization failed"
 * whatever went wrong, pydantic ends with a link, and a clean stop may end in an EngineDeadError. So lines are ranked by
 * what they are (signature.ts), then by who wrote them, then by which came first; what was survived does not count.
 */
import type { Diagnosis } from '../../core/finding.ts';
import { say } from '../../core/message.ts';
import { toCandidates } from './candidates.ts';
import { type Cause, type CauseId, causes } from './causes.ts';
import type { FailureEvidence, Hit } from './evidence.ts';
import { chooseOutOfMemory } from './out-of-memory.ts';
import { toOutsideVerdict } from './outside.ts';
import { toProof } from './proof.ts';
import { toRemedies } from './remedies.ts';
import { signatures } from './signatures.ts';

/** Undefined: nothing failed (a healthy log, an end that was asked for). Cause `unknown`: something failed, and nothing fits. */
export function diagnose(evidence: FailureEvidence): Diagnosis | undefined {
  const { log } = evidence;
  const verdict = toVerdict(evidence);
  if (verdict !== undefined) return toDiagnosis(verdict, evidence);
  // The newest run says nothing yet, and the one before it failed.
  if (log.earlier === undefined || log.servedFrom !== undefined || evidence.wanted) return undefined;
  const before = { log: log.earlier };
  const older = toVerdict(before);
  return older === undefined ? undefined : toDiagnosis(older, before);
}

/** The cause, and whether it comes and goes with the world outside, so that the same twice proves nothing. */
export function isPassing(cause: string): boolean {
  const known: Cause | undefined = Object.hasOwn(causes, cause) ? causes[cause as CauseId] : undefined;
  return known?.passes === true;
}

interface Verdict {
  readonly cause: CauseId;
  readonly permanent: boolean;
  readonly confidence: Diagnosis['confidence'];
  readonly winner?: Hit;
  readonly others: readonly Hit[];
  /** What proves it and stands in no log. */
  readonly beside?: string;
}

function toVerdict(evidence: FailureEvidence): Verdict | undefined {
  const candidates = toCandidates(evidence);
  const [winner] = candidates.hits;
  const outside = toOutsideVerdict(evidence, winner);
  if (outside !== undefined) return { ...outside, others: candidates.hits };
  if (winner === undefined)
    return candidates.isFailed ? { cause: 'unknown', permanent: false, confidence: 'unsure', others: [] } : undefined;
  const role = signatures[winner.signature]?.role ?? 'root';
  const isBare = role === 'generic' || role === 'noise';
  const hasException = evidence.log.exceptions.some(({ line }) => line >= candidates.from && line <= candidates.to);
  // Something else has failed, and it has a name; only nobody knows it.
  if (isBare && hasException) return { cause: 'unknown', permanent: false, confidence: 'unsure', others: candidates.hits };
  const cause = chooseOutOfMemory(winner, evidence);
  return { cause, permanent: isPermanent(winner, cause, { evidence }), confidence: toConfidence(winner), winner, others: candidates.hits };
}

/** What has served once can serve again: only a failed start proves that nothing but a change helps. */
function isPermanent(winner: Hit, cause: CauseId, { evidence }: { readonly evidence: FailureEvidence }): boolean {
  const signature = signatures[winner.signature];
  if (evidence.served === true || evidence.log.servedFrom !== undefined) return false;
  if (sharesGpu.includes(cause) && evidence.othersOnGpu !== undefined) return !evidence.othersOnGpu;
  return (signature?.judge?.(winner.facts) ?? signature?.verdict ?? causes[cause].verdict) === 'permanent';
}

/** Depends on whether somebody else holds memory of the card. */
const sharesGpu: readonly CauseId[] = ['free_memory_below_utilization', 'cuda_oom_warmup', 'cuda_oom_weights'];

function toConfidence({ signature: index }: Hit): Diagnosis['confidence'] {
  const signature = signatures[index];
  if (signature?.confidence !== undefined) return signature.confidence;
  const role = signature?.role ?? 'root';
  if (role === 'root') return 'sure';
  return role === 'generic' || role === 'noise' ? 'unsure' : 'likely';
}

function toDiagnosis(verdict: Verdict, evidence: FailureEvidence): Diagnosis {
  const { cause, permanent, confidence, winner, others, beside } = verdict;
  const { log } = evidence;
  const remedies = toRemedies(cause, { evidence, hits: others.filter((hit) => hit === winner || hit.cause === winner?.cause), permanent });
  const alsoSeen = toAlsoSeen(cause, others, evidence);
  const phase = toPhase(evidence);
  return {
    cause,
    title: say(`cause.${cause}`),
    ...(phase === undefined ? {} : { phase }),
    permanent,
    confidence,
    evidence: toProof(evidence, { ...(winner === undefined ? {} : { winner }), others, ...(beside === undefined ? {} : { beside }) }),
    ...(remedies.length === 0 ? {} : { remedies }),
    ...(alsoSeen.length === 0 ? {} : { alsoSeen }),
    ...(log.version === undefined ? {} : { engineVersion: log.version }),
  };
}

function toAlsoSeen(cause: CauseId, others: readonly Hit[], evidence: FailureEvidence): readonly string[] {
  const all = others.map((hit) => chooseOutOfMemory(hit, evidence)).filter((one) => one !== cause && !one.startsWith('undetermined'));
  return [...new Set(all)].slice(0, 5);
}

/** Where a start was when it ended. One that served was past all phases. */
function toPhase({ log, phase, served }: FailureEvidence): string | undefined {
  if (served === true || log.servedFrom !== undefined) return 'serving';
  const known = phase ?? log.phase;
  return known === 'spawned' || known === 'importing' ? undefined : known;
}
