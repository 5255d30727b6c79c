/** What stands in no log: memory that ran out, faults of GPUs and who else was on them, disks without room. */
import { waitFor } from '../../core/clock.ts';
import type { Survivor } from '../../core/event.ts';
import { readFreeBytes } from '../../host/files.ts';
import type { LaunchSpec } from '../../plan/launch-spec.ts';
import type { Exit, LaunchRecord } from '../../runtime/runtime.ts';
import type { FailureEvidence, LogEvidence } from '../../vllm/failures/evidence.ts';
import type { GpuDoor } from '../gpu/door.ts';
import type { GpuEnd } from '../gpu/end.ts';
import { type MemoryEvidence, observeMemory } from './memory-evidence.ts';

export interface BesideContext {
  readonly gpus: Pick<GpuDoor, 'observeEnd'>;
  readonly spec: LaunchSpec;
  readonly env?: NodeJS.ProcessEnv;
  /** Processes that it still has. */
  readonly members?: () => Promise<readonly Survivor[]>;
  readonly onProblem: (error: unknown) => void;
}

export interface Ended {
  readonly record: LaunchRecord;
  readonly log: LogEvidence;
  /** Processes that its log names. */
  readonly pids: readonly number[];
  readonly isServed: boolean;
}

export interface Beside {
  readonly memory?: MemoryEvidence;
  readonly gpu: GpuEnd;
  readonly evidence: Omit<FailureEvidence, 'log'>;
}

/** Each is asked for by itself: what cannot be told is left out. To be asked before the launch is reclaimed. */
export async function observeBeside(exit: Exit, { record, log, pids, isServed }: Ended, context: BesideContext): Promise<Beside> {
  const { gpus, spec, env = process.env, members = async () => [], onProblem } = context;
  const orNone = (error: unknown) => {
    onProblem(error);
    return undefined;
  };
  // Who else is on a GPU matters to a start alone.
  const ours = isServed ? undefined : (await members().catch(() => [])).map(({ pid }) => pid);
  const [memory, gpu = {}, diskFull] = await Promise.all([
    observeMemory(exit, { record, log, pids, env }).catch(orNone),
    gpus.observeEnd(record, ours).catch(orNone),
    findFullDisk(toWrittenPlaces(spec, record, env)),
  ]);
  const { fault, gone, others } = gpu;
  return {
    gpu,
    ...(memory === undefined ? {} : { memory }),
    evidence: {
      ...(memory === undefined ? {} : { memory: memory.evidence }),
      ...(fault === undefined ? {} : { xid: fault.xid, xidLine: fault.line, xidNeedsHand: fault.remedy !== 'program' }),
      ...(gone ? { gpuLost: true } : {}),
      ...(others === undefined ? {} : { othersOnGpu: others }),
      ...(diskFull === undefined ? {} : { diskFull }),
    },
  };
}

/** Where an engine writes: its log, its temporary files, models and what it compiles. */
function toWrittenPlaces({ env, container }: LaunchSpec, { logFile, tmpDir }: LaunchRecord, own: NodeJS.ProcessEnv): readonly string[] {
  const mounts = (container?.mounts ?? []).filter(({ readOnly }) => !readOnly).map(({ source }) => source);
  const known = { ...own, ...(container === undefined ? env : {}) };
  const caches = [known.HF_HUB_CACHE, known.HF_HOME, known.VLLM_CACHE_ROOT, known.XDG_CACHE_HOME, known.HOME];
  const places = container === undefined ? caches : mounts;
  return [...new Set([logFile, tmpDir, ...places].filter((path) => path?.startsWith('/') === true))].filter((path) => path !== undefined);
}

/** As little as no file of an engine fits into. */
const leastBytes = 2 ** 24;
const diskMs = 2000;

/** A file system that does not answer is not asked for long. */
async function findFullDisk(paths: readonly string[]): Promise<string | undefined> {
  const late = new AbortController();
  const look = async (path: string) => {
    const free = await readFreeBytes(path).catch(() => undefined);
    return free !== undefined && free < leastBytes ? path : undefined;
  };
  const limit = waitFor(diskMs, late.signal).then(() => undefined);
  const found = await Promise.all(paths.map((path) => Promise.race([look(path), limit])));
  late.abort();
  return found.find((path) => path !== undefined);
}
