/** nvidia-smi's numbers as CUDA sees them: the driver keeps a part of each card, and so does each process. Pure. */
import type { Gpu } from '../../gpu/gpu.ts';

export interface CudaTotal {
  readonly bytes: number;
  /** By how much it may be more, where nobody has seen what the driver keeps. */
  readonly slackBytes: number;
}

const mib = 2 ** 20;

interface Reserve {
  readonly name: RegExp;
  readonly mib: number;
  /** By how much less it may be. */
  readonly spread?: number;
}

/**
 * What the driver keeps, seen on machines (`memory.reserved`, or the total that vLLM printed). The first that matches
 * counts. GeForce cards of four generations: 205 (Windows) to 453 MiB, mostly about 400.
 */
const reserves: readonly Reserve[] = [
  { name: /\bH100\b/, mib: 479 },
  { name: /\bH200\b/, mib: 614 },
  { name: /\bL40S?\b/, mib: 609 },
  { name: /\bA100\b.*\b80 ?GB/, mib: 871 },
  { name: /\bA100\b.*\b40 ?GB/, mib: 607 },
  { name: /\bA10G?\b/, mib: 437 },
  { name: /\bL4\b/, mib: 444 },
  { name: /\bT4\b/, mib: 389 },
  { name: /\bRTX A6000\b/, mib: 500 },
  { name: /\bRTX 6000 Ada\b/, mib: 633 },
  { name: /\bRTX PRO 6000\b/, mib: 638 },
  { name: /\bRTX 4090\b/, mib: 348 },
  { name: /\bRTX 4080 SUPER\b/, mib: 434 },
  { name: /\bRTX 3090\b/, mib: 440 },
  { name: /\bRTX 3060\b/, mib: 380 },
  { name: /\bRTX 5090\b(?! Laptop)/, mib: 453 },
  { name: /\bRTX 5060 Ti\b/, mib: 388 },
  { name: /\b[GR]TX (?:16|20|30|40|50)\d\d\b/, mib: 404, spread: 199 },
];

/** The largest that was seen is 871 MiB. */
const unknownReserve: Reserve = { name: /./, mib: 0.9 * 1024, spread: 0.9 * 1024 - 205 };

/** Undefined where the driver does not tell, as for GPUs that share the machine's memory. */
export function toCudaTotal(gpu: Gpu): CudaTotal | undefined {
  const { memoryTotalBytes: total, memoryReservedBytes: reserved, memoryKind, name } = gpu;
  if (total === undefined) return undefined;
  if (memoryKind === 'unified') return { bytes: total, slackBytes: 0 };
  if (reserved !== undefined) return { bytes: total - reserved, slackBytes: 0 };
  const known = (gpu.nameCut ? undefined : reserves.find((one) => one.name.test(name))) ?? unknownReserve;
  return { bytes: total - known.mib * mib, slackBytes: (known.spread ?? 0) * mib };
}

/** The GPU that rules over what all of them hold; undefined where one does not tell. */
export function findSmallest(gpus: readonly Gpu[]): Gpu | undefined {
  return toCards(gpus)[0]?.gpu;
}

export interface Card {
  readonly gpu: Gpu;
  readonly total: CudaTotal;
}

/** The smallest first; empty where one does not tell. */
export function toCards(gpus: readonly Gpu[]): readonly Card[] {
  const known = gpus.flatMap((gpu) => {
    const total = toCudaTotal(gpu);
    return total ? [{ gpu, total }] : [];
  });
  return known.length === gpus.length ? known.toSorted((a, b) => a.total.bytes - b.total.bytes) : [];
}

/** CUDA's context, which a process has before vLLM looks: on idle cards it saw 0.2 to 0.6 GiB less than all. */
export const contextBytes = 0.4 * 2 ** 30;

/** What vLLM will find free. */
export function toCudaFree({ memoryFreeBytes: free }: Gpu): number | undefined {
  return free === undefined ? undefined : Math.max(free - contextBytes, 0);
}
