import type { Message } from '../core/message.ts';

/** One NVIDIA GPU as its driver describes it. What the driver did not say is absent. */
export interface Gpu {
  readonly index: number;
  readonly uuid?: string;
  readonly name: string;
  /** e.g. `8.9`. */
  readonly computeCapability?: string;
  /** nvidia-smi's numbers; CUDA sees a little less (`memory.reserved`, up to 0.9 GiB). */
  readonly memoryTotalBytes?: number;
  readonly memoryUsedBytes?: number;
  readonly memoryFreeBytes?: number;
  readonly driverVersion?: string;
}

/** `silent`: something says that there is a GPU, and it does not answer. Never to be taken for `absent`. */
export type GpuObservation =
  | { readonly is: 'present'; readonly gpus: readonly Gpu[]; readonly driverVersion?: string; readonly cudaVersion?: string }
  | { readonly is: 'absent'; readonly evidence: Message }
  | { readonly is: 'silent'; readonly signs: readonly string[]; readonly evidence: Message };

/** `8.9` → 8.9 as a number that can be compared: 8.9 < 12.0. Undefined when it is not known. */
export function toCapability(gpu: Gpu): number | undefined {
  const match = /^(\d+)\.(\d)$/.exec(gpu.computeCapability ?? '');
  return match ? Number(match[0]) : undefined;
}
