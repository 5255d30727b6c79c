/** Remedies that give or spare memory. Shares are of the GPU, as vLLM's gpu-memory-utilization. */
import type { Remedy } from '../../../core/finding.ts';
import { say } from '../../../core/message.ts';
import { toSizeText } from '../../../core/units.ts';
import { type RemedyFacts, type RemedyMaker, toNumber, toRemedy } from './remedy.ts';

type MemoryCause =
  | 'free_memory_below_utilization'
  | 'kv_cache_too_small'
  | 'cuda_oom_runtime'
  | 'cuda_oom_warmup'
  | 'cuda_oom_weights'
  | 'memory_profiling_race'
  | 'host_oom_killed'
  | 'shm_too_small'
  | 'cpu_backend_failure';

export const memoryRemedies: Readonly<Record<MemoryCause, RemedyMaker>> = {
  free_memory_below_utilization: (known) => [...fitShare(known), ...waitForGpu(known)],
  kv_cache_too_small: toCacheRemedies,
  cuda_oom_runtime: (known) => [...lowerShare(known), ...halve(known, 'max-num-batched-tokens'), ...halve(known, 'max-num-seqs')],
  cuda_oom_warmup: (known) => [...waitForGpu(known), ...halve(known, 'max-num-seqs'), ...lowerShare(known), ...goEager(known)],
  cuda_oom_weights: (known) => [...waitForGpu(known), ...splitModel(known), toRemedy(say('cure.model.smaller'))],
  memory_profiling_race: () => [toRemedy(say('cure.again'))],
  host_oom_killed: (known) => [...raiseLimit(known), ...dropOffload(known), toRemedy(say('cure.memory.more'))],
  shm_too_small: () => [toRemedy(say('cure.shm', { size: shmSize }), { 'resources.shm': shmSize }), toRemedy(say('cure.shm.host'))],
  cpu_backend_failure: toCpuRemedies,
};

const gib = 2 ** 30;
const shmSize = '8GiB';
const share = 'gpu-memory-utilization';
/** vLLM's own, since 0.21. */
const usualShare = 0.92;
const mostShare = 0.95;

/** Below this, much of the GPU is left to nobody. */
const lowShare = 0.85;

/** What was asked for first where there is room for it; vLLM's own estimate of a length is sure to fit. */
function toCacheRemedies(known: RemedyFacts): readonly Remedy[] {
  const more = [...enlargeCache(known), ...raiseShare(known)];
  const shorter = shortenLength(known);
  // Where not one block fits, weights and working memory take it all: a shorter context alone hardly changes that.
  const isNothing = /No available memory/.test(known.text) || Number(known.facts['freeGiB'] ?? 1) <= 0;
  const spare = [...halve(known, 'max-num-batched-tokens'), ...goEager(known), ...splitModel(known), toRemedy(say('cure.model.smaller'))];
  if (isNothing) return [...more, ...(isCpu(known) ? [] : spare), ...shorter];
  const hasRoom = (toNumber(known.settings[share]) ?? usualShare) < lowShare;
  return hasRoom ? [...more, ...shorter, ...halveCache(known)] : [...shorter, ...more, ...halveCache(known)];
}

function isCpu({ facts, settings }: RemedyFacts): boolean {
  return facts['node'] !== undefined || settings['kv-cache-memory-bytes'] !== undefined;
}

/** Two hundredths below what is free, because the next start measures anew. */
function fitShare(known: RemedyFacts): readonly Remedy[] {
  const free = toNumber(known.facts['freeGiB']);
  const total = toNumber(known.facts['totalGiB']);
  if (free === undefined || total === undefined || total <= 0) return [];
  if (known.facts['node'] !== undefined) return setCache(Math.min(free * 0.25, 4));
  const fits = Math.floor((free / total) * 100 - 2) / 100;
  return fits < 0.05 ? [] : [toRemedy(say('cure.share.fits', { share: fits }), { [`vllm.${share}`]: fits })];
}

/** On CPUs an explicit size takes the place of the share of the machine. */
function setCache(sizeGib: number): readonly Remedy[] {
  const bytes = Math.floor((sizeGib * gib) / 2 ** 26) * 2 ** 26;
  if (bytes <= 0) return [];
  return [toRemedy(say('cure.cpu.cache', { size: toSizeText(bytes) }), { 'vllm.kv-cache-memory-bytes': bytes, [`vllm.${share}`]: null })];
}

function waitForGpu({ permanent, facts, evidence }: RemedyFacts): readonly Remedy[] {
  if (permanent || facts['node'] !== undefined || evidence.othersOnGpu === false) return [];
  return [toRemedy(say('cure.gpu.free'), undefined, 'nvidia-smi')];
}

/** Blocks are of 16 tokens and more: a length that is a multiple of 16 wastes none of vLLM's own estimate. */
function shortenLength({ facts, settings }: RemedyFacts): readonly Remedy[] {
  const estimate = toNumber(facts['estimatedMaxLen']);
  const length = estimate === undefined ? undefined : estimate >= 32 ? Math.floor(estimate / 16) * 16 : estimate;
  if (length !== undefined && length > 0) return [toRemedy(say('cure.length', { length }), { 'vllm.max-model-len': length })];
  const half = halved(toNumber(facts['wantedLen']) ?? toNumber(settings['max-model-len']), 512);
  if (half === undefined) return [toRemedy(say('cure.length.plain'))];
  return [toRemedy(say('cure.length.half', { length: half }), { 'vllm.max-model-len': half })];
}

/** Where the size was set, one that holds a request of the wanted length, or twice as much. */
function enlargeCache({ facts, settings }: RemedyFacts): readonly Remedy[] {
  const old = toNumber(settings['kv-cache-memory-bytes']);
  if (old === undefined) return [];
  const needed = toNumber(facts['neededGiB']) ?? (old * 2) / gib;
  // Printed with two digits: one hundredth more than what it says is enough.
  const bytes = Math.ceil(((needed + 0.01) * gib) / 2 ** 24) * 2 ** 24;
  return bytes <= old ? [] : [toRemedy(say('cure.cache.size', { size: toSizeText(bytes) }), { 'vllm.kv-cache-memory-bytes': bytes })];
}

function raiseShare(known: RemedyFacts): readonly Remedy[] {
  if (isCpu(known) || known.evidence.othersOnGpu === true) return [];
  const old = toNumber(known.settings[share]) ?? usualShare;
  if (old >= mostShare) return [];
  const next = old >= lowShare ? mostShare : usualShare;
  return [toRemedy(say('cure.share.raise', { share: next, old }), { [`vllm.${share}`]: next })];
}

function lowerShare({ settings }: RemedyFacts): readonly Remedy[] {
  const old = toNumber(settings[share]) ?? usualShare;
  const next = Math.round((old - 0.05) * 100) / 100;
  return next < 0.1 ? [] : [toRemedy(say('cure.share.lower', { share: next, old }), { [`vllm.${share}`]: next })];
}

function halveCache(known: RemedyFacts): readonly Remedy[] {
  const isSet = String(known.settings['kv-cache-dtype'] ?? 'auto').startsWith('fp8');
  return isSet || isCpu(known) ? [] : [toRemedy(say('cure.cache.fp8'), { 'vllm.kv-cache-dtype': 'fp8' })];
}

const usual = { 'max-num-seqs': 256, 'max-num-batched-tokens': 8192 } as const;

function halve({ settings }: RemedyFacts, setting: keyof typeof usual): readonly Remedy[] {
  const count = halved(toNumber(settings[setting]) ?? usual[setting], setting === 'max-num-seqs' ? 1 : 512);
  if (count === undefined) return [];
  const text = setting === 'max-num-seqs' ? say('cure.sequences', { count }) : say('cure.batch', { count });
  return [toRemedy(text, { [`vllm.${setting}`]: count })];
}

function halved(value: number | undefined, least: number): number | undefined {
  const half = value === undefined ? 0 : Math.floor(value / 2);
  return half < least ? undefined : half;
}

function goEager({ settings }: RemedyFacts): readonly Remedy[] {
  return settings['enforce-eager'] === true ? [] : [toRemedy(say('cure.eager'), { 'vllm.enforce-eager': true })];
}

function splitModel({ settings }: RemedyFacts): readonly Remedy[] {
  const size = (toNumber(settings['tensor-parallel-size']) ?? 1) * 2;
  return size > 8 ? [] : [toRemedy(say('cure.tensor-parallel', { size }), { 'vllm.tensor-parallel-size': size })];
}

/** What it would have taken is not known, only that it was more: a quarter on top, in steps of 256 MiB. */
function raiseLimit({ evidence: { memory } }: RemedyFacts): readonly Remedy[] {
  const most = Math.max(memory?.cap ?? 0, memory?.peak ?? 0);
  if (memory?.cap === undefined || most >= 2 ** 60) return [];
  const mib = Math.ceil((most * 1.25) / 2 ** 28) * 256;
  return [toRemedy(say('cure.memory.limit', { size: toSizeText(mib * 2 ** 20) }), { 'resources.memory': `${mib}MiB` })];
}

function dropOffload({ settings }: RemedyFacts): readonly Remedy[] {
  const used = ['cpu-offload-gb', 'kv-offloading-size', 'swap-space'].filter((name) => (toNumber(settings[name]) ?? 0) > 0);
  if (used.length === 0) return [];
  return [toRemedy(say('cure.memory.offload'), Object.fromEntries(used.map((name) => [`vllm.${name}`, null])))];
}

function toCpuRemedies(known: RemedyFacts): readonly Remedy[] {
  const { facts, text } = known;
  const free = toNumber(facts['freeGiB']);
  if (free !== undefined) return setCache(free * 0.8);
  if (/NUMA nodes/.test(text)) return [toRemedy(say('cure.cpu.one-node'), { 'vllm.tensor-parallel-size': 1 })];
  if (/_C\w*::/.test(text)) return [toRemedy(say('cure.cpu.kernels'), { quantization: 'auto' })];
  return [toRemedy(say('cure.cpu.build'))];
}
