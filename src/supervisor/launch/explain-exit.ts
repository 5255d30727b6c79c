/** Everything that is known of why a launch ended: its log, its settings, its memory, its GPUs, its disks, what we saw of it. */
import type { Clock } from '../../core/clock.ts';
import { createMask } from '../../core/redact.ts';
import { readLastLines } from '../../host/tail.ts';
import { toEngineSettings } from '../../plan/diff.ts';
import type { LaunchSpec } from '../../plan/launch-spec.ts';
import type { Exit, LaunchRecord } from '../../runtime/runtime.ts';
import { diagnose } from '../../vllm/failures/diagnose.ts';
import type { FailureEvidence, LogEvidence } from '../../vllm/failures/evidence.ts';
import { createLogScan } from '../../vllm/failures/scan.ts';
import type { FlagCatalogue, FlagHistory } from '../../vllm/flags.ts';
import { toGpuReport } from '../gpu/end.ts';
import type { State } from '../state.ts';
import { type BesideContext, observeBeside } from './beside.ts';
import { type ExitEvidenceReport, toExitReport } from './exit-report.ts';
import { toMemoryReport } from './memory-evidence.ts';
import { isEndedByUs, toSeen } from './seen.ts';
import { readSecrets } from './work.ts';

/** The settings of vLLM as one of its versions knows them. */
export interface KnownFlags {
  readonly catalogue: FlagCatalogue;
  readonly history: FlagHistory;
}

export interface ExitContext extends BesideContext {
  readonly clock: Clock;
  /** As it is now; of another launch it tells nothing. */
  readonly state?: State;
  readonly spec: LaunchSpec;
  /** What must not be repeated from the log, besides the launch's references: what the asking shells gave. */
  readonly given: Readonly<Record<string, string>>;
  /** Asked only where a setting was refused. Undefined: nothing is known of this version. */
  readonly flagsOf?: (spec: LaunchSpec) => Promise<KnownFlags | undefined>;
}

/** Never rejects: that it has ended counts; what cannot be read of the reason is left out. */
export async function explainExit(exit: Exit, record: LaunchRecord, context: ExitContext): Promise<ExitEvidenceReport> {
  const { clock, spec, given, state, onProblem } = context;
  const at = new Date(clock.wall()).toISOString();
  const { by, ...how } = exit;
  // What its log says of the end would be about the order to end.
  if (by !== undefined) return { exit: { cause: `${by}-by-hand`, at, ...how }, permanent: false };
  try {
    // One that cannot be read now is none that could be looked for.
    const known = await readSecrets(spec.secretEnv, given).catch(() => ({}));
    const mask = createMask([...Object.values(given), ...Object.values(known)]);
    const { log, pids } = await readLog(record.logFile, onProblem);
    const isEnded = isEndedByUs(state, record);
    const beside = await observeBeside(exit, { log, pids, record, isServed: log.servedFrom !== undefined }, context);
    const seen = toSeen(state, { record, log, wallMs: clock.wall() });
    const end = isEnded ? {} : { exit: toEnd(exit) };
    const evidence = { log, ...end, ...beside.evidence, ...seen, settings: toEngineSettings(spec) };
    const report = toExitReport(exit, { at, evidence: await withFlags(evidence, context), mask, isEnded });
    return toGpuReport(toMemoryReport(report, beside.memory), beside.gpu);
  } catch (error) {
    onProblem(error);
    return { exit: { cause: 'exit', at, ...how }, permanent: false };
  }
}

/** Enough of a log's end for the first error of every process. */
const evidenceLines = 2000;

async function readLog(
  file: string,
  onProblem: (error: unknown) => void,
): Promise<{ readonly log: LogEvidence; readonly pids: readonly number[] }> {
  const lines = await readLastLines(file, evidenceLines).catch((error: unknown) => {
    onProblem(error);
    return [];
  });
  const scan = createLogScan();
  for (const line of lines) scan.push(line);
  const named = lines.map((line) => /\b(?:APIServer|EngineCore|Worker)\S{0,40} pid=(\d{1,10})\)/.exec(line)?.[1]);
  return { log: scan.end(), pids: [...new Set(named.flatMap((pid) => (pid === undefined ? [] : [Number(pid)])))] };
}

function toEnd({ code, signal }: Exit) {
  return { ...(code === undefined ? {} : { code }), ...(signal === undefined ? {} : { signal }) };
}

/** What was meant by a setting that its version does not know. */
async function withFlags(evidence: FailureEvidence, { flagsOf, spec, onProblem }: ExitContext): Promise<FailureEvidence> {
  if (flagsOf === undefined || diagnose(evidence)?.cause !== 'unknown_argument') return evidence;
  const known = await flagsOf(spec).catch((error: unknown) => {
    onProblem(error);
    return undefined;
  });
  return known === undefined ? evidence : { ...evidence, ...known };
}
