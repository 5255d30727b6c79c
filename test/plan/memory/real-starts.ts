/** Real starts of vLLM beside what the memory plan says of them. Also used by bench/memory.mjs. */
import { type ModelShape, toModelFacts } from '../../../src/model/catalogue.ts';
import { estimateMemory } from '../../../src/plan/memory/estimate.ts';
import type { Memory } from '../../../src/plan/plan.ts';
import type { Profile, SettingValue } from '../../../src/profile/profile.ts';

const gib = 2 ** 30;
const mib = 2 ** 20;

/** One line of starts.jsonl; null: the log did not say. */
export interface Start {
  readonly id: string;
  readonly series: string;
  readonly vllm_version: string | null;
  readonly gpu: string | null;
  readonly gpu_total_gib: number | null;
  readonly model: string | null;
  readonly quantization: string | null;
  readonly kv_cache_dtype: string | null;
  readonly tp: number | null;
  readonly gpu_memory_utilization: number | null;
  readonly util_is_default: boolean;
  readonly max_model_len: number | null;
  readonly max_num_seqs: number | null;
  readonly max_num_batched_tokens: number | null;
  readonly enforce_eager: boolean | null;
  readonly spec_decode: string | null;
  readonly model_loading_gib: number | null;
  readonly available_kv_gib: number | null;
  readonly kv_cache_tokens: number | null;
  readonly cudagraph_estimate_gib: number | null;
  readonly peak_activation_gib: number | null;
  readonly non_torch_gib: number | null;
  readonly kv_needed_gib: number | null;
  readonly outcome: 'ok' | 'kv_cache_too_small' | 'no_kv_cache_memory' | 'oom_loading_weights';
  readonly patched_vllm: boolean;
  readonly notes: string | null;
}

/** `stated`: stock vLLM from 0.8 on, one GPU, full attention, GPU and share known: what the bars are about. */
export type StartClass = 'stated' | 'assumed' | 'several' | 'patched';

export type Judged = { readonly start: Start } & (
  | { readonly is: 'left-out'; readonly why: string }
  | {
      readonly is: 'judged';
      readonly class: StartClass;
      readonly memory: Memory;
      readonly weightsError?: number;
      /** GiB; ours minus what the log said. */
      readonly kvError?: number;
      /** The same of `share × total − weights − 2 GiB`. */
      readonly constantError?: number;
      /** Absent where the GPU or the length of a request is not said. */
      readonly verdict?: { readonly said: Memory['fits']; readonly right: boolean };
    }
);

export interface Shape extends ModelShape {
  readonly id: string;
  readonly source?: string;
}

export function judgeStarts(starts: readonly Start[], others: readonly Shape[]): readonly Judged[] {
  return starts.map((start) => judge(start, others));
}

function judge(start: Start, others: readonly Shape[]): Judged {
  const shape = findShape(start, others);
  const total = toTotalBytes(start);
  const why = toReason(start, shape, total);
  if (shape === undefined || why !== undefined) return { start, is: 'left-out', why: why ?? 'nothing is known of it' };
  const memory = planStart(start, shape, total ?? anySize);
  if (memory === undefined) return { start, is: 'left-out', why: 'no plan' };
  const actual = total === undefined ? undefined : toActualKv(start, shape);
  const share = memory.budgetBytes / gib;
  const loaded = start.model_loading_gib ?? undefined;
  const started = start.outcome === 'ok';
  return {
    start,
    is: 'judged',
    class: toClass(start),
    memory,
    ...(loaded === undefined ? {} : { weightsError: memory.weightsBytes / gib - loaded }),
    ...(actual === undefined ? {} : { kvError: memory.kvBytes / gib - actual }),
    ...(actual === undefined || loaded === undefined ? {} : { constantError: share - loaded - 2 - actual }),
    ...(total === undefined || start.max_model_len === null
      ? {}
      : { verdict: { said: memory.fits, right: started ? memory.fits !== 'no' : memory.fits !== 'yes' } }),
  };
}

/** By its id, or as the one it is built like. */
export function findShape({ model, quantization }: Start, others: readonly Shape[]): ModelShape | undefined {
  if (model === null) return undefined;
  return others.find(({ id }) => id === model) ?? toModelFacts(quantization === 'fp8' && !model.endsWith('-FP8') ? `${model}-FP8` : model);
}

/** As CUDA saw it: printed, else the total of the card that is named, of which the plan knows what the driver keeps. */
const cards: readonly { readonly name: RegExp; readonly as: string; readonly mib: number }[] = [
  { name: /H100/, as: 'NVIDIA H100 80GB HBM3', mib: 81_559 },
  { name: /A100.*40GB/, as: 'NVIDIA A100-SXM4-40GB', mib: 40_960 },
  { name: /A100.*80GB/, as: 'NVIDIA A100-SXM4-80GB', mib: 81_920 },
  // All cards of that size report this number.
  { name: /L40S|46 GB card/, as: 'NVIDIA L40S', mib: 46_068 },
  { name: /RTX 3090/, as: 'NVIDIA GeForce RTX 3090', mib: 24_576 },
  // The largest of its kind, so that a verdict is not made by the card that is assumed.
  { name: /24 GB consumer card/, as: 'NVIDIA GeForce RTX 4090', mib: 24_564 },
];

/** Where the GPU is not said, only weights are compared, which are the same on every one. */
const anySize = 80 * gib;

function toTotalBytes({ gpu, gpu_total_gib: seen }: Start): number | undefined {
  if (seen !== null) return seen * gib;
  const card = cards.find(({ name }) => name.test(gpu ?? ''));
  return card && card.mib * mib;
}

function toReason(start: Start, shape: ModelShape | undefined, total: number | undefined): string | undefined {
  const { gpu, outcome, tp, spec_decode: draft } = start;
  if (/GB10/.test(gpu ?? '')) return 'unified memory';
  if (shape === undefined) return 'weights or dimensions of the model are not known for sure';
  if (shape.hybrid && outcome === 'ok') return 'hybrid attention: the engine decides';
  if (draft !== null) return 'drafts with what is not described';
  if (tp === null) return 'number of GPUs not said';
  if (/^0\.[0-7]\.[\dx]/.test(start.vllm_version ?? '')) return 'older than vLLM 0.8';
  if (total === undefined && start.model_loading_gib === null) return 'memory of the GPU not said';
  return undefined;
}

function toClass(start: Start): StartClass {
  if (start.patched_vllm) return 'patched';
  if (start.tp !== 1) return 'several';
  if (start.gpu === null) return 'assumed';
  const shared = start.gpu_memory_utilization !== null || start.util_is_default;
  // No older vLLM knows Qwen3.
  const dated = start.vllm_version !== null || /Qwen3/.test(start.model ?? '');
  return shared && dated ? 'stated' : 'assumed';
}

/** What is not said is as it was by default; a version that is not said is of the time when the share was 0.9. */
function planStart(start: Start, shape: ModelShape, totalBytes: number): Memory | undefined {
  const card = cards.find(({ name }) => name.test(start.gpu ?? ''));
  const seen = start.gpu_total_gib !== null;
  return estimateMemory({
    profile: toProfile(start),
    shape,
    version: toVersion(start),
    ownDefaults: true,
    gpus: [{ index: 0, name: card?.as ?? 'a GPU', memoryTotalBytes: totalBytes, ...(seen ? { memoryReservedBytes: 0 } : {}) }],
  })?.memory;
}

function toVersion({ vllm_version: version }: Start): string {
  if (version?.includes('0.19 era')) return '0.19';
  return /^(?:>=)?(0\.\d+)/.exec(version ?? '')?.[1] ?? '0.10';
}

function toProfile(start: Start): Profile {
  const { model, tp, gpu_memory_utilization: share } = start;
  // The old engine read a prompt in one step where it was not very long.
  const isOld = /V0/.test(start.vllm_version ?? '') && (start.max_model_len ?? 0) <= 32_768;
  const vllm: Record<string, SettingValue | null> = {
    'gpu-memory-utilization': share,
    'tensor-parallel-size': tp,
    'max-model-len': start.max_model_len,
    'max-num-seqs': start.max_num_seqs,
    'max-num-batched-tokens': start.max_num_batched_tokens,
    'kv-cache-dtype': start.kv_cache_dtype,
    'enforce-eager': start.enforce_eager,
    ...(isOld ? { 'enable-chunked-prefill': false } : {}),
  };
  return {
    name: start.id,
    source: 'test',
    description: '',
    model: { id: model ?? '', source: 'hub' },
    servedNames: [],
    quantization: 'auto',
    engine: { version: '0.32.0', variant: 'gpu', backend: 'process', env: {} },
    vllm: Object.fromEntries(Object.entries(vllm).filter((entry): entry is [string, SettingValue] => entry[1] !== null)),
    resources: { gpus: 'auto', cpus: 'all' },
    replicas: 1,
    lora: {},
    labels: {},
    origins: {},
  } as unknown as Profile;
}

/** Printed, or what the printed tokens take. */
function toActualKv(start: Start, shape: ModelShape): number | undefined {
  if (start.available_kv_gib !== null) return start.available_kv_gib;
  if (start.kv_cache_tokens === null || shape.hybrid) return undefined;
  const heads = Math.max(shape.kvHeads / (start.tp ?? 1), 1) / shape.kvHeads;
  return (start.kv_cache_tokens * shape.kvBytesPerToken * heads) / gib;
}

/** Linear between ranks. */
export function toQuantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const [low, high] = [sorted[Math.floor(at)] ?? Number.NaN, sorted[Math.ceil(at)] ?? Number.NaN];
  return low + (high - low) * (at - Math.floor(at));
}
