/** Starts of the real vLLM that fail and end ready: by `up --fix`, or by the profile's own `fallback`. */
import type { Case } from './cases.ts';

/** What a cure must have done. */
export interface Change {
  /** The cause that it is cured of, as `status` says it then. */
  readonly because: string;
  /** Settings that are otherwise then. */
  readonly changed: readonly string[];
}

export interface Cure extends Case, Change {
  /** Its profile has a ladder, and nobody asks for `--fix`. */
  readonly ladder?: true;
}

const vllm = (settings: string) => `vllm: { ${settings} }`;

export const cures: readonly Cure[] = [
  {
    name: 'port taken by somebody else',
    portTaken: true,
    profile: '',
    because: 'port_in_use',
    changed: ['server.port'],
  },
  {
    name: 'longer than the model',
    profile: vllm('max-model-len: 200000'),
    because: 'max_model_len_exceeds_model',
    changed: ['vllm.max-model-len'],
  },
  {
    name: 'too long for its cache',
    profile: vllm('kv-cache-memory-bytes: 2M, max-model-len: 32768'),
    because: 'kv_cache_too_small',
    changed: ['vllm.max-model-len'],
  },
  {
    name: 'too long for its cache, with a ladder',
    profile: `${vllm('kv-cache-memory-bytes: 2M, max-model-len: 32768')}\nfallback: [{ vllm: { max-model-len: estimated } }]`,
    because: 'kv_cache_too_small',
    changed: ['vllm.max-model-len'],
    ladder: true,
  },
  {
    name: 'flag of an older vLLM',
    profile: vllm('swap-space: 4'),
    because: 'unknown_argument',
    changed: ['vllm.swap-space'],
  },
  {
    name: 'no such choice',
    profile: vllm('dtype: fp9'),
    because: 'invalid_argument_value',
    changed: ['vllm.dtype'],
  },
  {
    name: 'no such tool parser',
    profile: vllm('enable-auto-tool-choice: true, tool-call-parser: hermess'),
    because: 'reasoning_or_tool_parser_invalid',
    changed: ['vllm.tool-call-parser'],
  },
  {
    name: 'template that is not there',
    profile: vllm('chat-template: $HERE/no.jinja'),
    because: 'tokenizer_or_chat_template',
    changed: ['vllm.chat-template'],
  },
  {
    name: 'quantization that the checkpoint does not have',
    profile: 'quantization: awq',
    because: 'quantization_mismatch',
    changed: ['quantization'],
  },
  {
    name: 'more than the free memory',
    profile: vllm('kv-cache-memory-bytes: null, gpu-memory-utilization: 1'),
    because: 'free_memory_below_utilization',
    changed: ['vllm.kv-cache-memory-bytes', 'vllm.gpu-memory-utilization'],
  },
  {
    name: 'block without a kernel',
    profile: vllm('block-size: 7'),
    because: 'invalid_argument_value',
    changed: ['vllm.block-size'],
  },
  {
    name: 'more processes than nodes of memory',
    profile: vllm('tensor-parallel-size: 2'),
    because: 'cpu_backend_failure',
    changed: ['vllm.tensor-parallel-size'],
  },
];
