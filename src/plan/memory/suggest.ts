/** The smallest change that makes it fit, each tried with the same arithmetic. Pure. */
import { say } from '../../core/message.ts';
import { toSizeText } from '../../core/units.ts';
import { checkCombination } from '../../gpu/compatibility.ts';
import { toCapability } from '../../gpu/gpu.ts';
import type { Profile, SettingValue } from '../../profile/profile.ts';
import { toWhole } from '../../profile/rules/read.ts';
import type { Memory, MemorySuggestion } from '../plan.ts';
import { estimateMemory, type MemoryRequest } from './estimate.ts';

/** Undefined when it fits, or when nothing of this helps: then another profile is what is left. */
export function chooseSuggestion(request: MemoryRequest, memory: Memory): MemorySuggestion | undefined {
  if (memory.fits === 'yes') return memory.fitsNow === 'no' ? suggestShare(request, memory) : undefined;
  return suggestLength(request, memory) ?? suggestSequences(request) ?? suggestCache(request) ?? suggestLargerShare(request, memory);
}

/** A round number below the largest that would do: whoever reads it may want to remember it. */
const lengths = Array.from({ length: 256 }, (_, index) => (256 - index) * 1024);

function suggestLength(request: MemoryRequest, { kvBytes, kvBytesPerToken, fits }: Memory): MemorySuggestion | undefined {
  const asked = toWhole(request.profile, 'max-model-len');
  if (kvBytesPerToken === undefined || kvBytes <= 0 || (asked !== undefined && asked <= 0)) return undefined;
  const most = Math.min(kvBytes / kvBytesPerToken, asked ?? Number.POSITIVE_INFINITY);
  const length = lengths.find((one) => one < most && isCured(request, { 'max-model-len': one }));
  if (length === undefined || (fits === 'tight' && length < (asked ?? 0) / 2)) return undefined;
  return { message: say('memory.suggest-length', { length }), set: { 'vllm.max-model-len': length } };
}

function suggestSequences(request: MemoryRequest): MemorySuggestion | undefined {
  const asked = toWhole(request.profile, 'max-num-seqs') ?? 1024;
  const sequences = [256, 128, 64, 32, 16, 8, 4].find((one) => one < asked && isCured(request, { 'max-num-seqs': one }));
  if (sequences === undefined) return undefined;
  return { message: say('memory.suggest-sequences', { sequences }), set: { 'vllm.max-num-seqs': sequences } };
}

/** Half of the size per token, where the GPU can do it and the cache is not as small already. */
function suggestCache(request: MemoryRequest): MemorySuggestion | undefined {
  const { profile, gpus, version = profile.engine.version } = request;
  const refused = gpus.some((gpu) => {
    const capability = toCapability(gpu);
    // What an old driver does not tell is not counted on.
    if (capability === undefined) return true;
    const hits = checkCombination({ gpu: gpu.name, capability, version, cacheDtype: 'fp8' });
    return hits.some(({ severity }) => severity === 'error');
  });
  if (refused || 'kv-cache-dtype' in profile.vllm || !isCured(request, { 'kv-cache-dtype': 'fp8' })) return undefined;
  return { message: say('memory.suggest-cache'), set: { 'vllm.kv-cache-dtype': 'fp8' } };
}

const mostShare = 0.95;

/** Where the card is for this alone. */
function suggestLargerShare(request: MemoryRequest, { totalBytes, budgetBytes }: Memory): MemorySuggestion | undefined {
  if ('kv-cache-memory-bytes' in request.profile.vllm || request.profile.replicas > 1) return undefined;
  const share = [0.9, 0.92, mostShare].find(
    (one) => one * totalBytes > budgetBytes && isCured(request, { 'gpu-memory-utilization': one }, 'now'),
  );
  if (share === undefined) return undefined;
  return { message: say('memory.suggest-larger-share', { share }), set: { 'vllm.gpu-memory-utilization': share } };
}

/** It fits on the card, and others hold some of it. */
function suggestShare(request: MemoryRequest, { totalBytes, freeBytes = 0 }: Memory): MemorySuggestion | undefined {
  if ('kv-cache-memory-bytes' in request.profile.vllm) return undefined;
  const share = Math.floor((freeBytes / totalBytes) * 100) / 100;
  if (share <= 0 || !isCured(request, { 'gpu-memory-utilization': share }, 'now')) return undefined;
  const message = say('memory.suggest-share', { share, free: toSizeText(freeBytes) });
  return { message, set: { 'vllm.gpu-memory-utilization': share } };
}

/** `now`: with what is free at this moment, too. */
function isCured(request: MemoryRequest, change: Readonly<Record<string, SettingValue>>, when: 'ever' | 'now' = 'ever'): boolean {
  const profile: Profile = { ...request.profile, vllm: { ...request.profile.vllm, ...change } };
  const memory = estimateMemory({ ...request, profile })?.memory;
  return memory?.fits === 'yes' && (when === 'ever' || memory.fitsNow !== 'no');
}
