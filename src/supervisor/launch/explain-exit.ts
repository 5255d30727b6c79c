/** Everything that is known of why a launch ended: its log, its memory, its GPUs. */
import type { LaunchSpec } from '../../plan/launch-spec.ts';
import type { Exit, LaunchRecord } from '../../runtime/runtime.ts';
import type { GpuDoor } from '../gpu/door.ts';
import { addMemoryEvidence } from './memory-evidence.ts';
import { type ExitEvidenceReport, observeExit, readSecrets } from './work.ts';

export interface ExitContext {
  readonly at: string;
  /** What must not be repeated from the log: the launch's references, and what the asking shells gave. */
  readonly refs: LaunchSpec['secretEnv'];
  readonly given: Readonly<Record<string, string>>;
  readonly gpus: GpuDoor;
  readonly onProblem: (error: unknown) => void;
}

export async function explainExit(exit: Exit, record: LaunchRecord, context: ExitContext): Promise<ExitEvidenceReport> {
  const { at, refs, given, gpus, onProblem } = context;
  const { by, ...how } = exit;
  // What its log says of the end would be about the order to end.
  if (by !== undefined) return { exit: { cause: `${by}-by-hand`, at, ...how }, permanent: false };
  // One that cannot be read now is none that could be looked for.
  const known = await readSecrets(refs, given).catch(() => ({}));
  const secrets = [...Object.values(given), ...Object.values(known)];
  const seen = await observeExit(exit, record.logFile, { at, secrets }).catch((error: unknown) => {
    // That it has ended counts; the log only says why.
    onProblem(error);
    return { exit: { cause: 'exit', at, ...exit }, permanent: false };
  });
  return gpus.explainExit(await addMemoryEvidence(seen, record, exit), record);
}
