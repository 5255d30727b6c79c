/** What a driver does not say of a card that is known by its name. Pure. */
import type { Gpu, GpuObservation } from './gpu.ts';
import { findKnownGpus, type KnownGpu } from './table.ts';

export interface CompleteOptions {
  readonly table: readonly KnownGpu[];
  /** Also the memory of a GPU that shares the machine's: where the machine is another one, nobody can ask it. */
  readonly memory: boolean;
}

export function isComplete(observed: GpuObservation, memory: boolean): boolean {
  if (observed.is !== 'present') return true;
  return observed.gpus.every((gpu) => gpu.computeCapability !== undefined && (!memory || gpu.memoryTotalBytes !== undefined));
}

export function completeGpus(observed: GpuObservation, options: CompleteOptions): GpuObservation {
  return observed.is === 'present' ? { ...observed, gpus: observed.gpus.map((gpu) => complete(gpu, options)) } : observed;
}

/** Several cards of these words have the same capability, or nothing is said. A name that was cut may mean anything. */
function complete(gpu: Gpu, { table, memory }: CompleteOptions): Gpu {
  if (gpu.nameCut || gpu.name.endsWith('...')) return gpu;
  const known = toKnown(gpu.name, table);
  const [first] = known;
  if (first === undefined || known.some(({ capability }) => capability !== first.capability)) return gpu;
  const sure = memory && gpu.memoryTotalBytes === undefined && known.every(({ memoryMiB }) => memoryMiB === first.memoryMiB);
  return {
    ...gpu,
    computeCapability: gpu.computeCapability ?? first.capability,
    ...(sure ? { memoryTotalBytes: first.memoryMiB * 2 ** 20 } : {}),
    ...(first.unified && gpu.memoryKind === undefined ? { memoryKind: 'unified' as const } : {}),
  };
}

function toKnown(name: string, table: readonly KnownGpu[]): readonly KnownGpu[] {
  const found = findKnownGpus(name, table);
  if (found.is === 'unknown') return [];
  if (found.is === 'ambiguous') return table.filter((known) => found.names.includes(known.name));
  const [gpu] = found.gpus;
  return table.filter((known) => known.name === gpu?.name);
}
