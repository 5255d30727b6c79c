/** Several deployments of one profile: their names, their ports, and whether they fit on their GPUs together. Pure. */
import { DeployError } from '../core/error.ts';
import { toSizeText } from '../core/units.ts';
import type { Gpu } from '../gpu/gpu.ts';
import type { Profile } from '../profile/profile.ts';
import type { Facts } from './facts.ts';
import { chooseGpus } from './gpu-choice.ts';
import { toGpuNeed } from './gpu-need.ts';

export interface Member {
  readonly name: string;
  /** With its own port. */
  readonly profile: Profile;
  /** From 1; absent when the profile asks for one deployment only. */
  readonly replica?: number;
}

export interface Members {
  readonly first: Member;
  /** The first one too. */
  readonly all: readonly Member[];
}

/** What `up` makes of a profile: one deployment of the name, or NAME-1 … NAME-N on ports in a row. */
export function toMembers(profile: Profile, name: string): Members {
  const { replicas } = profile;
  if (replicas === 1) return { first: { name, profile }, all: [{ name, profile }] };
  const all = Array.from({ length: replicas }, (_, index) => toMember(profile, name, index + 1));
  return { first: toMember(profile, name, 1), all };
}

export function toMember(profile: Profile, group: string, replica: number): Member {
  const { server } = profile;
  return { name: `${group}-${replica}`, replica, profile: { ...profile, server: { ...server, port: server.port + replica - 1 } } };
}

/** Whether replicas ask for more of one GPU than there is; each alone has been checked before. */
export function checkReplicas(profile: Profile, facts: Facts): DeployError | undefined {
  if (profile.replicas === 1 || profile.engine.variant !== 'gpu') return undefined;
  for (const { gpu, count } of countMembers(profile, facts)) {
    const problem = count > 1 ? checkShares(profile, gpu, count) : undefined;
    if (problem) return problem;
  }
  return undefined;
}

/** Whether two replicas share a GPU: then the second one may only start when the first one has measured its memory. */
export function sharesGpu(profile: Profile, facts: Facts): boolean {
  return countMembers(profile, facts).some(({ count }) => count > 1);
}

interface Load {
  readonly gpu: Gpu;
  readonly count: number;
}

function countMembers(profile: Profile, facts: Facts): readonly Load[] {
  const loads = new Map<number, Load>();
  for (let replica = 1; replica <= profile.replicas; replica += 1) {
    for (const gpu of chooseGpus(profile, facts, replica).gpus) {
      loads.set(gpu.index, { gpu, count: (loads.get(gpu.index)?.count ?? 0) + 1 });
    }
  }
  return [...loads.values()];
}

/** What the driver and a context of each replica need beside them is not to be shared out. */
const mostShared = 0.95;

function checkShares(profile: Profile, gpu: Gpu, count: number): DeployError | undefined {
  const name = `GPU ${gpu.index} (${gpu.name})`;
  const written = profile.vllm['gpu-memory-utilization'];
  const fits = Math.floor((mostShared / count) * 100) / 100;
  if ('kv-cache-memory-bytes' in profile.vllm) {
    const total = gpu.memoryTotalBytes;
    const need = toGpuNeed(profile).bytes * count;
    if (total === undefined || need <= total) return undefined;
    return DeployError.of('host/gpu-replicas-memory', { count, gpu: name, need: toSizeText(need), have: toSizeText(total) });
  }
  const share = typeof written === 'number' ? written : 0.85;
  if (share * count <= 1) return undefined;
  return DeployError.of('host/gpu-replicas', { count, gpu: name, share, sum: Math.round(share * count * 100) / 100, fits });
}
