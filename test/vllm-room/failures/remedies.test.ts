import { describe, expect, it } from 'vitest';
import { toText } from '../../../src/text/render.ts';
import { causes } from '../../../src/vllm/failures/causes.ts';
import type { FailureEvidence } from '../../../src/vllm/failures/evidence.ts';
import { captures, cases, explain, readCapture, readCase } from './logs.ts';

type Sets = readonly Readonly<Record<string, unknown>>[];

function setsOf(text: string, beside: Omit<FailureEvidence, 'log'> = {}): Sets {
  return (explain(text, beside)?.remedies ?? []).flatMap(({ set }) => (set === undefined ? [] : [set]));
}

describe('remedies with the numbers of the log', () => {
  const rows: readonly (readonly [string, string, Sets[number]])[] = [
    [
      'vLLM’s own estimate',
      "ValueError: To serve at least one request with the models's max seq len (16384), (3.0 GiB KV cache is needed, which is larger than the available KV cache memory (1.87 GiB). Based on the available memory, the estimated maximum model length is 10224.",
      { 'vllm.max-model-len': 10_224 },
    ],
    [
      'of the first engine',
      "The model's max seq len (32768) is larger than the maximum number of tokens that can be stored in KV cache (4337).",
      { 'vllm.max-model-len': 4336 },
    ],
    [
      'the length of the model',
      "ValueError: User-specified max_model_len (200000) is greater than the derived max_model_len (max_position_embeddings=131072.0 or model_max_length=None in model's config.json).",
      { 'vllm.max-model-len': 131_072 },
    ],
    [
      'the next port',
      "OSError: [Errno 98] error while attempting to bind on address ('0.0.0.0', 8100): address already in use",
      { 'server.port': 8101 },
    ],
    [
      'what is free on the GPU',
      'ValueError: Free memory on device cuda:0 (52.81/95.01 GiB) on startup is less than desired GPU memory utilization (0.9, 85.51 GiB).',
      { 'vllm.gpu-memory-utilization': 0.53 },
    ],
    [
      'a size of cache on CPUs',
      'ValueError: Available memory on node 0 (17.59/23.54 GiB) on startup is less than desired CPU memory utilization (0.9, 21.19 GiB).',
      { 'vllm.kv-cache-memory-bytes': 4 * 2 ** 30, 'vllm.gpu-memory-utilization': null },
    ],
    [
      'the parser that was meant',
      "KeyError: 'invalid tool call parser: hermess (chose from { hermes,qwen3_coder })'",
      { 'vllm.tool-call-parser': 'hermes' },
    ],
    [
      'the parser of Qwen3',
      "KeyError: 'invalid tool call parser: qwen3 (chose from { hermes,qwen3_coder,qwen3_xml })'",
      { 'vllm.tool-call-parser': 'hermes' },
    ],
    [
      'a parser where there was none',
      'TypeError: Error: --enable-auto-tool-choice requires --tool-call-parser',
      { 'vllm.tool-call-parser': 'hermes' },
    ],
    [
      'the choice that was meant',
      "vllm serve: error: argument --dtype: invalid choice: 'bfloat61' (choose from 'auto', 'bfloat16', 'half')",
      { 'vllm.dtype': 'bfloat16' },
    ],
    ['a setting of ours', 'vllm serve: error: argument --served-model-name: expected at least one argument', { 'served-names': null }],
    ['the rank of the adapter', 'ValueError: LoRA rank 48 is greater than max_lora_rank 16.', { 'vllm.max-lora-rank': 64 }],
    [
      'a size that divides the heads',
      'ValueError: Total number of attention heads (14) must be divisible by tensor parallel size (4).',
      { 'vllm.tensor-parallel-size': 2 },
    ],
    [
      'as many GPUs as there are',
      'Value error, World size (8) is larger than the number of available GPUs (3) in this node.',
      { 'vllm.tensor-parallel-size': 2 },
    ],
    [
      'what the checkpoint says',
      'ValueError: Quantization method specified in the model config (gptq) does not match the quantization method specified in the `quantization` argument (awq).',
      { quantization: 'auto' },
    ],
    ['room for shared memory', "OSError: [Errno 28] No space left on device: '/psm_1f2e'", { 'resources.shm': '8GiB' }],
    [
      'a share below its limit',
      'gpu_memory_utilization\n  Input should be less than or equal to 1 [type=less_than_equal, input_value=1.5, input_type=float]',
      { 'vllm.gpu-memory-utilization': 0.9 },
    ],
    [
      'the least that is allowed',
      'max_num_seqs\n  Input should be greater than or equal to 1 [type=greater_than_equal, input_value=0, input_type=int]',
      { 'vllm.max-num-seqs': 1 },
    ],
  ];
  it.each(rows)('%s', (_, text, set) => {
    expect(setsOf(text)[0]).toEqual(set);
  });

  it('the settings of the launch count', () => {
    const port = 'OSError: [Errno 98] Address already in use';
    expect(setsOf(port, { settings: { port: 9000 } })[0]).toEqual({ 'server.port': 9001 });
    const flag = 'vllm: error: unrecognized arguments: --max-modle-len';
    const settings = { 'max-modle-len': 4096 };
    expect(setsOf(flag, { settings, flags: ['max-model-len', 'max-num-seqs'] })).toEqual([
      { 'vllm.max-modle-len': null, 'vllm.max-model-len': 4096 },
      { 'vllm.max-modle-len': null },
    ]);
    const word = 'vllm: error: unrecognized arguments: False';
    expect(setsOf(word, { settings: { 'enable-chunked-prefill': 'False', 'enforce-eager': true } })).toEqual([
      { 'vllm.enable-chunked-prefill': false },
    ]);
  });

  it('where not one block of the cache fits, the share grows before anything is made smaller, as long as some is left', () => {
    const text =
      'ValueError: No available memory for the cache blocks. Try increasing `gpu_memory_utilization` when initializing the engine.';
    const namesOf = (settings: Readonly<Record<string, unknown>>, beside = {}) =>
      setsOf(text, { settings, ...beside }).map((set) => Object.entries(set)[0]);
    const rest = [
      ['vllm.max-num-batched-tokens', 4096],
      ['vllm.enforce-eager', true],
      ['vllm.tensor-parallel-size', 2],
      ['vllm.max-model-len', 20_480],
    ];
    const length = { 'max-model-len': 40_960 };
    expect(namesOf({ ...length, 'gpu-memory-utilization': '0.5' })).toEqual([['vllm.gpu-memory-utilization', 0.92], ...rest]);
    expect(namesOf(length)).toEqual([['vllm.gpu-memory-utilization', 0.95], ...rest]);
    expect(namesOf({ ...length, 'gpu-memory-utilization': 0.97 })).toEqual(rest);
    expect(namesOf(length, { othersOnGpu: true })).toEqual(rest);
    expect(namesOf({ ...length, 'kv-cache-memory-bytes': 2 ** 24 })).toEqual([
      ['vllm.kv-cache-memory-bytes', 3 * 2 ** 24],
      ['vllm.max-model-len', 20_480],
    ]);
  });

  it('a share that leaves much of the GPU grows before the context is shortened; of a full one the estimate is sure', () => {
    const text =
      "ValueError: To serve at least one request with the models's max seq len (16384), (3.0 GiB KV cache is needed, which is larger than the available KV cache memory (1.87 GiB). Based on the available memory, the estimated maximum model length is 10224.";
    const firstOf = (share: number) => setsOf(text, { settings: { 'gpu-memory-utilization': share } })[0];
    expect([firstOf(0.6), firstOf(0.9)]).toEqual([{ 'vllm.gpu-memory-utilization': 0.92 }, { 'vllm.max-model-len': 10_224 }]);
  });

  it('a limit of memory grows by a quarter of what was used', () => {
    const memory = { oomKilled: true, cap: 2 ** 31, peak: 2 ** 31 };
    expect(setsOf('', { memory })[0]).toEqual({ 'resources.memory': '2560MiB' });
  });

  it('where the whole card is ours, nobody is waited for', () => {
    const text = 'torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.';
    const hasWait = (othersOnGpu: boolean) => explain(text, { othersOnGpu })?.remedies?.some(({ command }) => command === 'nvidia-smi');
    expect([hasWait(true), hasWait(false)]).toEqual([true, false]);
  });
});

describe('every cause', () => {
  const found = [...cases.map(readCase), ...captures.map(({ log }) => readCapture(log))].flatMap((text) => explain(text) ?? []);

  it.each(found.map((one) => [one.cause, one] as const))('%s has a remedy that can be said', (_, { remedies = [] }) => {
    expect(remedies.length).toBeGreaterThan(0);
    for (const { text } of remedies) expect(toText(text)).not.toMatch(/[{}]|undefined|NaN/);
  });

  it('is among them', () => {
    const shown = new Set(found.map(({ cause }) => cause));
    expect(Object.keys(causes).filter((cause) => !shown.has(cause))).toEqual([]);
  });
});
