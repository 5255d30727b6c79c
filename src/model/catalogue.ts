/** Facts of the published Qwen models, for what must be known before anything is downloaded. */
import models from './qwen-models.json' with { type: 'json' };

export type WeightKind = 'bf16' | 'fp8' | 'int8' | 'int4';

export interface ModelFacts {
  readonly id: string;
  readonly weights: WeightKind;
  /** On the GPU, for one copy of the model. */
  readonly weightsBytes: number;
  /** KV cache in 16 bits, per token, for one copy of the model. */
  readonly kvBytesPerToken: number;
  readonly maxPositions: number;
  readonly vocabulary: number;
  /** Only some layers keep a KV cache that grows with the text: the formula of full attention does not hold. */
  readonly hybrid: boolean;
}

/** By hub id, quantized repositories included (`…-FP8`, `…-AWQ`, `…-GPTQ-Int8`); undefined when it is not in the catalogue. */
export function toModelFacts(id: string): ModelFacts | undefined {
  const { base, weights } = parseRepository(id);
  const entry = models.find((model) => model.id === base || (model.sameShape as readonly string[] | undefined)?.includes(base));
  if (entry === undefined) return undefined;
  const { kvBytesPerToken, maxPositions, vocabulary, hybrid } = entry;
  return { id, weights, weightsBytes: toWeightsBytes(entry.weightsBytes, weights), kvBytesPerToken, maxPositions, vocabulary, hybrid };
}

function parseRepository(id: string): { readonly base: string; readonly weights: WeightKind } {
  const match = /^(.+)-(FP8|AWQ|GPTQ-Int4|GPTQ-Int8)$/.exec(id);
  if (!match?.[1]) return { base: id, weights: 'bf16' };
  const weights = match[2] === 'FP8' ? 'fp8' : match[2] === 'GPTQ-Int8' ? 'int8' : 'int4';
  return { base: match[1], weights };
}

/** Eight bits take the same room as integers and as floats, but for the scales: one 16-bit number per 128 weights. */
function toWeightsBytes(bytes: { readonly bf16: number; readonly fp8: number; readonly int4: number }, weights: WeightKind): number {
  return bytes[weights === 'int8' ? 'fp8' : weights];
}
