/** Whether memory ran out when an engine ended: its log says nothing of a SIGKILL by the kernel, its control group does. */
import { toSizeText } from '../../core/units.ts';
import { type MemoryKills, readMemoryKills } from '../../host/cgroup-memory.ts';
import type { Exit, LaunchRecord } from '../../runtime/runtime.ts';
import { diagnose } from '../../vllm/failures/diagnose.ts';
import { emptyLog } from '../../vllm/failures/evidence.ts';
import type { ExitEvidenceReport } from './work.ts';

/** To be asked before the launch is reclaimed: the group goes with it. */
export async function addMemoryEvidence(
  report: ExitEvidenceReport,
  { memoryGroup }: Pick<LaunchRecord, 'memoryGroup'>,
  { outOfMemory, memory }: Exit,
): Promise<ExitEvidenceReport> {
  const found = memoryGroup === undefined ? undefined : await readMemoryKills(memoryGroup);
  if (found?.kills) return toOutOfMemory(report, found, [`oom_kill ${found.kills}`]);
  // The group of a container goes with it; then only Docker knows, and whoever looked at the group before.
  return outOfMemory ? toOutOfMemory(report, memory ?? {}, ['OOMKilled']) : report;
}

type MemoryFigures = Pick<MemoryKills, 'limitBytes' | 'peakBytes'>;

function toOutOfMemory(report: ExitEvidenceReport, figures: MemoryFigures, kills: readonly string[]): ExitEvidenceReport {
  const { limitBytes, peakBytes } = figures;
  const line = [
    ...kills,
    ...(limitBytes === undefined ? [] : [`limit ${toSizeText(limitBytes)}`]),
    ...(peakBytes === undefined ? [] : [`peak ${toSizeText(peakBytes)}`]),
  ].join(', ');
  const neededBytes = toNeeded(figures);
  const needed = neededBytes === undefined ? {} : { neededBytes };
  // No signature: what took the memory may be gone at the next start, however often it was met.
  const told = diagnose({ log: emptyLog, memory: toMemory(figures) });
  const full = told === undefined ? {} : { report: told };
  return { exit: { ...report.exit, cause: 'oom', diagnosis: 'host_oom_killed', line, ...full, ...needed }, permanent: false };
}

function toMemory({ limitBytes, peakBytes }: MemoryFigures) {
  const cap = limitBytes === undefined ? {} : { cap: limitBytes };
  return { oomKilled: true, ...cap, ...(peakBytes === undefined ? {} : { peak: peakBytes }) };
}

const stepBytes = 2 ** 28;

/**
 * What it would have taken is not known, only that it was more than this: a quarter on top, in steps of 256 MiB. A cap
 * below what weights and engine are known to take is refused before any start (rule `profile/memory-cap-small`).
 */
function toNeeded({ limitBytes = 0, peakBytes = 0 }: MemoryFigures): number | undefined {
  // Between two looks it may have grown to the limit. One that is "no limit" in numbers is none.
  const most = limitBytes < 2 ** 60 ? Math.max(limitBytes, peakBytes) : peakBytes;
  return most === 0 ? undefined : Math.ceil((most * 1.25) / stepBytes) * stepBytes;
}
