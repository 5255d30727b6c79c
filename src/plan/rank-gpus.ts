/** GPUs as an engine could have them for itself: slices in place of GPUs that are cut, all memory as if it were free. Pure. */
import type { Gpu, GpuObservation, MigDevice } from '../gpu/gpu.ts';

export interface UsableGpu extends Gpu {
  /** A part of a GPU: no two of them work together. */
  readonly slice?: true;
  /** Its memory is the machine's. */
  readonly unified?: true;
}

export function toUsableGpus(observed: GpuObservation, machineBytes: number | undefined): GpuObservation {
  if (observed.is !== 'present') return observed;
  return { ...observed, gpus: observed.gpus.flatMap((gpu) => toParts(gpu)).map((gpu) => toIdle(gpu, machineBytes)) };
}

/** Cut and without slices there is nothing that an engine could run on. */
function toParts(gpu: Gpu): readonly UsableGpu[] {
  if (gpu.mig?.enabled !== true) return [gpu];
  const { mig, memoryTotalBytes: _, uuid: _whole, ...rest } = gpu;
  return (mig.devices ?? []).map((device) => ({ ...rest, ...toSlice(gpu, device), slice: true }));
}

function toSlice(gpu: Gpu, { uuid, profile, memoryTotalBytes }: MigDevice): Pick<Gpu, 'name' | 'uuid' | 'memoryTotalBytes'> {
  const bytes = memoryTotalBytes ?? toBytes(profile);
  return {
    name: profile === undefined ? gpu.name : `${gpu.name} ${profile}`,
    ...(uuid === undefined ? {} : { uuid }),
    ...(bytes === undefined ? {} : { memoryTotalBytes: bytes }),
  };
}

/** `1g.10gb`, `1c.3g.71gb+me`: the maker's gigabytes, of which a little less is there. */
function toBytes(profile = ''): number | undefined {
  const gigabytes = /(\d+)gb/.exec(profile)?.[1];
  return gigabytes === undefined ? undefined : Number(gigabytes) * 0.95 * 2 ** 30;
}

/** A GPU that shares the machine's memory does not tell how much there is. */
function toIdle(gpu: UsableGpu, machineBytes: number | undefined): UsableGpu {
  const { memoryFreeBytes: _free, memoryUsedBytes: _used, ...idle } = gpu;
  const unified = gpu.memoryKind === 'unified' || gpu.memoryTotalBytes === undefined;
  if (!unified || gpu.slice) return idle;
  const bytes = gpu.memoryTotalBytes ?? machineBytes;
  return { ...idle, unified: true, ...(bytes === undefined ? {} : { memoryTotalBytes: bytes }) };
}
