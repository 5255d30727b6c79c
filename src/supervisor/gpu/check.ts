/** What a start wants of its GPUs, held against what they say of themselves. Pure. */
import { type Message, say } from '../../core/message.ts';
import { toSizeText } from '../../core/units.ts';
import { type GpuBaseline, type MemoryOwner, toBaseline } from '../../gpu/baseline.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import type { GpuDetails } from '../../gpu/query.ts';
import { isBooting } from './boot.ts';

export interface GpuWants {
  /** UUIDs, or indexes. */
  readonly gpus: readonly string[];
  /** What vLLM wants free of each at its start; it refuses otherwise. */
  readonly share?: number;
  /** Index → the UUID that it had at the last start. */
  readonly before: ReadonlyMap<number, string>;
  readonly upForMs: number;
  /** To name the command that plans anew. */
  readonly profile: string;
}

/** `waits`: it may be over at any time, however often it was met. */
export type GpuCheck =
  | { readonly is: 'passed'; readonly gpuBaselines: readonly GpuBaseline[] }
  | { readonly is: 'failed'; readonly code: string; readonly reason: Message; readonly permanent: boolean; readonly waits?: true };

export function checkGpus(details: GpuDetails, wants: GpuWants): GpuCheck {
  if (details.is === 'none') return toMissing(say('life.no-gpu', { why: details.evidence }), wants);
  if (details.is !== 'read') return details.lost ? toReboot(wants.gpus[0] ?? '') : { is: 'passed', gpuBaselines: [] };
  const found: Gpu[] = [];
  for (const name of wants.gpus) {
    const gpu = details.gpus.find(({ uuid, index }) => uuid === name || String(index) === name);
    if (gpu === undefined) return judgeMissing(name, details, wants);
    const check = checkGpu(gpu, wants);
    if (check) return check;
    found.push(gpu);
  }
  return { is: 'passed', gpuBaselines: found.map(toBaseline) };
}

function judgeMissing(name: string, { gpus, lost }: Extract<GpuDetails, { is: 'read' }>, wants: GpuWants): GpuCheck {
  if (lost) return toReboot(name);
  // Part of a GPU: its memory and its place are its GPU's business.
  if (name.startsWith('MIG-')) return { is: 'passed', gpuBaselines: [] };
  const have = gpus.map(({ index, uuid }) => `${index} ${uuid ?? ''}`.trim()).join(', ');
  return toMissing(say('life.gpu-gone', { gpu: name, have, profile: wants.profile }), wants);
}

function toMissing(reason: Message, { upForMs }: GpuWants): GpuCheck {
  const booting = isBooting(upForMs);
  return { is: 'failed', code: 'host/gpu-gone', reason, permanent: !booting, ...(booting ? { waits: true } : {}) };
}

function checkGpu(gpu: Gpu, wants: GpuWants): GpuCheck | undefined {
  const { index, uuid } = gpu;
  const was = wants.gpus.includes(String(index)) ? wants.before.get(index) : undefined;
  if (was !== undefined && uuid !== undefined && was !== uuid) {
    const reason = say('life.gpu-changed', { index, was, uuid, profile: wants.profile });
    return { is: 'failed', code: 'host/gpu-changed', reason, permanent: true };
  }
  return checkRecovery(gpu) ?? checkMemory(gpu, wants.share);
}

/** The driver's own word on what has to be done; done by whoever owns the machine, never by us. */
function checkRecovery({ index, recoveryAction = '', problems = [] }: Gpu): GpuCheck | undefined {
  const codes = problems.map(({ code }) => code);
  if (/reboot/i.test(recoveryAction) || codes.includes('gpu/lost')) return toReboot(String(index));
  if (!/reset/i.test(recoveryAction) && !codes.includes('gpu/requires-reset')) return undefined;
  const reason = say('life.gpu-needs-reset', { gpu: index, command: toResetCommand(index) });
  return { is: 'failed', code: 'host/gpu-needs-reset', reason, permanent: true };
}

function toReboot(gpu: string): GpuCheck {
  const reason = say('life.gpu-needs-reboot', { gpu, command: rebootCommand });
  return { is: 'failed', code: 'host/gpu-needs-reboot', reason, permanent: true };
}

export const rebootCommand = 'sudo reboot';

export function toResetCommand(index: number): string {
  return `sudo nvidia-smi --gpu-reset -i ${index}`;
}

/** As vLLM does it, which would notice only after a minute. Without somebody to name, that is left to vLLM. */
function checkMemory(gpu: Gpu, share: number | undefined): GpuCheck | undefined {
  const { index, memoryTotalBytes: total, memoryFreeBytes: free, memoryReservedBytes: reserved = 0, memoryKind, processes = [] } = gpu;
  if (share === undefined || total === undefined || free === undefined || memoryKind === 'unified') return undefined;
  const needBytes = share * (total - reserved);
  const [owner] = processes.toSorted((one, other) => (other.memoryUsedBytes ?? 0) - (one.memoryUsedBytes ?? 0));
  if (free >= needBytes || owner === undefined) return undefined;
  const sizes = { free: toSizeText(free), need: toSizeText(needBytes), held: toHeldText(owner.memoryUsedBytes) };
  const reason = say('life.gpu-taken', { gpu: index, ...sizes, owner: toOwnerText(owner) });
  return { is: 'failed', code: 'host/gpu-taken', reason, permanent: false, waits: true };
}

export function toOwnerText({ pid, name }: Pick<MemoryOwner, 'pid' | 'name'>): Message {
  return name === undefined ? say('life.gpu-owner-nameless', { pid }) : say('life.gpu-owner', { pid, name });
}

/** Some drivers keep it to themselves. */
function toHeldText(bytes: number | undefined): string {
  return bytes === undefined ? '?' : toSizeText(bytes);
}

/** What vLLM is told to take of each GPU. */
export function toShare(args: readonly string[]): number | undefined {
  const name = '--gpu-memory-utilization';
  const at = args.findIndex((arg) => arg === name || arg.startsWith(`${name}=`));
  const share = Number(args[at] === name ? args[at + 1] : args[at]?.slice(name.length + 1));
  return at >= 0 && share > 0 && share <= 1 ? share : undefined;
}
