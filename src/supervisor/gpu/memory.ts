/** Proves that the GPU memory of a launch came back after its end. */
import { readlink } from 'node:fs/promises';
import { type Clock, waitFor } from '../../core/clock.ts';
import { type GpuBaseline, judgeMemory, type KnownPids, type MemoryOwner, type MemoryVerdict } from '../../gpu/baseline.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import type { GpuDetails } from '../../gpu/query.ts';
import { errnoOf } from '../../host/files.ts';
import { isDead, readProcess } from '../../host/proc.ts';

export interface MemoryQuestion {
  readonly baselines: readonly GpuBaseline[];
  readonly ask: () => Promise<GpuDetails>;
  /** Processes that the launch is known to have had. */
  readonly ours: ReadonlySet<number>;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
  /** For tests: whether pids are our own, and which are gone. */
  readonly apart?: boolean;
  readonly isGone?: (pid: number) => Promise<boolean>;
}

/** Of one GPU. */
export type MemoryProof = MemoryVerdict & { readonly gpu: GpuBaseline };

const limitMs = 30_000;
const firstPollMs = 250;
const slowestPollMs = 2000;
/** Where the holders cannot be seen, memory that has not gone down for this long is taken for theirs. */
const stillMs = 5000;

/** One proof for each GPU: the last look, which is the first one that shows them all as they were. */
export async function proveMemoryReturned(question: MemoryQuestion): Promise<readonly MemoryProof[]> {
  const { clock, signal, apart = await hasOwnPids() } = question;
  const deadline = clock.mono() + limitMs;
  let least = Number.POSITIVE_INFINITY;
  let leastAt = clock.mono();
  for (let pauseMs = firstPollMs; ; pauseMs = Math.min(2 * pauseMs, slowestPollMs)) {
    const proofs = await look(question, apart);
    const bytes = proofs.reduce((sum, proof) => sum + ('bytes' in proof ? proof.bytes : 0), 0);
    if (bytes < least) leastAt = clock.mono();
    least = Math.min(least, bytes);
    const unseen = !proofs.some(({ is }) => is === 'held') && clock.mono() - leastAt >= stillMs;
    if (bytes === 0 || unseen || clock.mono() >= deadline || signal?.aborted) return proofs;
    await waitFor(pauseMs, signal, clock);
  }
}

async function look(question: MemoryQuestion, apart: boolean): Promise<readonly MemoryProof[]> {
  const { baselines, ask, ours, isGone = isProcessGone } = question;
  const details = await ask();
  if (details.is !== 'read') return baselines.map((gpu) => ({ is: 'unknown', gpu }));
  const pids = details.gpus.flatMap(({ processes = [] }) => processes.map(({ pid }) => pid));
  const gone = await Promise.all(pids.map(async (pid) => ((await isGone(pid)) ? [pid] : [])));
  const known: KnownPids = { ours, dead: new Set(gone.flat()), apart };
  return baselines.map((gpu) => ({ ...judgeMemory(gpu, findSame(gpu, details.gpus), known), gpu }));
}

function findSame({ uuid, index }: GpuBaseline, gpus: readonly Gpu[]): Gpu | undefined {
  return gpus.find((gpu) => (uuid === undefined ? gpu.index === index : gpu.uuid === uuid));
}

/** Where /proc hides the processes of others, they are not gone: a signal that is not sent tells that they are there. */
async function isProcessGone(pid: number): Promise<boolean> {
  const facts = await readProcess(pid);
  if (facts) return isDead(facts);
  try {
    return !process.kill(pid, 0);
  } catch (error) {
    return errnoOf(error) !== 'EPERM';
  }
}

/** The first namespace of processes has this number on every Linux. */
async function hasOwnPids(): Promise<boolean> {
  return (await readlink('/proc/self/ns/pid').catch(() => '')) !== 'pid:[4026531836]';
}

/** `1234 (VLLM::EngineCore)`, for a report that no language belongs to. */
export function toOwnersText(owners: readonly MemoryOwner[]): string {
  return owners.map(({ pid, name }) => (name === undefined ? String(pid) : `${pid} (${name})`)).join(', ');
}
