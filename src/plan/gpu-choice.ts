import { type Gpu, toCapability } from '../gpu/gpu.ts';
import type { Profile } from '../profile/profile.ts';
import type { Facts } from './facts.ts';
import { toGpuNeed } from './gpu-need.ts';

/** What vLLM's wheels are built for. */
export const leastCapability = 7.5;

export interface GpuChoice {
  readonly gpus: readonly Gpu[];
  /** Named in `resources.gpus` and not there. */
  readonly missing: readonly string[];
  /** Value for CUDA_VISIBLE_DEVICES; undefined: leave it as it is. */
  readonly visible?: string;
  readonly by: 'profile' | 'environment' | 'machine';
}

/**
 * Which GPUs the engine gets: those named, else those that the person's environment allows, else the largest ones.
 * Free memory plays no part on purpose: the choice must be the same while the engine runs as it was before.
 */
export function chooseGpus(profile: Profile, facts: Facts): GpuChoice {
  const all = facts.gpus?.is === 'present' ? facts.gpus.gpus : [];
  const asked = profile.resources.gpus;
  const count = toGpuNeed(profile).gpus;
  if (typeof asked === 'object') {
    const gpus = asked.flatMap((name) => findGpu(all, name) ?? []);
    return { gpus, missing: asked.filter((name) => findGpu(all, name) === undefined), by: 'profile', ...toVisible(gpus) };
  }
  if (facts.visibleGpus !== undefined) {
    // A list may also name parts of a GPU (MIG), which no list of GPUs has; then only vLLM can judge.
    const gpus = facts.visibleGpus.split(',').flatMap((name) => findGpu(all, name.trim()) ?? []);
    return { gpus: gpus.slice(0, count), missing: [], by: 'environment' };
  }
  const suited = all.filter((gpu) => (toCapability(gpu) ?? leastCapability) >= leastCapability);
  const largest = suited.toSorted((a, b) => (b.memoryTotalBytes ?? 0) - (a.memoryTotalBytes ?? 0) || a.index - b.index).slice(0, count);
  const gpus = largest.toSorted((a, b) => a.index - b.index);
  return { gpus, missing: [], by: 'machine', ...(gpus.length < all.length ? toVisible(gpus) : {}) };
}

function findGpu(all: readonly Gpu[], name: string): Gpu | undefined {
  return all.find((gpu) => gpu.uuid === name || String(gpu.index) === name);
}

function toVisible(gpus: readonly Gpu[]): { readonly visible?: string } {
  return gpus.length === 0 ? {} : { visible: gpus.map((gpu) => gpu.uuid ?? String(gpu.index)).join(',') };
}
