/** What the GPUs of a launch tell of its end. Pure. */
import type { GpuBaseline } from '../../gpu/baseline.ts';
import type { GpuFault } from '../../gpu/fault.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import type { ExitEvidenceReport } from '../launch/exit-report.ts';
import type { LostGpus } from './life.ts';

export interface GpuEnd {
  /** Of the kernel's log, since the launch began. */
  readonly fault?: GpuFault;
  /** Its container could not reach them any more. */
  readonly lost?: LostGpus;
  /** The driver has lost one. */
  readonly gone?: boolean;
  /** Whether processes of others held memory of them, before the start or at the end. */
  readonly others?: boolean;
}

/** More than what drivers and desktops keep of an idle GPU. */
const idleBytes = 2 ** 30;

/** Undefined where nobody can tell: the driver does not say what is used, or not to whom it belongs. */
export function hasOthers(baselines: readonly GpuBaseline[], now: readonly Gpu[], ours: readonly number[]): boolean | undefined {
  const before = baselines.map(({ owners, usedBytes }) => toVerdict(owners, usedBytes));
  const after = now
    .filter(({ index, uuid }) => baselines.some((one) => (one.uuid === undefined ? one.index === index : one.uuid === uuid)))
    .map(({ processes = [] }) => processes.some(({ pid, memoryUsedBytes = 1 }) => memoryUsedBytes > 0 && !ours.includes(pid)));
  if (before.includes(true) || after.includes(true)) return true;
  return before.length === 0 || after.length === 0 || before.includes(undefined) ? undefined : false;
}

function toVerdict(owners: GpuBaseline['owners'], usedBytes: number | undefined): boolean | undefined {
  if (owners.some((owner) => (owner.usedBytes ?? 1) > 0)) return true;
  // Held by somebody who cannot be seen from here.
  return usedBytes === undefined ? undefined : usedBytes > idleBytes;
}

/** How a launch ended, when its GPU is the reason: that wins over the name that its log has for it. */
export function toGpuReport({ exit, ...report }: ExitEvidenceReport, { fault, lost }: GpuEnd): ExitEvidenceReport {
  // Not for good, however often: the next start makes a new container.
  if (lost) return { exit: { ...exit, ...lost }, permanent: false };
  if (fault === undefined || exit.diagnosis?.cause !== 'gpu_lost_xid') return { exit, ...report };
  const { xid, line, remedy } = fault;
  return { exit: { ...exit, cause: 'gpu', reason: `xid-${xid}`, line }, permanent: remedy !== 'program' };
}
