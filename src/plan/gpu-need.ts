/**
 * How much GPU memory a profile needs at least: weights, one request of full length, what sampling and one forward
 * pass take, and what lies outside of torch. An estimate to refuse what cannot work, not the memory model: vLLM's own
 * start decides.
 */
import { toModelFacts } from '../model/catalogue.ts';
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
  const gpus = toCount(settings['tensor-parallel-size']) * toCount(settings['pipeline-parallel-size']);
  const model = profile.model.source === 'hub' ? toModelFacts(profile.model.id) : undefined;
  const sequences = parseHumanInteger(settings['max-num-seqs']) ?? defaultSequences;
  const activation = Math.max(forwardPassBytes, samplingBytes * sequences * (model?.vocabulary ?? 0));
  const overhead = activation + outsideTorchBytes;
  if (model === undefined) return { bytes: overhead, gpus, known: false };
  const asked = parseHumanInteger(settings['max-model-len']);
  const tokens = asked !== undefined && asked > 0 ? asked : settings['max-model-len'] === undefined ? model.maxPositions : 0;
  const narrow = String(settings['kv-cache-dtype'] ?? '').startsWith('fp8') ? 2 : 1;
  const cache = parseHumanInteger(settings['kv-cache-memory-bytes']) ?? (tokens * model.kvBytesPerToken) / narrow / gpus;
  return { bytes: model.weightsBytes / gpus + cache + overhead, gpus, known: true };
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

function toCount(value: SettingValue | undefined): number {
  return typeof value === 'number' && value >= 1 ? value : 1;
}
