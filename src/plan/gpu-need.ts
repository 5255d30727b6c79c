/**
 * How much GPU memory a profile needs at least: weights, one request of full length, what sampling and one forward
 * pass take, and what lies outside of torch. An estimate to refuse what cannot work, not the memory model: vLLM's own
 * start decides.
 */
import { type ModelFacts, toModelFacts } from '../model/catalogue.ts';
import { toParallel } from '../profile/parallel.ts';
import type { Profile, SettingValue } from '../profile/profile.ts';

export interface GpuNeed {
  /** Per GPU. */
  readonly bytes: number;
  /** How many GPUs work together. */
  readonly gpus: number;
  /** False: the model is not in the catalogue, and only what any model needs is counted. */
  readonly known: boolean;
}

const gib = 2 ** 30;
/** The context and cuBLAS: 0.03 to 0.3 GiB seen with one GPU. */
const outsideTorchBytes = 0.3 * gib;
/** A forward pass, where few sequences run at once: 0.7 to 1.1 GiB seen. */
const forwardPassBytes = 0.7 * gib;
/** Sampling is warmed up with every sequence at once: 9.65 numbers of 4 bytes per sequence and word (fits all families seen). */
const samplingBytes = 9.65 * 4;
const defaultSequences = 256;

export function toGpuNeed(profile: Profile): GpuNeed {
  const settings = profile.vllm;
  const { gpus, data } = toParallel(profile);
  const shards = gpus / data;
  const model = profile.model.source === 'hub' ? toModelFacts(profile.model.id) : undefined;
  const sequences = parseHumanInteger(settings['max-num-seqs']) ?? defaultSequences;
  const activation = Math.max(forwardPassBytes, samplingBytes * sequences * (model?.vocabulary ?? 0));
  const overhead = activation + outsideTorchBytes;
  const fixedCache = parseHumanInteger(settings['kv-cache-memory-bytes']);
  if (model === undefined) return { bytes: overhead + (fixedCache ?? 0), gpus, known: false };
  const draft = toDraft(settings['speculative-config']);
  const asked = parseHumanInteger(settings['max-model-len']);
  const tokens = asked !== undefined && asked > 0 ? asked : settings['max-model-len'] === undefined ? model.maxPositions : 0;
  const narrow = String(settings['kv-cache-dtype'] ?? '').startsWith('fp8') ? 2 : 1;
  const bytesPerToken = model.kvBytesPerToken + (draft?.kvBytesPerToken ?? 0);
  const cache = fixedCache ?? (tokens * bytesPerToken) / narrow / shards;
  return { bytes: (model.weightsBytes + (draft?.weightsBytes ?? 0)) / shards + cache + overhead, gpus, known: true };
}

/** A second model that drafts for the first one: its weights and its cache lie on the same GPU. */
function toDraft(config: SettingValue | undefined): ModelFacts | undefined {
  const id = typeof config === 'object' && !Array.isArray(config) ? (config as Readonly<Record<string, SettingValue>>).model : undefined;
  return typeof id === 'string' ? toModelFacts(id) : undefined;
}

/** vLLM's human integers: `8k` is 8000, `8K` is 8192. Undefined for `auto` and for what is no number. */
export function parseHumanInteger(value: SettingValue | undefined): number | undefined {
  if (typeof value === 'number') return value;
  const match = /^(-?\d+(?:\.\d+)?)([kKmMgGtT]?)$/.exec(typeof value === 'string' ? value : '');
  if (match?.[1] === undefined) return undefined;
  const unit = match[2] ?? '';
  const power = ['', 'k', 'm', 'g', 't'].indexOf(unit.toLowerCase());
  return Math.round(Number(match[1]) * (unit === unit.toLowerCase() ? 1000 : 1024) ** power);
}
