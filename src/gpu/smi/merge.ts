/** Several answers about the same GPUs → one description of each. */
import type { Finding } from '../../core/finding.ts';
import type { SmiGpu, SmiMigDevice } from './reading.ts';

/** What is in both stays as it is in `gpus`; GPUs that only `more` has are left out. */
export function mergeGpus(gpus: readonly SmiGpu[], more: readonly SmiGpu[], { indexed }: MergeOptions): readonly SmiGpu[] {
  return gpus.map((gpu) => {
    const same = more.find((other) => isSame(gpu, other, indexed));
    return same ? mergeGpu(gpu, same) : gpu;
  });
}

export interface MergeOptions {
  /** The indices of the others were printed, and are not places in a list: places shift when a GPU fails. */
  readonly indexed: boolean;
}

function isSame(one: SmiGpu, other: SmiGpu, indexed: boolean): boolean {
  if (one.uuid !== undefined && other.uuid !== undefined) return one.uuid === other.uuid;
  if (one.busId !== undefined && other.busId !== undefined) return one.busId === other.busId;
  return indexed && one.index === other.index;
}

function mergeGpu(gpu: SmiGpu, more: SmiGpu): SmiGpu {
  const { nameCut: _, ...rest } = more;
  const mig = mergeMig(gpu.mig, more.mig);
  const problems = mergeProblems(gpu.problems ?? [], more.problems ?? []);
  return {
    ...rest,
    ...gpu,
    ...(gpu.memoryKind === 'unknown' && more.memoryKind ? { memoryKind: more.memoryKind } : {}),
    ...(more.memoryKind === 'unified' ? { memoryKind: 'unified' } : {}),
    ...mergePart('clocks', gpu, more),
    ...mergePart('pcie', gpu, more),
    ...(mig ? { mig } : {}),
    ...(problems.length > 0 ? { problems } : {}),
  };
}

function mergePart<K extends 'clocks' | 'pcie'>(key: K, gpu: SmiGpu, more: SmiGpu): Pick<SmiGpu, K> | Record<string, never> {
  return gpu[key] || more[key] ? ({ [key]: { ...more[key], ...gpu[key] } } as Pick<SmiGpu, K>) : {};
}

/** Sizes come from one answer, names and UUIDs of the slices from another. */
function mergeMig(one: SmiGpu['mig'], other: SmiGpu['mig']): SmiGpu['mig'] {
  if (!one || !other) return one ?? other;
  const mine = one.devices ?? [];
  const others = other.devices ?? [];
  const both = mine.map((device) => ({ ...others.find(({ index }) => index !== undefined && index === device.index), ...device }));
  const devices: readonly SmiMigDevice[] = mine.length > 0 ? both : others;
  return { enabled: one.enabled || other.enabled, ...(devices.length > 0 ? { devices } : {}) };
}

/** The same thing is said once, with the words of who said it first. */
function mergeProblems(some: readonly Finding[], more: readonly Finding[]): readonly Finding[] {
  const isNew = ({ code, evidence }: Finding) =>
    !some.some((one) => one.code === code && (code !== 'gpu/cell-error' || one.evidence === evidence));
  return [...some, ...more.filter(isNew)];
}
