/** What others know of an end: the kernel, the control group, the driver, how the process ended. */
import type { Diagnosis } from '../../core/finding.ts';
import { toDurationText } from '../../core/units.ts';
import type { CauseId } from './causes.ts';
import type { FailureEvidence, Hit } from './evidence.ts';
import { toNumber } from './remedies/remedy.ts';
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
  const { memory, gpuLost, diskFull } = evidence;
  const role = winner === undefined ? undefined : (signatures[winner.signature]?.role ?? 'root');
  // Who was killed had no time to write why; what the log complains of is what the others saw of it.
  if (memory?.oomKilled) return { cause: 'host_oom_killed', permanent: false, confidence: 'sure', beside: toMemoryLine(memory) };
  const fault = toFaultVerdict(evidence);
  if (fault?.permanent) return fault;
  if (role === 'root') return undefined;
  if (gpuLost) return { cause: 'gpu_lost_xid', permanent: false, confidence: 'sure', beside: 'GPU lost' };
  if (fault !== undefined) return fault;
  if (diskFull !== undefined) return { cause: 'disk_full', permanent: false, confidence: 'likely', beside: diskFull };
  if (role === 'hint' || role === 'symptom') return undefined;
  return toExitVerdict(evidence);
}

/** One that asks for somebody's hand explains whatever the log saw of it. */
function toFaultVerdict({ xid, xidLine, xidNeedsHand = false }: FailureEvidence): OutsideVerdict | undefined {
  if (xid === undefined) return undefined;
  const about = { cause: 'gpu_lost_xid', beside: xidLine ?? `Xid ${xid}` } as const;
  return { ...about, permanent: xidNeedsHand, confidence: xidNeedsHand ? 'sure' : 'likely' };
}

function toMemoryLine({ cap, peak, line = 'oom_kill' }: NonNullable<FailureEvidence['memory']>): string {
  const parts = [line, ...(cap === undefined ? [] : [`limit ${cap} B`]), ...(peak === undefined ? [] : [`peak ${peak} B`])];
  return parts.join(', ');
}

/** Nobody but a person or a script sends these, unless memory ran out, and that was looked for. */
const sentByOthers = ['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP'];

function toExitVerdict(evidence: FailureEvidence): OutsideVerdict | undefined {
  const { exit, log, memory, probe } = evidence;
  const signal = exit?.signal ?? toSignal(exit?.code);
  const isSilent = log.exceptions.length === 0;
  if (signal === 'SIGILL')
    return { cause: 'cpu_backend_failure', permanent: log.servedFrom === undefined, confidence: 'likely', beside: signal };
  if (signal === 'SIGBUS') return { cause: 'shm_too_small', permanent: false, confidence: 'unsure', beside: signal };
  if (signal === 'SIGKILL' && memory !== undefined && isAtCap(memory))
    return { cause: 'host_oom_killed', permanent: false, confidence: 'likely', beside: toMemoryLine(memory) };
  if (signal !== undefined && sentByOthers.includes(signal) && isSilent && log.death === undefined) {
    return { cause: 'killed_by_operator', permanent: false, confidence: 'unsure', beside: signal };
  }
  if (exit?.code === 127 && isSilent)
    return { cause: 'container_entrypoint_invalid', permanent: true, confidence: 'likely', beside: 'exit status 127' };
  if (exit?.code === 126 && isSilent)
    return { cause: 'permission_denied', permanent: true, confidence: 'likely', beside: 'exit status 126' };
  return probe === undefined ? undefined : toProbeVerdict(evidence, probe);
}

/** Nobody counted a kill, and it died at the limit. */
function isAtCap({ cap, peak }: NonNullable<FailureEvidence['memory']>): boolean {
  return cap !== undefined && peak !== undefined && peak >= cap * 0.98;
}

/** So long several GPUs may take to find each other; longer is a network that does not let them. */
const connectMs = 60_000;

function toProbeVerdict(evidence: FailureEvidence, probe: NonNullable<FailureEvidence['probe']>): OutsideVerdict | undefined {
  const { log, phase = log.phase, phaseMs = 0, settings = log.settings } = evidence;
  const isServed = evidence.served === true || log.servedFrom !== undefined;
  const time = isServed || phaseMs === 0 ? '' : ` for ${toDurationText(phaseMs)} (${phase})`;
  if (probe === 'refused') return undefined;
  if (probe === 'no-download')
    return { cause: 'hub_unreachable', permanent: false, confidence: 'likely', beside: `probe: no byte of the model${time}` };
  const beside = `probe: no progress${time}`;
  const isSplit = (toNumber(settings['tensor-parallel-size']) ?? 1) * (toNumber(settings['pipeline-parallel-size']) ?? 1) > 1;
  const isConnecting = !isServed && phase === 'engine' && phaseMs >= connectMs && isSplit;
  return {
    cause: isConnecting ? 'nccl_failure' : 'request_timeout_hang',
    permanent: false,
    confidence: isConnecting ? 'unsure' : 'likely',
    beside,
  };
}

/** A shell's and a container engine's way to say it. */
function toSignal(code: number | undefined): string | undefined {
  return code === undefined
    ? undefined
    : ({ 132: 'SIGILL', 135: 'SIGBUS', 137: 'SIGKILL', 143: 'SIGTERM' } as Record<number, string>)[code];
}
