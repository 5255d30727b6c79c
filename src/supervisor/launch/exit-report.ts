/** How a launch ended, as it goes into the state, events and messages: without keys. */
import type { ExitReport } from '../../core/event.ts';
import type { Diagnosis } from '../../core/finding.ts';
import { maskDiagnosis } from '../../core/mask-diagnosis.ts';
import type { Exit } from '../../runtime/runtime.ts';
import { diagnose, isPassing } from '../../vllm/failures/diagnose.ts';
import type { FailureEvidence } from '../../vllm/failures/evidence.ts';
import { toSignature } from '../../vllm/failures/same-failure.ts';

export interface ExitEvidenceReport {
  readonly exit: ExitReport;
  readonly permanent: boolean;
  readonly signature?: string;
}

export interface ExitFacts {
  readonly at: string;
  readonly evidence: FailureEvidence;
  readonly mask: (text: string) => string;
  /** We ended it because of a failure: how it went tells nothing, and only a known cause is a reason. */
  readonly isEnded: boolean;
}

export function toExitReport(exit: Exit, { at, evidence, mask, isEnded }: ExitFacts): ExitEvidenceReport {
  const { memory: _, outOfMemory: __, ...how } = exit;
  const seen = diagnose(evidence);
  const found = seen === undefined || (isEnded && isUndetermined(seen)) ? undefined : maskDiagnosis(seen, mask);
  const proof = found?.evidence.find((one) => one.line > 0);
  // Where in the code it was stands in the report; here it would make every message twice as long.
  const bare = evidence.log.exceptions.find((one) => one.line === proof?.line)?.text;
  const line = bare === undefined ? proof?.text : mask(bare);
  const report: ExitReport = {
    cause: 'exit',
    at,
    ...how,
    ...(found === undefined ? {} : { diagnosis: found }),
    ...(found === undefined || isUndetermined(found) ? {} : { reason: found.cause }),
    ...toLastPhase(evidence),
    ...(line === undefined ? {} : { line }),
  };
  const permanent = found?.permanent === true || (!isEnded && exit.code !== undefined && lastingCodes.includes(exit.code));
  const telling = found !== undefined && isPassing(found.cause) ? undefined : line;
  return { exit: report, permanent, ...(telling === undefined ? {} : { signature: toSignature(telling) }) };
}

/** It has a name for what is not known: nothing to act on. */
function isUndetermined({ cause }: Diagnosis): boolean {
  return cause === 'unknown' || cause.startsWith('undetermined');
}

/** Argparse refuses the same command line every time; no such program, and none that may be run, are a shell's and an init's. */
const lastingCodes = [2, 126, 127];

/** Of a start that was not over. */
function toLastPhase({ phase, log }: FailureEvidence): Pick<ExitReport, 'phase'> {
  const last = phase ?? log.phase;
  return last === 'spawned' || last === 'listening' ? {} : { phase: last };
}
