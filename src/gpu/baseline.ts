/**
 * What a GPU held before a launch, and whether it is back there after its end. Pure. Memory that somebody else holds
 * is never counted against a launch, and neither is what cannot be told.
 */
import type { Gpu, GpuProcess } from './gpu.ts';

/** A GPU right before a launch. */
export interface GpuBaseline {
  readonly index: number;
  readonly uuid?: string;
  readonly busId?: string;
  /** Absent where it cannot be told: it is the machine's own memory, or the driver does not say. */
  readonly usedBytes?: number;
  readonly owners: readonly MemoryOwner[];
}

export interface MemoryOwner {
  readonly pid: number;
  readonly name?: string;
  readonly usedBytes?: number;
}

/** More than this above the baseline is memory that did not come back: contexts of others come and go meanwhile. */
const allowanceBytes = 512 * 2 ** 20;

export function toBaseline(gpu: Gpu): GpuBaseline {
  const { index, uuid, busId, memoryUsedBytes, memoryKind, processes = [] } = gpu;
  return {
    index,
    ...(uuid === undefined ? {} : { uuid }),
    ...(busId === undefined ? {} : { busId }),
    ...(memoryUsedBytes === undefined || memoryKind === 'unified' ? {} : { usedBytes: memoryUsedBytes }),
    owners: processes.map(toOwner),
  };
}

function toOwner({ pid, name, memoryUsedBytes }: GpuProcess): MemoryOwner {
  return { pid, ...(name === undefined ? {} : { name }), ...(memoryUsedBytes === undefined ? {} : { usedBytes: memoryUsedBytes }) };
}

/** What is known of the processes that a GPU names. */
export interface KnownPids {
  /** Of the launch that has ended. */
  readonly ours: ReadonlySet<number>;
  /** No such process lives. */
  readonly dead: ReadonlySet<number>;
  /** We have pids of our own (a container): those of others are not shown, or under numbers that mean nothing here. */
  readonly apart: boolean;
}

/**
 * `returned`: at most the allowance is unaccounted for; `others` hold the rest. `held`: by processes of ours that are
 * gone, or by none at all. `unseen`: more is held, and whoever holds it could not be seen from here.
 */
export type MemoryVerdict =
  | { readonly is: 'returned'; readonly others: readonly MemoryOwner[] }
  | { readonly is: 'held'; readonly bytes: number; readonly owners: readonly MemoryOwner[] }
  | { readonly is: 'unseen'; readonly bytes: number }
  | { readonly is: 'unknown' };

export function judgeMemory(before: GpuBaseline, now: Gpu | undefined, known: KnownPids): MemoryVerdict {
  if (before.usedBytes === undefined || now?.memoryUsedBytes === undefined || now.memoryKind === 'unified') return { is: 'unknown' };
  const grownBytes = now.memoryUsedBytes - before.usedBytes;
  if (grownBytes <= allowanceBytes) return { is: 'returned', others: [] };
  const owners = toNewOwners(before, now);
  const own = owners.filter(({ pid }) => isOwn(pid, known));
  const others = owners.filter((owner) => !own.includes(owner));
  // One whose share the driver does not say may hold all of it.
  const foreignBytes = others.reduce((sum, { usedBytes = Number.POSITIVE_INFINITY }) => sum + usedBytes, 0);
  const bytes = grownBytes - foreignBytes;
  if (bytes <= allowanceBytes) return { is: 'returned', others };
  return own.length > 0 || !known.apart ? { is: 'held', bytes, owners: own } : { is: 'unseen', bytes };
}

/** A process that is gone and still named is what is left of ours, where all numbers mean what they mean here. */
function isOwn(pid: number, { ours, dead, apart }: KnownPids): boolean {
  return ours.has(pid) || (dead.has(pid) && !apart);
}

/** Who was there before counts with what it has taken since. */
function toNewOwners({ owners }: GpuBaseline, { processes = [] }: Gpu): readonly MemoryOwner[] {
  return processes.map(toOwner).flatMap((owner) => {
    const before = owners.find(({ pid }) => pid === owner.pid);
    if (before === undefined) return [owner];
    const grownBytes = (owner.usedBytes ?? 0) - (before.usedBytes ?? 0);
    return grownBytes > 0 ? [{ ...owner, usedBytes: grownBytes }] : [];
  });
}
