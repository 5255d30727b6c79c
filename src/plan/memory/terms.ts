/**
 * What an engine takes beside weights and cache. Each constant is from starts of vLLM that printed it, or from its
 * sources; none is fitted to a single machine. Pure.
 */
import type { ModelShape } from '../../model/catalogue.ts';
import { isFrom, type Load } from './load.ts';

const gib = 2 ** 30;
const mib = 2 ** 20;

/** Buffers of a step that do not grow with it: what four starts had beyond the arithmetic below. */
const stepBytes = 0.1 * gib;
/**
 * The first model runner warms up sampling with every request at once, top-k and top-p included: numbers of 4 bytes
 * per request and word of the vocabulary (0.11: Qwen3, Llama and gpt-oss with 256 and 1024 requests). Later versions
 * sort less (0.19 on).
 */
const samplingNumbers = { first: 9.65, later: 7.3 } as const;
/**
 * An image encoder is tried with the largest image that may come: 1.2 to 2.9 GiB seen, and that was all, also where
 * 1024 requests would have taken more for sampling.
 */
const pictureBytes = 2 * gib;

/** The most that is alive at once in the step that vLLM tries: one of full size, and sampling after it. */
export function toActivationBytes(shape: ModelShape, load: Load): number {
  const { sequences, secondRunner, seesPictures, version } = load;
  const forward = stepBytes + toForwardBytes(shape, load);
  const rows = sequences * shape.vocabulary;
  // The second runner only computes the words' scores, in 16 bits (_dummy_sampler_run in v1/worker/gpu, 0.32).
  const numbers = isFrom(version, '0.19') ? samplingNumbers.later : samplingNumbers.first;
  const text = secondRunner ? forward + 2 * rows : Math.max(forward, 4 * numbers * rows);
  return seesPictures ? Math.max(forward, pictureBytes) : text;
}

/**
 * Of each token: its state twice, and the inner width of a layer three times (both halves and their product). Of a
 * mixture of experts, once for each expert that it goes through (intermediate_cache1 to 3 of fused_moe.py, 0.32).
 * Agrees within 0.1 GiB with starts of 0.5B, 4B, 8B and 235B.
 */
function toForwardBytes(shape: ModelShape, { batchTokens, width, parallel: { tensor } }: Load): number {
  const { hiddenSize, mlpWidth = 0, expertsAtWork = 0, expertWidth = 0, sharedWidth = 0 } = shape;
  const expert = expertWidth / tensor;
  const experts = expertsAtWork * (Math.max(2 * expert, hiddenSize) + expert);
  const inner = Math.max((3 * mlpWidth) / tensor, experts + (3 * sharedWidth) / tensor);
  return batchTokens * width * (2 * hiddenSize + inner);
}

/** One graph of one layer; seen with 86 graphs: 0.5 GiB for 28 and 36 layers, 1.6 for 64; with 9 graphs 0.1 to 0.3. */
const graphLayerBytes = 0.17 * mib;
const graphPoolBytes = 0.1 * gib;

export function toGraphBytes(shape: ModelShape, { graphs, parallel: { pipeline } }: Load): number {
  return graphs === 0 ? 0 : graphPoolBytes + (graphs * shape.layers * graphLayerBytes) / pipeline;
}

/**
 * Context, cuBLAS and, between several GPUs, NCCL: 0.03 to 0.3 GiB with one, 0.5 to 0.6 with two. Newer versions count
 * all that the driver has given away since the start, and so see more of it: 1.3 to 1.7 GiB with four and eight.
 */
export function toOutsideBytes({ version, parallel: { tensor, pipeline } }: Load): number {
  const together = tensor * pipeline;
  if (together > 1) return (together >= 4 && isFrom(version, '0.19') ? 1.5 : 0.55) * gib;
  return (isFrom(version, '0.21') ? 0.3 : 0.15) * gib;
}
