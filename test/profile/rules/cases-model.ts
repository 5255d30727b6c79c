import type { RuleCase } from './judge.ts';

export const modelCases: readonly RuleCase[] = [
  {
    code: 'profile/heads-indivisible',
    bad: 'model: Qwen/Qwen3-0.6B\nvllm:\n  tensor-parallel-size: 3 # <-\n',
    good: 'model: Qwen/Qwen3-0.6B\nvllm:\n  tensor-parallel-size: 16\n',
  },
  {
    code: 'profile/heads-indivisible',
    bad: 'model: Qwen/Qwen3-14B\nresources:\n  gpus: 5 # <-\n',
    good: 'model: Qwen/Qwen3-14B\nresources:\n  gpus: 4\n',
  },
  {
    code: 'profile/shards-indivisible',
    bad: 'model: Qwen/Qwen3-4B-FP8\nvllm:\n  tensor-parallel-size: 8 # <-\n',
    good: 'model: Qwen/Qwen3-4B\nvllm:\n  tensor-parallel-size: 8\n',
  },
  {
    code: 'profile/shards-indivisible',
    bad: 'model: Qwen/Qwen3-4B-FP8\nvllm:\n  tensor-parallel-size: 8 # <-\n',
    good: 'model: Qwen/Qwen3-8B-FP8\nvllm:\n  tensor-parallel-size: 8\n',
  },
  {
    code: 'profile/stages-above-layers',
    bad: 'model: Qwen/Qwen3-0.6B\nvllm:\n  pipeline-parallel-size: 29 # <-\n',
    good: 'model: Qwen/Qwen3-0.6B\nvllm:\n  pipeline-parallel-size: 28\n',
  },
  {
    code: 'profile/no-experts',
    bad: 'model: Qwen/Qwen3-8B\nvllm:\n  enable-expert-parallel: true # <-\n',
    good: 'model: Qwen/Qwen3-30B-A3B\nvllm:\n  enable-expert-parallel: true\n',
  },
  {
    code: 'profile/balancing-alone',
    bad: 'model: Qwen/Qwen3-30B-A3B\nvllm:\n  tensor-parallel-size: 2\n  enable-eplb: true # <-\n',
    good: 'model: Qwen/Qwen3-30B-A3B\nvllm:\n  tensor-parallel-size: 2\n  enable-expert-parallel: true\n  enable-eplb: true\n',
  },
  {
    code: 'profile/data-parallel-dense',
    bad: 'model: Qwen/Qwen3-8B\nvllm:\n  data-parallel-size: 2\n  data-parallel-rank: 0 # <-\n',
    good: 'model: Qwen/Qwen3-30B-A3B\nvllm:\n  data-parallel-size: 2\n  data-parallel-rank: 0\n',
  },
  {
    code: 'profile/data-parallel-alone',
    bad: 'model: Qwen/Qwen3-30B-A3B\nvllm:\n  data-parallel-external-lb: true # <-\n',
    good: 'model: Qwen/Qwen3-30B-A3B\nvllm:\n  data-parallel-size: 2\n  data-parallel-external-lb: true\n',
  },
  {
    code: 'profile/data-parallel-alone',
    bad: 'model: Qwen/Qwen3-30B-A3B\nvllm:\n  data-parallel-size: 2\n  data-parallel-size-local: 3 # <-\n',
    good: 'model: Qwen/Qwen3-30B-A3B\nvllm:\n  data-parallel-size: 2\n  data-parallel-size-local: 2\n',
  },
  {
    code: 'profile/pipeline-executor',
    bad: 'model: Qwen/Qwen3-8B\nvllm:\n  pipeline-parallel-size: 2\n  distributed-executor-backend: uni # <-\n',
    good: 'model: Qwen/Qwen3-8B\nvllm:\n  distributed-executor-backend: uni\n',
  },
  {
    code: 'profile/context-parallel',
    bad: 'model: Qwen/Qwen3-8B\nvllm:\n  tensor-parallel-size: 16\n  decode-context-parallel-size: 4 # <-\n',
    good: 'model: Qwen/Qwen3-8B\nvllm:\n  tensor-parallel-size: 16\n  decode-context-parallel-size: 2\n',
  },
  {
    code: 'profile/context-parallel',
    bad: 'model: Qwen/Qwen3-8B\nvllm:\n  decode-context-parallel-size: 2 # <-\n',
    good: 'model: Qwen/Qwen3-8B\nvllm:\n  decode-context-parallel-size: 1\n',
  },
  {
    code: 'profile/numa-alone',
    bad: 'model: Qwen/Qwen3-8B\nvllm:\n  numa-bind-nodes: [0] # <-\n',
    good: 'model: Qwen/Qwen3-8B\nvllm:\n  numa-bind: true\n  numa-bind-nodes: [0]\n',
  },
  {
    code: 'profile/numa-twice',
    bad: 'model: Qwen/Qwen3-8B\nvllm: {numa-bind: true}\nresources:\n  cpus: auto # <-\n',
    good: 'model: Qwen/Qwen3-8B\nvllm: {numa-bind: false}\nresources: {cpus: auto}\n',
  },
  {
    code: 'profile/gpus-too-few',
    bad: 'model: Qwen/Qwen3-8B\nresources:\n  gpus: 1 # <-\nvllm: {tensor-parallel-size: 2}\n',
    good: 'model: Qwen/Qwen3-8B\nresources:\n  gpus: 2\nvllm: {tensor-parallel-size: 2}\n',
  },
  {
    code: 'profile/gpus-idle',
    bad: 'model: Qwen/Qwen3-8B\nresources:\n  gpus: [0, 1] # <-\nvllm: {tensor-parallel-size: 1}\n',
    good: 'model: Qwen/Qwen3-8B\nresources:\n  gpus: [0, 1]\n',
  },
  {
    code: 'profile/kv-heads-copied',
    bad: 'model: Qwen/Qwen3-30B-A3B\nvllm:\n  tensor-parallel-size: 8 # <-\n',
    good: 'model: Qwen/Qwen3-30B-A3B\nvllm:\n  tensor-parallel-size: 4\n',
  },
  {
    code: 'profile/quantization-missing',
    bad: 'model: Qwen/Qwen3-8B\nquantization: awq # <-\n',
    good: 'model: Qwen/Qwen3-8B-AWQ\nquantization: awq\n',
  },
  {
    code: 'profile/quantization-missing',
    bad: 'model: Qwen/Qwen3-8B\nquantization: compressed-tensors # <-\n',
    good: 'model: Qwen/Qwen3-8B\nquantization: fp8_per_tensor\n',
  },
  {
    code: 'profile/quantization-mismatch',
    bad: 'model: Qwen/Qwen3-8B-AWQ\nquantization: fp8 # <-\n',
    good: 'model: Qwen/Qwen3-8B-AWQ\nquantization: awq_marlin\n',
  },
  {
    code: 'profile/quantization-mismatch',
    bad: 'model: Qwen/Qwen3-8B-AWQ\nengine: {variant: cpu}\nquantization: awq_marlin # <-\n',
    good: 'model: Qwen/Qwen3-8B-AWQ\nengine: {variant: cpu}\nquantization: awq\n',
  },
  {
    code: 'profile/quantization-mismatch',
    bad: 'model: Qwen/Qwen3-8B-FP8\nquantization: fp8_per_block # <-\n',
    good: 'model: Qwen/Qwen3-8B-FP8\nquantization: fp8\n',
  },
  {
    code: 'profile/quantization-mismatch',
    bad: 'model: Qwen/Qwen3-0.6B-GPTQ-Int8\nquantization: inc # <-\n',
    good: 'model: Qwen/Qwen3-0.6B-GPTQ-Int8\nquantization: my_plugin\n',
  },
  {
    code: 'profile/quantization-dtype',
    bad: 'model: Qwen/Qwen3-8B-FP8\nvllm:\n  dtype: float32 # <-\n',
    good: 'model: Qwen/Qwen3-8B\nvllm:\n  dtype: float32\n',
  },
  {
    code: 'profile/quantization-deprecated',
    bad: 'model: Qwen/Qwen3-8B\nquantization: fbgemm_fp8 # <-\n',
    good: 'model: Qwen/Qwen3-8B\nquantization: fbgemm_fp8\nvllm: {allow-deprecated-quantization: true}\n',
  },
  {
    code: 'profile/quantization-renamed',
    bad: 'model: Qwen/Qwen3-8B\nquantization: fp8 # <-\n',
    good: 'model: Qwen/Qwen3-8B\nengine: {version: "0.30.0"}\nquantization: fp8\n',
  },
  {
    code: 'profile/quantization-cpu',
    bad: 'model: Qwen/Qwen3-8B-FP8 # <-\nengine: {variant: cpu}\n',
    good: 'model: Qwen/Qwen3-8B-AWQ\nengine: {variant: cpu}\n',
  },
  {
    code: 'profile/model-unpublished',
    bad: 'model: Qwen/Qwen3-0.6B-AWQ # <-\n',
    good: 'model: {id: Qwen/Qwen3-0.6B-AWQ, path: /models/awq, source: local}\n',
  },
  {
    code: 'profile/kv-cache-backend',
    bad: 'model: Qwen/Qwen3-8B\nvllm:\n  kv-cache-dtype: fp8_ds_mla # <-\n',
    good: 'model: Qwen/Qwen3-8B\nvllm:\n  kv-cache-dtype: fp8\n',
  },
  {
    code: 'profile/kv-cache-cpu',
    bad: 'model: Qwen/Qwen3-8B\nengine: {variant: cpu}\nvllm:\n  kv-cache-dtype: int8_per_token_head # <-\n',
    good: 'model: Qwen/Qwen3-8B\nengine: {variant: cpu}\nvllm:\n  kv-cache-dtype: fp8\n',
  },
  {
    code: 'profile/lora-off',
    bad: 'model: Qwen/Qwen3-8B\nlora: {a: /adapters/a}\nvllm:\n  enable-lora: false # <-\n',
    good: 'model: Qwen/Qwen3-8B\nlora: {a: /adapters/a}\n',
  },
  {
    code: 'profile/lora-slots',
    bad: 'model: Qwen/Qwen3-8B\nvllm:\n  enable-lora: true\n  max-loras: 4\n  max-cpu-loras: 2 # <-\n',
    good: 'model: Qwen/Qwen3-8B\nvllm:\n  enable-lora: true\n  max-loras: 4\n  max-cpu-loras: 0\n',
  },
  {
    code: 'profile/lora-slots',
    bad: 'model: Qwen/Qwen3-8B\nlora: {a: /a, b: /b}\nvllm:\n  max-cpu-loras: 1 # <-\n',
    good: 'model: Qwen/Qwen3-8B\nlora: {a: /a}\nvllm:\n  max-cpu-loras: 1\n',
  },
  {
    code: 'profile/lora-idle',
    bad: 'model: Qwen/Qwen3-8B\nvllm:\n  max-lora-rank: 64 # <-\n',
    good: 'model: Qwen/Qwen3-8B\nlora: {a: /a}\nvllm:\n  max-lora-rank: 64\n',
  },
  {
    code: 'profile/lora-name',
    bad: 'model: Qwen/Qwen3-8B\nserved-names: [chat]\nlora:\n  chat: /a # <-\n',
    good: 'model: Qwen/Qwen3-8B\nserved-names: [chat]\nlora:\n  chat-a: /a\n',
  },
  {
    code: 'profile/lora-drafts',
    bad: `model: Qwen/Qwen3-8B
lora: {a: /a}
vllm:
  max-num-seqs: 64
  max-num-batched-tokens: 256 # <-
  speculative-config: {method: ngram, num_speculative_tokens: 4}
`,
    good: `model: Qwen/Qwen3-8B
lora: {a: /a}
vllm:
  max-num-seqs: 64
  max-num-batched-tokens: 320
  speculative-config: {method: ngram, num_speculative_tokens: 4}
`,
  },
];
