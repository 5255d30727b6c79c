/** The KV cache on one GPU. Pure. */
import type { ModelShape } from '../../model/catalogue.ts';
import type { Load } from './load.ts';
import type { Draft } from './weights.ts';

export interface Cache {
  readonly bytesPerToken: number;
  /** For one request of full length, in whole blocks. */
  readonly neededBytes: number;
  readonly blockBytes: number;
}

/** Each GPU keeps at least one head; of a pipeline the longest stage counts. */
export function toCache(shape: ModelShape, load: Load, draft: Draft): Cache {
  const { tensor, pipeline } = load.parallel;
  const heads = Math.max(shape.kvHeads / tensor, 1) / shape.kvHeads;
  const stage = Math.ceil(shape.layers / pipeline) / shape.layers;
  const own = shape.kvBytesPerToken * heads * stage;
  const bytesPerToken = (own + draft.kvBytesPerToken / tensor) * (load.cacheWidth / 2);
  const blockBytes = bytesPerToken * load.blockTokens;
  const state = (shape.stateBytes ?? 0) / (tensor * pipeline);
  return { bytesPerToken, blockBytes, neededBytes: toBlocks(load.fitted ? 1 : load.length, load) * blockBytes + state };
}

/** vLLM gives out whole blocks. */
export function toTokens(bytes: number, { blockBytes }: Cache, { blockTokens }: Load): number {
  return Math.max(Math.floor(bytes / blockBytes), 0) * blockTokens;
}

export function toConcurrency(tokens: number, load: Load): number {
  const length = load.fitted ? Math.min(load.length, tokens) : load.length;
  return length === 0 ? 0 : tokens / load.blockTokens / toBlocks(length, load);
}

function toBlocks(tokens: number, { blockTokens }: Load): number {
  return Math.ceil(tokens / blockTokens);
}
