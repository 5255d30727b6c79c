/** Weights on one GPU: of the model, of what drafts for it, and room for adapters. Pure. */
import { type ModelShape, toModelFacts } from '../../model/catalogue.ts';
import type { Profile } from '../../profile/profile.ts';
import { toFields, toWhole, toWord } from '../../profile/rules/read.ts';
import type { Load } from './load.ts';

const gib = 2 ** 30;

/** Of the GPU that holds the most. */
export function toWeightsBytes(profile: Profile, shape: ModelShape, load: Load): number {
  const draft = toDraft(profile, shape);
  const own = toOwnBytes(profile, shape, load) + toShared(shape, load);
  const offload = (toWhole(profile, 'cpu-offload-gb') ?? 0) * gib;
  return Math.max(own + draft.weightsBytes / load.parallel.tensor - offload, 0);
}

export interface Draft {
  readonly weightsBytes: number;
  readonly kvBytesPerToken: number;
}

/** A second model that drafts, or the layers of the model itself that do (MTP): both keep a cache of their own. */
export function toDraft(profile: Profile, shape: ModelShape): Draft {
  const config = toFields(profile, 'speculative-config');
  const model = config?.model;
  const known = typeof model === 'string' ? toModelFacts(model) : undefined;
  if (known) return known;
  if (!String(config?.method ?? '').endsWith('mtp')) return { weightsBytes: 0, kvBytesPerToken: 0 };
  const attending = shape.kvBytesPerToken / (4 * shape.kvHeads * shape.headDim);
  const perLayer = shape.weightsBytes / shape.layers;
  return { weightsBytes: shape.draftBytes ?? perLayer, kvBytesPerToken: shape.kvBytesPerToken / Math.max(attending, 1) };
}

/**
 * The share of one GPU: everything is split evenly over tensor parallel ones, layers over pipeline stages, of which
 * the first holds the embeddings too and the last one its counterpart.
 */
function toOwnBytes(profile: Profile, shape: ModelShape, { parallel, width, seesPictures }: Load): number {
  const { tensor, pipeline } = parallel;
  const whole = toQuantized(profile, shape) * (width / 2);
  const vision = shape.visionBytes ?? 0;
  const embeddings = shape.vocabulary * shape.hiddenSize * width;
  const layers = Math.max(whole - vision - embeddings * (shape.tied ? 1 : 2), 0);
  if (pipeline === 1) return (whole - (seesPictures ? 0 : vision)) / tensor;
  return (layers * (Math.ceil(shape.layers / pipeline) / shape.layers) + embeddings + (seesPictures ? vision : 0)) / tensor;
}

/** `quantization: fp8` for a checkpoint of 16 bits: it is packed while it is loaded, and then as small as one that was. */
function toQuantized({ quantization, model }: Profile, shape: ModelShape): number {
  const packed = /^(fp8|online)/.test(quantization) ? 'FP8' : quantization === 'bitsandbytes' ? 'AWQ' : undefined;
  const facts = packed === undefined || model.source !== 'hub' ? undefined : toModelFacts(model.id);
  return facts?.weights === 'bf16' ? (toModelFacts(`${model.id}-${packed}`)?.weightsBytes ?? shape.weightsBytes) : shape.weightsBytes;
}

/** What each GPU has whole: angles of all positions; a head of keys and values where there are fewer heads than GPUs. */
function toShared(shape: ModelShape, { parallel: { tensor, pipeline }, positions, width }: Load): number {
  const angles = positions * shape.headDim * 2;
  const missing = Math.max(1 - shape.kvHeads / tensor, 0);
  const heads = 2 * (shape.layers / pipeline) * shape.hiddenSize * shape.headDim * missing;
  const bytesPerWeight = Math.min(shape.weightsBytes / toParameters(shape), width);
  return angles + heads * bytesPerWeight;
}

/** Roughly: only to tell 16 bits from fewer. */
function toParameters({ layers, hiddenSize, heads, kvHeads, headDim, vocabulary, tied, ...shape }: ModelShape): number {
  const attention = 2 * hiddenSize * (heads + kvHeads) * headDim;
  const experts = 3 * hiddenSize * ((shape.experts ?? 0) * (shape.expertWidth ?? 0) + (shape.sharedWidth ?? 0));
  const dense = 3 * hiddenSize * (shape.mlpWidth ?? 0);
  return layers * (attention + experts + dense) + vocabulary * hiddenSize * (tied ? 1 : 2);
}

/** Room for adapters is set aside in 16 bits for all of them at the start, as large as the largest may be. */
export function toAdapterBytes(profile: Profile, shape: ModelShape, { parallel }: Load): number {
  if (profile.vllm['enable-lora'] !== true && Object.keys(profile.lora).length === 0) return 0;
  const rank = toWhole(profile, 'max-lora-rank') ?? 16;
  const slots = toWhole(profile, 'max-loras') ?? 1;
  const { hiddenSize, heads, kvHeads, headDim, mlpWidth = 0 } = shape;
  const attention = 2 * (hiddenSize + heads * headDim) + 2 * (hiddenSize + kvHeads * headDim);
  const perRank = attention + 3 * (hiddenSize + mlpWidth);
  const width = toWord(profile, 'lora-dtype') === 'float32' ? 4 : 2;
  return (slots * rank * shape.layers * perRank * width) / parallel.tensor;
}
