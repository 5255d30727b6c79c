/** The allocator says the same words whatever it was asked for: what it was for, the traceback and the phase tell. */
import type { CauseId } from './causes.ts';
import type { FailureEvidence, Hit } from './evidence.ts';
import { signatures } from './signatures.ts';

/** The cause of a hit; of one about GPU memory, which of the three it is. */
export function chooseOutOfMemory(hit: Hit, evidence: FailureEvidence): CauseId {
  if (hit.cause !== 'cuda_oom_weights') return hit.cause;
  const { log } = evidence;
  if (evidence.served === true || log.servedFrom !== undefined) return 'cuda_oom_runtime';
  return (
    findContext(hit, log.hits) ?? toKindOfPhase(evidence) ?? (hit.facts['pools'] === undefined ? 'cuda_oom_weights' : 'cuda_oom_runtime')
  );
}

const mostApart = 200;

/** The line of its traceback that is closest, and above it; also a sentence about it right below. */
function findContext(hit: Hit, hits: readonly Hit[]): CauseId | undefined {
  const direct = hits.find((other) => other.cause === 'cuda_oom_warmup' && signatures[other.signature]?.role !== 'context');
  if (direct !== undefined && Math.abs(direct.line - hit.line) <= mostApart) return direct.cause;
  const context = hits.filter(
    ({ signature, line }) => signatures[signature]?.role === 'context' && line <= hit.line && hit.line - line <= mostApart,
  );
  return context.findLast(({ pid }) => pid === hit.pid)?.cause;
}

function toKindOfPhase({ log, phase }: FailureEvidence): CauseId | undefined {
  const known = phase ?? log.phase;
  if (known === 'downloading' || known === 'loading') return 'cuda_oom_weights';
  return ['compiling', 'profiling', 'kv-cache', 'capturing', 'warming'].includes(known) ? 'cuda_oom_warmup' : undefined;
}
