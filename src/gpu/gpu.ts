import type { Finding } from '../core/finding.ts';
import type { Message } from '../core/message.ts';

/** One NVIDIA GPU as its driver describes it. What the driver did not say (`[N/A]`, `ERR!`) is absent. */
export interface Gpu {
  /** nvidia-smi's number; numbers may skip where a GPU failed. */
  readonly index: number;
  readonly uuid?: string;
  /** Tables cut it (`NVIDIA GeForce ...`): then `nameCut` is true, and it identifies nothing. */
  readonly name: string;
  readonly nameCut?: true;
  /** As printed, e.g. `00000000:01:00.0`. */
  readonly busId?: string;
  /** e.g. `Ampere`. */
  readonly architecture?: string;
  /** e.g. `8.9`. */
  readonly computeCapability?: string;
  /** nvidia-smi's numbers; CUDA sees a little less (`memory.reserved`, up to 0.9 GiB). */
  readonly memoryTotalBytes?: number;
  readonly memoryUsedBytes?: number;
  readonly memoryFreeBytes?: number;
  readonly memoryReservedBytes?: number;
  /** `unified`: it shares the machine's memory (GB10, Jetson). */
  readonly memoryKind?: 'dedicated' | 'unified' | 'unknown';
  readonly utilizationPercent?: number;
  readonly temperatureC?: number;
  readonly powerW?: number;
  readonly powerLimitW?: number;
  readonly fanPercent?: number;
  /** `P0` to `P12`. */
  readonly performanceState?: string;
  readonly clocks?: { readonly graphicsMhz?: number; readonly memoryMhz?: number; readonly graphicsMaxMhz?: number };
  /** Names of nvidia-smi's fields without their prefix (`hw_slowdown`, `sw_power_cap`, `gpu_idle`); empty: none is active. */
  readonly throttleReasons?: readonly string[];
  readonly persistence?: boolean;
  readonly displayActive?: boolean;
  /** As printed: `Default`, `Exclusive_Process`, `Prohibited` … */
  readonly computeMode?: string;
  /** Windows: `WDDM`, `TCC`. */
  readonly driverModel?: string;
  /** False where the GPU has none switched on. */
  readonly ecc?: boolean;
  readonly eccErrors?: { readonly uncorrectedVolatile?: number };
  readonly retiredPages?: { readonly singleBit?: number; readonly doubleBit?: number; readonly pending?: boolean };
  readonly remappedRows?: {
    readonly correctable?: number;
    readonly uncorrectable?: number;
    readonly pending?: boolean;
    readonly failure?: boolean;
  };
  /** `None`, `Reset`, `Reboot`, `Drain P2P` … */
  readonly recoveryAction?: string;
  /** `Completed` is what an NVSwitch machine needs. */
  readonly fabricState?: string;
  readonly pcie?: { readonly generation?: number; readonly generationMax?: number; readonly width?: number; readonly widthMax?: number };
  readonly numaNode?: number;
  readonly mig?: { readonly enabled: boolean; readonly devices?: readonly MigDevice[] };
  readonly processes?: readonly GpuProcess[];
  readonly driverVersion?: string;
  /** The highest that the driver runs, not a toolkit that is installed. */
  readonly cudaVersion?: string;
  /** What the driver says is wrong with this one (`gpu/requires-reset`, `gpu/cell-error` …). */
  readonly problems?: readonly Finding[];
}

export interface MigDevice {
  readonly uuid?: string;
  /** `1g.10gb`. */
  readonly profile?: string;
  readonly instance?: number;
  readonly computeInstance?: number;
  readonly memoryTotalBytes?: number;
  readonly memoryUsedBytes?: number;
}

/** In a container those of others are not seen, though their memory is. */
export interface GpuProcess {
  readonly pid: number;
  /** Paths may be cut from the left. */
  readonly name?: string;
  /** `C`, `G`, `C+G`, `M+C`. */
  readonly type?: string;
  readonly memoryUsedBytes?: number;
}

/** `silent`: something says that there is a GPU, and it does not answer. Never to be taken for `absent`. */
export type GpuObservation = (
  | { readonly is: 'present'; readonly gpus: readonly Gpu[]; readonly driverVersion?: string; readonly cudaVersion?: string }
  | { readonly is: 'absent'; readonly evidence: Message }
  | { readonly is: 'silent'; readonly signs: readonly string[]; readonly evidence: Message }
) & {
  /** What is to be said besides: a GPU that its driver does not reach, an nvidia-smi of somebody else. */
  readonly problems?: readonly Finding[];
};

/** `8.9` → 8.9 as a number that can be compared: 8.9 < 12.0. Undefined when it is not known. */
export function toCapability(gpu: Gpu): number | undefined {
  const match = /^(\d+)\.(\d)$/.exec(gpu.computeCapability ?? '');
  return match ? Number(match[0]) : undefined;
}
