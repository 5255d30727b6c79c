/** What a profile's settings mean for memory, with vLLM's own defaults where nothing is written. Pure. */
import { compareVersions } from '../../engine/version.ts';
import type { ModelShape } from '../../model/catalogue.ts';
import { type Parallel, toParallel } from '../../profile/parallel.ts';
import type { Profile, SettingValue } from '../../profile/profile.ts';
import { toFields, toNumber, toWhole, toWord } from '../../profile/rules/read.ts';

export interface Load {
  readonly version: string;
  readonly parallel: Parallel;
  /** Of the GPU, for the engine. */
  readonly share: number;
  /** `kv-cache-memory-bytes`: then the share decides nothing but whether it may start. */
  readonly cacheBytes?: number;
  /** Requests at work, and tokens of one step. */
  readonly sequences: number;
  readonly batchTokens: number;
  /** Of one request; `fitted`: vLLM takes what there is room for, and this at most. */
  readonly length: number;
  readonly fitted: boolean;
  /** Positions for which angles are kept. */
  readonly positions: number;
  /** Bytes of one number of the model, and of its cache. */
  readonly width: number;
  readonly cacheWidth: number;
  readonly blockTokens: number;
  /** CUDA graphs that are captured. */
  readonly graphs: number;
  /** Whether vLLM puts their memory aside before the cache, or takes it from what lies outside of its share. */
  readonly countsGraphs: boolean;
  /** vLLM's second model runner, which warms up sampling in another way. */
  readonly secondRunner: boolean;
  readonly seesPictures: boolean;
}

/** What the GPU has to do with defaults. */
export interface Card {
  readonly totalBytes: number;
  readonly name: string;
  readonly capability?: number;
}

export interface LoadContext {
  readonly shape: ModelShape;
  readonly card: Card;
  readonly version: string;
  /** What is not written is as the engine has it, not as we start it. */
  readonly ownDefaults?: boolean;
}

export function toLoad(profile: Profile, { shape, card, version, ownDefaults }: LoadContext): Load {
  const { vllm, engine } = profile;
  const positions = toNumber(toFields(profile, 'hf-overrides')?.max_position_embeddings) ?? shape.maxPositions;
  const asked = toWhole(profile, 'max-model-len');
  const fitted = asked !== undefined && asked <= 0;
  const length = asked !== undefined && asked > 0 ? asked : positions;
  const { sequences, batchTokens } = toBatch(profile, card, length);
  const width = /^float(32)?$/.test(toWord(profile, 'dtype') ?? '') ? 4 : 2;
  const cacheBytes = toWhole(profile, 'kv-cache-memory-bytes');
  const share = vllm['gpu-memory-utilization'];
  return {
    version,
    parallel: toParallel(profile),
    share: typeof share === 'number' ? share : ownDefaults ? toDefaultShare(version) : ourShare,
    ...(cacheBytes === undefined ? {} : { cacheBytes }),
    sequences,
    batchTokens,
    length,
    fitted,
    positions: Math.max(positions, length),
    width,
    cacheWidth: toCacheWidth(toWord(profile, 'kv-cache-dtype')) ?? width,
    blockTokens: toWhole(profile, 'block-size') ?? 16,
    graphs: toGraphs(profile, { sequences, batchTokens, card }),
    countsGraphs: isFrom(version, '0.21') && engine.env.VLLM_MEMORY_PROFILER_ESTIMATE_CUDAGRAPHS !== '0',
    secondRunner: isSecondRunner(profile, shape, version),
    seesPictures: shape.visionBytes !== undefined && !isTextOnly(profile),
  };
}

/** What we give where the profile gives nothing (settings.ts). */
const ourShare = 0.85;

/** The default changed in May 2026 (0.21). */
function toDefaultShare(version: string): number {
  return isFrom(version, '0.21') ? 0.92 : 0.9;
}

const gib = 2 ** 30;

/** `get_batch_defaults` of an API server (vllm/engine/arg_utils.py, 0.11 to 0.32). */
function toBatch(profile: Profile, { totalBytes, name }: Card, length: number) {
  const large = totalBytes >= 70 * gib && !/a100/i.test(name);
  const twice = toWord(profile, 'performance-mode') === 'throughput' ? 2 : 1;
  const usual = twice * (totalBytes >= 160 * gib ? 16_384 : large ? 8192 : 2048);
  // Without chunked prefill a prompt must fit into one step.
  const own = profile.vllm['enable-chunked-prefill'] === false ? Math.max(usual, length) : usual;
  const batchTokens = toWhole(profile, 'max-num-batched-tokens') ?? own;
  const sequences = toWhole(profile, 'max-num-seqs') ?? twice * (large || totalBytes >= 160 * gib ? 1024 : 256);
  return { batchTokens, sequences: Math.min(sequences, batchTokens) };
}

/** Undefined: as the model computes. */
function toCacheWidth(dtype: string | undefined): number | undefined {
  if (dtype === undefined || dtype === 'auto') return undefined;
  if (/^(fp8|int8)/.test(dtype)) return 1;
  // Four bits, and a scale of eight for sixteen numbers.
  return /^(nv)?fp4/.test(dtype) ? 0.5625 : 2;
}

interface Graphed extends Pick<Load, 'sequences' | 'batchTokens'> {
  readonly card: Card;
}

/** As many as sizes, for prompts and tokens mixed, and again for sizes that are tokens of running requests alone. */
function toGraphs(profile: Profile, { sequences, batchTokens, card }: Graphed): number {
  const config = toFields(profile, 'compilation-config');
  const mode = String(config?.cudagraph_mode ?? 'FULL_AND_PIECEWISE').toUpperCase();
  if (profile.vllm['enforce-eager'] === true || mode === 'NONE' || toWhole(profile, 'optimization-level') === 0) return 0;
  const written = toNumbers(profile.vllm['cudagraph-capture-sizes']) ?? toNumbers(config?.cudagraph_capture_sizes);
  const query = 1 + (toNumber(toFields(profile, 'speculative-config')?.num_speculative_tokens) ?? 0);
  // Data-centre Blackwell captures twice as far (_set_cudagraph_sizes in vllm/config/vllm.py, 0.32).
  const most = Math.floor(card.capability ?? 0) === 10 ? 1024 : 512;
  const largest =
    toWhole(profile, 'max-cudagraph-capture-size') ??
    toNumber(config?.max_cudagraph_capture_size) ??
    Math.min(2 * query * sequences, most, batchTokens);
  const sizes = written ?? toUsualSizes(largest, toWord(profile, 'performance-mode') === 'interactivity');
  const decoding = sizes.filter((size) => size <= query * sequences).length;
  if (mode === 'PIECEWISE') return sizes.length;
  return mode.includes('PIECEWISE') ? sizes.length + decoding : decoding;
}

/** 1, 2, 4, from there in steps of 8, and of 16 from 256 on; each of the first 32 where answers are to be quick. */
function toUsualSizes(largest: number, each: boolean): readonly number[] {
  const first = each ? Array.from({ length: 32 }, (_, index) => index + 1) : [1, 2, 4, 8, 16, 24, 32];
  const eights = Array.from({ length: 27 }, (_, index) => 40 + 8 * index);
  const sixteens = Array.from({ length: Math.max(Math.floor((largest - 256) / 16) + 1, 0) }, (_, index) => 256 + 16 * index);
  return [...first, ...eights, ...sixteens].filter((size) => size <= largest);
}

function toNumbers(value: SettingValue | undefined): readonly number[] | undefined {
  return Array.isArray(value) ? value.filter((one): one is number => typeof one === 'number') : undefined;
}

/** The default since 0.22 for dense Qwen3, since 0.25 for all dense models, since 0.29 for all. */
function isSecondRunner({ engine }: Profile, shape: ModelShape, version: string): boolean {
  const written = engine.env.VLLM_USE_V2_MODEL_RUNNER;
  if (written !== undefined) return ['1', 'true'].includes(written.toLowerCase());
  if (isFrom(version, '0.29')) return true;
  if (shape.hybrid || shape.experts !== undefined) return false;
  return isFrom(version, shape.architecture === 'Qwen3ForCausalLM' ? '0.22' : '0.25');
}

/** Without pictures neither their encoder nor its warm-up takes memory. */
function isTextOnly(profile: Profile): boolean {
  const limits = toFields(profile, 'limit-mm-per-prompt');
  return profile.vllm['language-model-only'] === true || (limits?.image === 0 && limits?.video === 0);
}

export function isFrom(version: string, first: string): boolean {
  return compareVersions(version, first) >= 0;
}
