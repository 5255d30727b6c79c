/**
 * What vLLM says, and how it ends, when a setting does not suit the model or the machine. A refusal looks at the command
 * line of this start: with another setting it is gone. Words are those of vLLM 0.32.0, or of the version that printed them.
 */
import { parseHumanInteger, type ServeArgs } from '../../src/runtime/simulator/args.ts';

export interface Refusal {
  /** Where it ends: while the words are read, while the configuration is made, or in the engine at a phase. */
  readonly at: 'words' | 'configuring' | 'loading' | 'kv-cache' | 'warming';
  readonly line: string;
  /** Lines above it, without a prefix. */
  readonly trace?: string;
}

/** The first that applies. `kinds`: `name`, or `name:value`. Throws for a kind that is none. */
export function findRefusal(kinds: readonly string[], args: ServeArgs): Refusal | undefined {
  for (const text of kinds) {
    const [kind = '', value = ''] = text.split(':');
    const find = refusals[kind];
    if (find === undefined) throw new Error(`no refusal ${kind}; there are ${Object.keys(refusals).join(', ')}`);
    const found = find(createReader(args), value);
    if (found) return found;
  }
  return undefined;
}

/** Settings of the command line as vLLM would see them. */
interface Reader {
  readonly has: (flag: string) => boolean;
  readonly text: (flag: string) => string | undefined;
  readonly number: (flag: string, otherwise: number) => number;
}

function createReader({ flags }: ServeArgs): Reader {
  const text = (flag: string) => flags.get(flag)?.[0];
  return {
    has: (flag) => flags.has(flag),
    text,
    number(flag, otherwise) {
      const value = Number(text(flag) ?? otherwise);
      return Number.isNaN(value) ? (parseHumanInteger(text(flag)) ?? value) : value;
    },
  };
}

type Find = (args: Reader, value: string) => Refusal | undefined;

const refusals: Readonly<Record<string, Find>> = {
  'kv-cache': (args, most) => {
    const length = args.number('max-model-len', 40_960);
    const line = `ValueError: To serve at least one request with the model's max seq len (${length}), (2.50 GiB KV cache is needed, which is larger than the available KV cache memory (1.25 GiB). Based on the available memory, the estimated maximum model length is ${most}. Try increasing \`gpu_memory_utilization\` (which also controls CPU memory on the CPU backend) or decreasing \`max_model_len\` when initializing the engine.`;
    return length > Number(most) ? { at: 'kv-cache', line, trace: inEngine('_check_enough_kv_cache_memory') } : undefined;
  },
  'no-blocks': (args, least) =>
    args.number('gpu-memory-utilization', 0.92) >= Number(least)
      ? undefined
      : {
          at: 'kv-cache',
          line: 'ValueError: No available memory for the cache blocks. Try increasing `gpu_memory_utilization` when initializing the engine.',
          trace: inEngine('_check_enough_kv_cache_memory'),
        },
  'model-length': (args, most) => {
    const length = args.number('max-model-len', 0);
    const line = `Value error, User-specified max_model_len (${length}) is greater than the derived max_model_len (max_position_embeddings=${most} or model_max_length=None in model's config.json). To allow overriding this maximum, set the env var VLLM_ALLOW_LONG_MAX_MODEL_LEN=1. VLLM_ALLOW_LONG_MAX_MODEL_LEN must be used with extreme caution.`;
    return length > Number(most) ? toInvalid('ModelConfig', line) : undefined;
  },
  'unknown-flag': (args, flag) => (args.has(flag) ? { at: 'words', line: `vllm: error: unrecognized arguments: --${flag}` } : undefined),
  'bad-choice': (args, flag) => {
    const value = args.text(flag);
    const choices = ['auto', 'bfloat16', 'float', 'float16', 'float32', 'half'];
    const line = `vllm serve: error: argument --${flag}: invalid choice: '${value}' (choose from ${choices.map((one) => `'${one}'`).join(', ')})`;
    return value === undefined || choices.includes(value) ? undefined : { at: 'words', line };
  },
  'bad-number': (args, flag) => {
    const line = `vllm serve: error: argument --${flag}: invalid int value: '${args.text(flag)}'`;
    return args.has(flag) && Number.isNaN(args.number(flag, 0)) ? { at: 'words', line } : undefined;
  },
  'batched-tokens': (args) => {
    const [batch, length] = [args.number('max-num-batched-tokens', Number.POSITIVE_INFINITY), args.number('max-model-len', 40_960)];
    const line = `Value error, max_num_batched_tokens (${batch}) is smaller than max_model_len (${length}). This effectively limits the maximum sequence length to max_num_batched_tokens and makes vLLM reject longer sequences. Please increase max_num_batched_tokens or decrease max_model_len.`;
    return batch < length ? toInvalid('SchedulerConfig', line) : undefined;
  },
  'share-range': (args) =>
    args.number('gpu-memory-utilization', 0) <= 1
      ? undefined
      : toInvalid(
          'CacheConfig',
          `Input should be less than or equal to 1 [type=less_than_equal, input_value=${args.text('gpu-memory-utilization')}, input_type=float]`,
          'gpu_memory_utilization',
        ),
  'reasoning-parser': (args) => {
    const value = args.text('reasoning-parser');
    const line = `KeyError: "Reasoning parser '${value}' not found. Available parsers: deepseek_r1, glm45, granite, qwen3"`;
    return value === undefined || value === 'qwen3' ? undefined : { at: 'configuring', line };
  },
  'tool-parser': (args) => {
    const value = args.text('tool-call-parser');
    const line = `KeyError: 'invalid tool call parser: ${value} (chose from { deepseek_v3,hermes,llama3_json,qwen3_coder,qwen3_xml })'`;
    return value === undefined || value === 'hermes' ? undefined : { at: 'configuring', line };
  },
  'auto-tools': (args) =>
    args.has('enable-auto-tool-choice') && !args.has('tool-call-parser')
      ? { at: 'configuring', line: 'TypeError: Error: --enable-auto-tool-choice requires --tool-call-parser' }
      : undefined,
  quantization: (args, real) => {
    const value = args.text('quantization');
    const line =
      real === ''
        ? `Value error, Cannot find the config file for ${value}`
        : `Value error, Quantization method specified in the model config (${real}) does not match the quantization method specified in the \`quantization\` argument (${value}).`;
    return value === undefined || value === real ? undefined : toInvalid(real === '' ? 'VllmConfig' : 'ModelConfig', line);
  },
  'quantization-unknown': (args) => {
    const value = args.text('quantization');
    const line = `Value error, Unknown quantization method: ${value}. Must be one of ['awq', 'fp8', 'gptq', 'compressed-tensors'].`;
    return value === undefined ? undefined : toInvalid('ModelConfig', line);
  },
  bfloat16: (args) =>
    ['half', 'float16', 'float', 'float32'].includes(args.text('dtype') ?? 'auto')
      ? undefined
      : {
          at: 'loading',
          line: 'ValueError: Bfloat16 is only supported on GPUs with compute capability of at least 8.0. Your Tesla T4 GPU has compute capability 7.5. You can use float16 instead by explicitly setting the `dtype` flag in CLI, for example: --dtype=half.',
          trace: inEngine('check_if_supports_dtype'),
        },
  'free-memory': (args, share) => {
    const wanted = args.number('gpu-memory-utilization', 0.92);
    const free = (Number(share) + 0.01) * 80;
    const line = `ValueError: Free memory on device cuda:0 (${free.toFixed(2)}/80.00 GiB) on startup is less than desired GPU memory utilization (${wanted}, ${(wanted * 80).toFixed(2)} GiB). Decrease GPU memory utilization or reduce GPU memory used by other processes.`;
    return wanted > Number(share) ? { at: 'loading', line, trace: inEngine('request_memory') } : undefined;
  },
  'oom-warmup': (args, most) =>
    args.number('max-num-seqs', 256) <= Number(most)
      ? undefined
      : {
          at: 'warming',
          line: 'RuntimeError: CUDA out of memory occurred when warming up sampler with 1024 dummy requests. Please try lowering `max_num_seqs` or `gpu_memory_utilization` when initializing the engine.',
          trace: inEngine('compile_or_warm_up_model'),
        },
  'no-compiler': (args) =>
    args.has('enforce-eager')
      ? undefined
      : {
          at: 'kv-cache',
          line: 'torch._inductor.exc.InductorError: RuntimeError: Failed to find C compiler. Please specify via CC environment variable or set triton.knobs.build.impl.',
          trace: inEngine('determine_available_memory'),
        },
  'attention-backend': (args, backend) =>
    args.text('attention-backend') === backend
      ? {
          at: 'loading',
          line: `ValueError: Selected backend AttentionBackendEnum.${backend} is not valid for this configuration. Reason: ['sink setting not supported']`,
          trace: inEngine('get_attn_backend'),
        }
      : undefined,
  'old-gpu': (args, method) =>
    args.text('quantization') === method
      ? toInvalid(
          'VllmConfig',
          `Value error, The quantization method ${method} is not supported for the current GPU. Minimum capability: 89. Current capability: 80.`,
        )
      : undefined,
  'block-size': (args) => {
    const line = `ValueError: No common block size for ${args.text('block-size')} (CPU_ATTN: [MultipleOf(32)]).`;
    return args.number('block-size', 32) % 32 === 0 ? undefined : { at: 'kv-cache', line, trace: inEngine('prepare_kernel_block_sizes') };
  },
  heads: (args, heads) => {
    const size = args.number('tensor-parallel-size', 1);
    const line = `Value error, Total number of attention heads (${heads}) must be divisible by tensor parallel size (${size}).`;
    return Number(heads) % size === 0 ? undefined : toInvalid('ModelConfig', line);
  },
  gpus: (args, have) => {
    const size = args.number('tensor-parallel-size', 1);
    const line = `Value error, World size (${size}) is larger than the number of available GPUs (${have}) in this node. If this is intentional and you are using: nnodes > 1, set the nnodes argument.`;
    return size > Number(have) ? toInvalid('ParallelConfig', line) : undefined;
  },
  'lora-rank': (args, rank) => {
    const most = args.number('max-lora-rank', 16);
    const line = `ValueError: LoRA rank ${rank} is greater than max_lora_rank ${most}.`;
    return most < Number(rank) ? { at: 'warming', line, trace: inEngine('_load_adapter') } : undefined;
  },
};

/** As pydantic prints it under the traceback of the API server. */
function toInvalid(config: string, line: string, field?: string): Refusal {
  const head = `pydantic_core._pydantic_core.ValidationError: 1 validation error for ${config}`;
  return { at: 'configuring', trace: field === undefined ? head : `${head}\n${field}`, line: `  ${line}` };
}

function inEngine(place: string): string {
  return `EngineCore failed to start.\nTraceback (most recent call last):\n  File "/opt/vllm/v1/engine/core.py", line 1497, in run_engine_core\n  File "/opt/vllm/v1/worker.py", line 412, in ${place}`;
}
