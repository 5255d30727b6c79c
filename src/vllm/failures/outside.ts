/** What others know of an end: the kernel, the control group, the driver, how the process ended. */
import type { Diagnosis } from '../../core/finding.ts';
import type { CauseId } from './causes.ts';
import type { FailureEvidence, Hit } from './evidence.ts';
import { signatures } from './signatures.ts';

export interface OutsideVerdict {
  readonly cause: CauseId;
  readonly permanent: boolean;
  readonly confidence: Diagnosis['confidence'];
  readonly beside: string;
}

/** Undefined: the log knows better, or nothing outside of it says more. */
export function toOutsideVerdict(evidence: FailureEvidence, winner: Hit | undefined): OutsideVerdict | undefined {
  if (evidence.wanted) return undefined;
  const { memory, xid, gpuLost, diskFull } = evidence;
  const role = winner === undefined ? undefined : (signatures[winner.signature]?.role ?? 'root');
  // Who was killed had no time to write why; what the log complains of is what the others saw of it.
  if (memory?.oomKilled) return { cause: 'host_oom_killed', permanent: false, confidence: 'sure', beside: toMemoryLine(memory) };
  if (role === 'root') return undefined;
  if (gpuLost) return { cause: 'gpu_lost_xid', permanent: false, confidence: 'sure', beside: 'GPU lost' };
  if (xid !== undefined) return { cause: 'gpu_lost_xid', permanent: false, confidence: 'likely', beside: `Xid ${xid}` };
  if (diskFull !== undefined) return { cause: 'disk_full', permanent: false, confidence: 'likely', beside: diskFull };
  if (role === 'hint' || role === 'symptom') return undefined;
  return toExitVerdict(evidence);
}

function toMemoryLine({ cap, peak }: NonNullable<FailureEvidence['memory']>): string {
  const parts = ['oom_kill', ...(cap === undefined ? [] : [`limit ${cap} B`]), ...(peak === undefined ? [] : [`peak ${peak} B`])];
  return parts.join(', ');
}

/** Nobody but a person or a script sends these, unless memory ran out, and that was looked for. */
const sentByOthers = ['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP'];

function toExitVerdict({ exit, log, probe }: FailureEvidence): OutsideVerdict | undefined {
  const signal = exit?.signal ?? toSignal(exit?.code);
  const isSilent = log.exceptions.length === 0;
  if (signal === 'SIGILL')
    return { cause: 'cpu_backend_failure', permanent: log.servedFrom === undefined, confidence: 'likely', beside: signal };
  if (signal === 'SIGBUS') return { cause: 'shm_too_small', permanent: false, confidence: 'unsure', beside: signal };
  if (signal !== undefined && sentByOthers.includes(signal) && isSilent && log.death === undefined) {
    return { cause: 'killed_by_operator', permanent: false, confidence: 'unsure', beside: signal };
  }
  if (exit?.code === 127 && isSilent)
    return { cause: 'container_entrypoint_invalid', permanent: true, confidence: 'likely', beside: 'exit status 127' };
  if (exit?.code === 126 && isSilent)
    return { cause: 'permission_denied', permanent: true, confidence: 'likely', beside: 'exit status 126' };
  if (probe === 'hangs') return { cause: 'request_timeout_hang', permanent: false, confidence: 'likely', beside: 'probe: no progress' };
  return undefined;
}

/** A shell's and a container engine's way to say it. */
function toSignal(code: number | undefined): string | undefined {
  return code === undefined
    ? undefined
    : ({ 132: 'SIGILL', 135: 'SIGBUS', 137: 'SIGKILL', 143: 'SIGTERM' } as Record<number, string>)[code];
}
