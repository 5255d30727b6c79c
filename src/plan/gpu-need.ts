/** How much memory a profile needs of a GPU that nobody knows yet: the least that it could begin with. Pure. */
import { toModelFacts } from '../model/catalogue.ts';
import { toParallel } from '../profile/parallel.ts';
import type { Profile, SettingValue } from '../profile/profile.ts';
import { toWhole } from '../profile/rules/read.ts';
import { parseHumanInteger as parseWord } from '../vllm/flag-values.ts';
import { toCache } from './memory/cache.ts';
import { toLoad } from './memory/load.ts';
import { toActivationBytes, toOutsideBytes } from './memory/terms.ts';
import { toAdapterBytes, toDraft, toWeightsBytes } from './memory/weights.ts';

export interface GpuNeed {
  /** Per GPU. */
  readonly bytes: number;
  /** How many GPUs work together. */
  readonly gpus: number;
  /** False: the model is not in the catalogue, and only what any model needs is counted. */
  readonly known: boolean;
}

const gib = 2 ** 30;
/** A step of the smallest models took less; without a card and its defaults there is no saying. */
const leastStepBytes = 0.7 * gib;
const anyOutsideBytes = 0.3 * gib;

export function toGpuNeed(profile: Profile): GpuNeed {
  const { gpus } = toParallel(profile);
  const shape = profile.model.source === 'hub' ? toModelFacts(profile.model.id) : undefined;
  const fixed = toWhole(profile, 'kv-cache-memory-bytes');
  if (shape === undefined) return { bytes: leastStepBytes + anyOutsideBytes + (fixed ?? 0), gpus, known: false };
  const load = toLoad(profile, { shape, card: { totalBytes: 0, name: '' }, version: profile.engine.version });
  const cache = fixed ?? toCache(shape, load, toDraft(profile, shape)).neededBytes;
  const step = Math.max(toActivationBytes(shape, load), leastStepBytes);
  const beside = toOutsideBytes(load) + toAdapterBytes(profile, shape, load);
  return { bytes: toWeightsBytes(profile, shape, load) + cache + step + beside, gpus, known: true };
}

/** vLLM's human integers: `8k` is 8000, `8K` is 8192. Undefined for `auto` and for what is no number. */
export function parseHumanInteger(value: SettingValue | undefined): number | undefined {
  if (typeof value === 'number') return value;
  return typeof value === 'string' ? parseWord(value) : undefined;
}
