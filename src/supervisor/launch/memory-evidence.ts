/** Whether memory ran out when an engine ended: its log says nothing of a SIGKILL by the kernel, its control group does. */
import { toSizeText } from '../../core/units.ts';
import { readMemoryKills } from '../../host/cgroup-memory.ts';
import type { Exit, LaunchRecord } from '../../runtime/runtime.ts';
import type { ExitEvidenceReport } from './work.ts';

/** To be asked before the launch is reclaimed: the group goes with it. */
export async function addMemoryEvidence(
  report: ExitEvidenceReport,
  { memoryGroup }: Pick<LaunchRecord, 'memoryGroup'>,
  exit: Exit,
): Promise<ExitEvidenceReport> {
  const found = memoryGroup === undefined ? undefined : await readMemoryKills(memoryGroup);
  // The group of a container goes with it; then only Docker knows.
  if (exit.outOfMemory && !found?.kills) return toOutOfMemory(report, ['OOMKilled']);
  if (found === undefined || found.kills === 0) return report;
  const { kills, limitBytes, peakBytes } = found;
  const figures = [
    `oom_kill ${kills}`,
    ...(limitBytes === undefined ? [] : [`limit ${toSizeText(limitBytes)}`]),
    ...(peakBytes === undefined ? [] : [`peak ${toSizeText(peakBytes)}`]),
  ];
  return toOutOfMemory(report, figures);
}

function toOutOfMemory(report: ExitEvidenceReport, figures: readonly string[]): ExitEvidenceReport {
  // No signature: what took the memory may be gone at the next start, however often it was met.
  return { exit: { ...report.exit, cause: 'oom', diagnosis: 'host_oom_killed', line: figures.join(', ') }, permanent: false };
}
