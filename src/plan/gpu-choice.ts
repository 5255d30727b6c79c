import { toSizeText } from '../core/units.ts';
import { type Gpu, toCapability } from '../gpu/gpu.ts';
import { toParallel } from '../profile/parallel.ts';
import type { Profile } from '../profile/profile.ts';
import type { Facts } from './facts.ts';

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
 * `replica` counts from 1: replicas take turns on the GPUs where there are enough for several of them.
 */
export function chooseGpus(profile: Profile, facts: Facts, replica = 1): GpuChoice {
  const all = facts.gpus?.is === 'present' ? facts.gpus.gpus : [];
  const asked = profile.resources.gpus;
  const { gpus: count } = toParallel(profile);
  if (typeof asked === 'object') {
    const found = asked.flatMap((name) => findGpu(all, name) ?? []);
    const gpus = profile.replicas > 1 ? takeTurn(found, { count, replica }) : found;
    return { gpus, missing: asked.filter((name) => findGpu(all, name) === undefined), by: 'profile', ...toVisible(gpus) };
  }
  if (facts.visibleGpus !== undefined) {
    // A list may also name parts of a GPU (MIG), which no list of GPUs has; then only vLLM can judge.
    const allowed = facts.visibleGpus.split(',').flatMap((name) => findGpu(all, name.trim()) ?? []);
    const gpus = takeTurn(allowed, { count, replica });
    const narrower = profile.replicas > 1 && gpus.length < allowed.length;
    return { gpus, missing: [], by: 'environment', ...(narrower ? toVisible(gpus) : {}) };
  }
  const suited = all.filter((gpu) => (toCapability(gpu) ?? leastCapability) >= leastCapability);
  const largest = suited.toSorted((a, b) => (b.memoryTotalBytes ?? 0) - (a.memoryTotalBytes ?? 0) || a.index - b.index);
  const equals = profile.replicas > 1 ? largest.filter((gpu) => isNearly(gpu, largest[0])) : largest;
  const gpus = takeTurn(equals.length < count ? largest : equals, { count, replica }).toSorted((a, b) => a.index - b.index);
  return { gpus, missing: [], by: 'machine', ...(gpus.length < all.length ? toVisible(gpus) : {}) };
}

/** The first `count` for the first replica, the next for the second one, and from the beginning again. */
function takeTurn(gpus: readonly Gpu[], { count, replica }: { readonly count: number; readonly replica: number }): readonly Gpu[] {
  const turns = Math.max(Math.floor(gpus.length / count), 1);
  const turn = (replica - 1) % turns;
  return gpus.slice(turn * count, (turn + 1) * count);
}

/** Beside a large GPU a small one (that draws the desktop) is not where a replica is expected. */
function isNearly(gpu: Gpu, largest: Gpu | undefined): boolean {
  return (gpu.memoryTotalBytes ?? 0) >= 0.9 * (largest?.memoryTotalBytes ?? 0);
}

function findGpu(all: readonly Gpu[], name: string): Gpu | undefined {
  return all.find((gpu) => gpu.uuid === name || String(gpu.index) === name);
}

function toVisible(gpus: readonly Gpu[]): { readonly visible?: string } {
  return gpus.length === 0 ? {} : { visible: gpus.map((gpu) => gpu.uuid ?? String(gpu.index)).join(',') };
}

/** For people: name, memory and capability, as far as they are known. */
function toGpuText({ name, computeCapability, memoryTotalBytes }: Gpu): string {
  const facts = [memoryTotalBytes === undefined ? undefined : toSizeText(memoryTotalBytes), computeCapability];
  return [name, ...facts.filter((fact) => fact !== undefined)].join(', ');
}

/** The same for several, of which equal ones are counted. */
export function toGpusText(gpus: readonly Gpu[]): string {
  const texts = gpus.map(toGpuText);
  return [...new Set(texts)]
    .map((text) => ({ text, count: texts.filter((one) => one === text).length }))
    .map(({ text, count }) => (count === 1 ? text : `${count}x ${text}`))
    .join('; ');
}
