/** Whether memory ran out when an engine ended: its log says nothing of a SIGKILL by the kernel, its control group does. */
import { toSizeText } from '../../core/units.ts';
import { readMemoryKills } from '../../host/cgroup-memory.ts';
import { readKernelLog } from '../../host/kernel-log.ts';
import { findVictim } from '../../host/memory-victims.ts';
import type { Exit, LaunchRecord } from '../../runtime/runtime.ts';
import type { FailureEvidence, LogEvidence } from '../../vllm/failures/evidence.ts';
import type { ExitEvidenceReport } from './exit-report.ts';

export interface MemoryEvidence {
  readonly evidence: NonNullable<FailureEvidence['memory']>;
  /** Who says so: `oom_kill 2`, `OOMKilled`, a line of the kernel's. */
  readonly line: string;
}

export interface Ended {
  readonly record: Pick<LaunchRecord, 'memoryGroup' | 'process' | 'createdAt'>;
  readonly log: Pick<LogEvidence, 'death'>;
  /** Processes that its log names. */
  readonly pids: readonly number[];
  readonly env: NodeJS.ProcessEnv;
}

/** To be asked before the launch is reclaimed: the group goes with it. Undefined: nothing is known of its memory. */
export async function observeMemory(exit: Exit, { record, log, pids, env }: Ended): Promise<MemoryEvidence | undefined> {
  const { memoryGroup, process, createdAt } = record;
  const found = memoryGroup === undefined ? undefined : await readMemoryKills(memoryGroup);
  if (found?.kills) return toEvidence(`oom_kill ${found.kills}`, found);
  // The group of a container goes with it; then only Docker knows, and whoever looked at the group before.
  if (exit.outOfMemory) return toEvidence('OOMKilled', exit.memory ?? {});
  const told = found === undefined ? undefined : toEvidence('', found, false);
  const isKilled = exit.signal === 'SIGKILL' || exit.code === 137 || log.death !== undefined;
  if (!isKilled) return told;
  // Without a group of its own, or where all of the machine's memory was taken, only the kernel says so.
  const own = [...pids, ...(process === undefined ? [] : [process.pid])];
  const victim = findVictim((await readKernelLog(env)) ?? '', { pids: own, sinceMs: Date.parse(createdAt) });
  return victim === undefined ? told : toEvidence(victim, found ?? {});
}

interface Figures {
  readonly limitBytes?: number;
  readonly peakBytes?: number;
}

function toEvidence(line: string, { limitBytes, peakBytes }: Figures, oomKilled = true): MemoryEvidence {
  const cap = limitBytes === undefined ? {} : { cap: limitBytes };
  const peak = peakBytes === undefined ? {} : { peak: peakBytes };
  return { line, evidence: { oomKilled, ...(oomKilled ? { line } : {}), ...cap, ...peak } };
}

/** That memory ran out takes the place of what the log says of the end. */
export function toMemoryReport(report: ExitEvidenceReport, memory: MemoryEvidence | undefined): ExitEvidenceReport {
  if (memory === undefined || report.exit.diagnosis?.cause !== 'host_oom_killed') return report;
  const { cap, peak, oomKilled } = memory.evidence;
  const parts = [
    ...(oomKilled ? [memory.line] : []),
    ...(cap === undefined ? [] : [`limit ${toSizeText(cap)}`]),
    ...(peak === undefined ? [] : [`peak ${toSizeText(peak)}`]),
  ];
  const neededBytes = toNeeded(memory.evidence);
  const needed = neededBytes === undefined ? {} : { neededBytes };
  // No signature: what took the memory may be gone at the next start, however often it was met.
  return { exit: { ...report.exit, cause: 'oom', line: parts.join(', '), ...needed }, permanent: false };
}

const stepBytes = 2 ** 28;

/**
 * What it would have taken is not known, only that it was more than this: a quarter on top, in steps of 256 MiB. A cap
 * below what weights and engine are known to take is refused before any start (rule `profile/memory-cap-small`).
 */
function toNeeded({ cap = 0, peak = 0 }: MemoryEvidence['evidence']): number | undefined {
  // Between two looks it may have grown to the limit. One that is "no limit" in numbers is none.
  const most = cap < 2 ** 60 ? Math.max(cap, peak) : peak;
  return most === 0 ? undefined : Math.ceil((most * 1.25) / stepBytes) * stepBytes;
}
