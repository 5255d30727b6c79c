import type { Finding } from '../../core/finding.ts';
import type { Gpu, GpuProcess, MigDevice } from '../gpu.ts';

/** Which of nvidia-smi's ways to say things a text is written in; `kernel`: what the driver itself says. */
export type SmiDialect =
  | 'csv'
  | 'xml'
  | 'query'
  | 'table'
  | 'list'
  | 'topology'
  | 'monitor'
  | 'version'
  | 'kernel'
  | 'spawn-error'
  | 'text';

/** `unreadable`, `binary`, `too-long`, `xml-refused` are ours; the rest is what the driver or the shell says. */
export type SmiErrorKind =
  | 'command-not-found'
  | 'driver-not-loaded'
  | 'nvml-library-not-found'
  | 'driver-library-mismatch'
  | 'nvml-unknown-error'
  | 'no-devices'
  | 'no-permission'
  | 'device-handle-unknown-error'
  | 'gpu-is-lost'
  | 'gpu-requires-reset'
  | 'field-invalid'
  | 'xid-79-off-bus'
  | 'unreadable'
  | 'binary'
  | 'too-long'
  | 'xml-refused';

/** A GPU as one output shows it. `index` is its place in the output where none was printed. */
export interface SmiGpu extends Omit<Gpu, 'name' | 'mig' | 'processes'> {
  /** Absent where it was not asked for, or could not be told. */
  readonly name?: string;
  readonly mig?: { readonly enabled: boolean; readonly devices?: readonly SmiMigDevice[] };
  readonly processes?: readonly GpuProcess[];
  /** What stands in place of a value, by nvidia-smi's name of the field; a plain `N/A` says nothing and is left out. */
  readonly missing?: Readonly<Record<string, string>>;
}

export interface SmiMigDevice extends MigDevice {
  /** Its number on its GPU. */
  readonly index?: number;
  readonly memoryFreeBytes?: number;
  readonly multiprocessors?: number;
}

export interface SmiProcess extends GpuProcess {
  readonly gpu?: number;
  readonly gpuUuid?: string;
  readonly instance?: number;
  readonly computeInstance?: number;
}

/** How a GPU is reached: `topo -m`. */
export interface SmiLinks {
  readonly index: number;
  /** `GPU1` → `NV2`, `SYS`, `X` … */
  readonly links: Readonly<Record<string, string>>;
  /** `0-13,28-41` */
  readonly cpuAffinity?: string;
  readonly numaAffinity?: string;
  readonly gpuNumaId?: string;
}

export interface Xid {
  /** As the kernel prints it: `0000:01:00`. */
  readonly busId: string;
  readonly xid: number;
  /** The whole line. */
  readonly line: string;
}

export interface SmiReading {
  readonly dialect: SmiDialect;
  /** `partial`: some GPUs or cells failed, or the end is missing; the rest is good. */
  readonly kind: 'ok' | 'partial' | 'error';
  readonly errorKind?: SmiErrorKind;
  /** The sentence that says so. */
  readonly said?: string;
  readonly driverVersion?: string;
  readonly cudaVersion?: string;
  readonly smiVersion?: string;
  readonly kmdVersion?: string;
  readonly umdVersion?: string;
  readonly nvmlVersion?: string;
  /** Of the XML's DTD. */
  readonly schemaVersion?: number;
  readonly openKernelModule?: boolean;
  readonly gpus: readonly SmiGpu[];
  /** Of GPUs that the driver could not reach. */
  readonly failedBusIds: readonly string[];
  /** All processes, also those that stand with their GPU. Absent: the output has no list of them. */
  readonly processes?: readonly SmiProcess[];
  readonly links?: readonly SmiLinks[];
  readonly nics?: readonly string[];
  readonly xids?: readonly Xid[];
  /** `dmon`, `pmon`: a value that is `-` is absent. */
  readonly rows?: readonly Readonly<Record<string, string>>[];
  readonly spawnError?: string;
  /** What concerns the whole output; what concerns one GPU stands with it. */
  readonly problems: readonly Finding[];
}
