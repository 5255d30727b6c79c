/**
 * Which settings may cure which cause: what a step of `fallback:` is good for. Whether it does cure it, its start shows;
 * so a setting stands here when the cause depends on it, and not only when it is the best remedy.
 */
import { type CauseId, causes } from './causes.ts';

/** A step as far as it matters here: the settings that it changes, by their paths in a profile, or a whole profile. */
export type Cure = { readonly profile: string } | { readonly set: Readonly<Record<string, unknown>> };

/** Whether a step may cure a cause; one with several settings does when any of them may. */
export function mayCure(step: Cure, cause: string): boolean {
  if (!isCause(cause)) return false;
  if ('profile' in step) return ofProfiles.includes(cause);
  return Object.keys(step.set).some((path) => changes(path, settings[cause] ?? []));
}

/** Whether there is any cause that a step may cure. */
export function curesAnything(step: Cure): boolean {
  return Object.keys(causes).some((cause) => mayCure(step, cause));
}

function isCause(cause: string): cause is CauseId {
  return Object.hasOwn(causes, cause);
}

/** `engine.env.` stands for every variable below it; a field of vLLM's maps (`compilation-config.mode`) changes its map. */
function changes(path: string, known: readonly string[]): boolean {
  return known.some((one) => path === one || path.startsWith(one.endsWith('.') ? one : `${one}.`));
}

const model = ['model', 'quantization'];
const parallel = ['vllm.tensor-parallel-size', 'vllm.pipeline-parallel-size', 'resources.gpus'];
const offload = ['vllm.cpu-offload-gb', 'vllm.kv-offloading-size', 'vllm.swap-space'];
const share = ['vllm.gpu-memory-utilization', 'vllm.kv-cache-memory-bytes'];
const graphs = ['vllm.enforce-eager', 'vllm.compilation-config', 'vllm.cudagraph-capture-sizes', 'vllm.max-cudagraph-capture-size'];
const batch = ['vllm.max-num-seqs', 'vllm.max-num-batched-tokens'];
const images = ['vllm.limit-mm-per-prompt', 'vllm.language-model-only'];
const engine = ['engine.version', 'engine.image', 'engine.executable'];
const adapters = ['lora', 'vllm.max-loras', 'vllm.max-lora-rank', 'vllm.enable-lora'];

/** Of a cause that is not here, no setting is known to cure it. */
const settings: Partial<Readonly<Record<CauseId, readonly string[]>>> = {
  kv_cache_too_small: [
    'vllm.max-model-len',
    'vllm.kv-cache-dtype',
    ...share,
    ...batch,
    ...graphs,
    ...parallel,
    ...images,
    ...adapters,
    ...model,
    'vllm.cpu-offload-gb',
  ],
  max_model_len_exceeds_model: ['vllm.max-model-len', 'vllm.hf-overrides', 'model'],
  cuda_oom_weights: [...model, ...parallel, 'vllm.cpu-offload-gb', 'vllm.dtype'],
  cuda_oom_warmup: [...batch, ...share, ...graphs, ...parallel, ...images, ...adapters, ...model, 'vllm.cpu-offload-gb'],
  cuda_oom_runtime: [...batch, ...share, ...graphs, ...parallel, ...images, ...adapters, ...model],
  free_memory_below_utilization: [...share, 'resources.gpus'],
  memory_profiling_race: share,
  host_oom_killed: ['resources.memory', ...offload, ...batch, ...model, 'vllm.kv-cache-memory-bytes', 'vllm.max-model-len', 'vllm.dtype'],
  shm_too_small: ['resources.shm', 'vllm.tensor-parallel-size'],
  cpu_backend_failure: ['vllm.kv-cache-memory-bytes', 'vllm.dtype', 'vllm.tensor-parallel-size', ...graphs, ...model],
  dtype_unsupported_gpu: ['vllm.dtype', ...model],
  quantization_unsupported_gpu: [...model, 'vllm.dtype', 'vllm.kv-cache-dtype'],
  quantization_mismatch: model,
  attention_backend_unsupported: ['vllm.attention-backend', 'vllm.kv-cache-dtype', 'vllm.dtype', 'vllm.block-size', 'engine.env.'],
  kernel_image_missing: [...engine, ...model, 'vllm.attention-backend', 'vllm.kv-cache-dtype'],
  torch_compile_or_triton_failure: [...graphs, 'vllm.optimization-level', 'vllm.attention-backend', 'engine.env.'],
  flashinfer_jit_failure: ['vllm.attention-backend', 'vllm.kv-cache-dtype', 'vllm.enforce-eager', 'engine.env.'],
  tensor_parallel_indivisible: ['vllm.tensor-parallel-size', 'model'],
  not_enough_gpus: [...parallel, 'vllm.data-parallel-size'],
  nccl_failure: [...parallel, 'vllm.disable-custom-all-reduce', 'engine.env.'],
  ipc_zmq_failure: ['engine.env.'],
  driver_too_old: engine,
  unsupported_architecture: [...engine, 'model', 'vllm.model-impl'],
  unknown_argument: engine,
  corrupted_checkpoint: ['model'],
  model_not_found: ['model'],
  model_gated_or_auth: ['model'],
  tokenizer_or_chat_template: ['vllm.chat-template', 'vllm.tokenizer-mode', 'model.tokenizer'],
  reasoning_or_tool_parser_invalid: ['vllm.reasoning-parser', 'vllm.tool-call-parser', 'vllm.enable-auto-tool-choice'],
  lora_failure: adapters,
};

/** Memory, what the hardware cannot do, and compilation: another profile is another load for all of it. */
const ofProfiles: readonly CauseId[] = [
  'kv_cache_too_small',
  'max_model_len_exceeds_model',
  'cuda_oom_weights',
  'cuda_oom_warmup',
  'cuda_oom_runtime',
  'free_memory_below_utilization',
  'memory_profiling_race',
  'host_oom_killed',
  'shm_too_small',
  'cpu_backend_failure',
  'dtype_unsupported_gpu',
  'quantization_unsupported_gpu',
  'attention_backend_unsupported',
  'kernel_image_missing',
  'torch_compile_or_triton_failure',
  'flashinfer_jit_failure',
  'tensor_parallel_indivisible',
  'not_enough_gpus',
];
