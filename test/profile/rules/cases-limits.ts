import type { RuleCase } from './judge.ts';

export const limitsCases: readonly RuleCase[] = [
  {
    code: 'profile/batch-below-length',
    bad: 'model: Qwen/Qwen3-8B\nvllm:\n  enable-chunked-prefill: false\n  max-num-batched-tokens: 8192 # <-\n',
    good: 'model: Qwen/Qwen3-8B\nvllm:\n  enable-chunked-prefill: false\n  max-num-batched-tokens: 40K\n',
  },
  {
    code: 'profile/batch-below-length',
    bad: 'model: Qwen/Qwen3-8B\nvllm:\n  enable-chunked-prefill: false\n  max-num-batched-tokens: 2048 # <-\n  max-model-len: auto\n',
    good: 'model: Qwen/Qwen3-8B\nvllm:\n  max-num-batched-tokens: 2048\n  max-model-len: auto\n',
  },
  {
    code: 'profile/batch-below-sequences',
    bad: 'model: Qwen/Qwen3-8B\nvllm:\n  max-num-seqs: 257\n  max-num-batched-tokens: 256 # <-\n',
    good: 'model: Qwen/Qwen3-8B\nvllm:\n  max-num-seqs: 256\n  max-num-batched-tokens: 256\n',
  },
  {
    code: 'profile/batch-below-sequences',
    bad: 'model: Qwen/Qwen3-8B\nengine: {variant: cpu}\nvllm:\n  max-num-seqs: 2049 # <-\n',
    good: 'model: Qwen/Qwen3-8B\nengine: {variant: cpu}\nvllm:\n  max-num-seqs: 2049\n  performance-mode: throughput\n',
  },
  {
    code: 'profile/batch-below-sequences',
    bad: 'model: Qwen/Qwen3-8B\nvllm:\n  max-num-seqs: 16385 # <-\n',
    good: 'model: Qwen/Qwen3-8B\nvllm:\n  max-num-seqs: 16384\n',
  },
  {
    code: 'profile/active-above-sequences',
    bad: 'model: Qwen/Qwen3-8B\nvllm:\n  max-num-seqs: 8\n  max-num-active-seqs: 9 # <-\n',
    good: 'model: Qwen/Qwen3-8B\nvllm:\n  max-num-seqs: 8\n  max-num-active-seqs: 8\n',
  },
  {
    code: 'profile/threshold-above-length',
    bad: 'model: Qwen/Qwen3-8B\nvllm:\n  long-prefill-token-threshold: 40961 # <-\n',
    good: 'model: Qwen/Qwen3-8B\nvllm:\n  long-prefill-token-threshold: 40960\n',
  },
  {
    code: 'profile/batch-too-large',
    bad: 'model: Qwen/Qwen3-8B\nvllm:\n  max-num-seqs: 1\n  max-model-len: 4096\n  max-num-batched-tokens: 8192 # <-\n',
    good: 'model: Qwen/Qwen3-8B\nvllm:\n  max-num-seqs: 2\n  max-model-len: 4096\n  max-num-batched-tokens: 8192\n',
  },
  {
    code: 'profile/chunked-prefill-off',
    bad: 'model: Qwen/Qwen3-8B\nvllm:\n  enable-chunked-prefill: false # <-\n',
    good: 'model: Qwen/Qwen3-8B\nvllm:\n  enable-chunked-prefill: true\n',
  },
  {
    code: 'profile/queue-closed',
    bad: 'model: Qwen/Qwen3-8B\nvllm:\n  max-num-queued-reqs: 0 # <-\n',
    good: 'model: Qwen/Qwen3-8B\nvllm:\n  max-num-queued-reqs: 1\n',
  },
  {
    code: 'profile/queue-below-sequences',
    bad: 'model: Qwen/Qwen3-8B\nvllm:\n  max-num-seqs: 32\n  max-num-queued-reqs: 16 # <-\n',
    good: 'model: Qwen/Qwen3-8B\nvllm:\n  max-num-seqs: 32\n  max-num-queued-reqs: 32\n',
  },
  {
    code: 'profile/share-beside-cache',
    bad: 'model: Qwen/Qwen3-8B\nvllm:\n  kv-cache-memory-bytes: 4G\n  gpu-memory-utilization: 0.5 # <-\n',
    good: 'model: Qwen/Qwen3-8B\nvllm:\n  gpu-memory-utilization: 0.5\n',
  },
  {
    code: 'profile/cpu-share',
    bad: 'model: Qwen/Qwen3-8B\nengine: {variant: cpu}\nvllm:\n  gpu-memory-utilization: 0.5 # <-\n',
    good: 'model: Qwen/Qwen3-8B\nengine: {variant: cpu}\nvllm:\n  kv-cache-memory-bytes: 4G\n',
  },
  {
    code: 'profile/cache-set-twice',
    bad: 'model: Qwen/Qwen3-8B\nengine:\n  variant: cpu\n  env:\n    VLLM_CPU_KVCACHE_SPACE: 4 # <-\nvllm:\n  kv-cache-memory-bytes: 4G\n',
    good: 'model: Qwen/Qwen3-8B\nengine:\n  variant: cpu\n  env:\n    VLLM_CPU_KVCACHE_SPACE: 4\n',
  },
  {
    code: 'profile/cache-set-twice',
    bad: 'model: Qwen/Qwen3-8B\nengine:\n  env:\n    VLLM_CPU_KVCACHE_SPACE: 4 # <-\n',
    good: 'model: Qwen/Qwen3-8B\nengine:\n  env:\n    VLLM_LOG_STATS_INTERVAL: 4\n',
  },
  {
    code: 'profile/cache-space-number',
    bad: 'model: Qwen/Qwen3-8B\nengine:\n  variant: cpu\n  env:\n    VLLM_CPU_KVCACHE_SPACE: "1.5" # <-\n',
    good: 'model: Qwen/Qwen3-8B\nengine:\n  variant: cpu\n  env:\n    VLLM_CPU_KVCACHE_SPACE: "2"\n',
  },
  {
    code: 'profile/memory-cap-small',
    bad: 'model: Qwen/Qwen3-8B\nengine: {variant: cpu}\nresources:\n  memory: 16GiB # <-\n',
    good: 'model: Qwen/Qwen3-8B\nengine: {variant: cpu}\nresources:\n  memory: 24GiB\n',
  },
  {
    code: 'profile/memory-cap-small',
    bad: 'model: {source: miniature}\nresources:\n  memory: 1GiB # <-\n',
    good: 'model: {source: miniature}\nresources:\n  memory: 2GiB\n',
  },
  {
    code: 'profile/replica-shares',
    bad: 'model: Qwen/Qwen3-0.6B\nreplicas: 4\nresources: {gpus: [0]}\nvllm:\n  gpu-memory-utilization: 0.3 # <-\n',
    good: 'model: Qwen/Qwen3-0.6B\nreplicas: 4\nresources: {gpus: [0]}\nvllm:\n  gpu-memory-utilization: 0.25\n',
  },
  {
    code: 'profile/replica-shares',
    bad: 'model: Qwen/Qwen3-0.6B\nreplicas: 3\nresources: {gpus: [0, 1]}\nvllm:\n  gpu-memory-utilization: 0.6 # <-\n',
    good: 'model: Qwen/Qwen3-0.6B\nreplicas: 2\nresources: {gpus: [0, 1]}\nvllm:\n  gpu-memory-utilization: 0.85\n',
  },
  {
    code: 'profile/ports-run-out',
    bad: 'model: Qwen/Qwen3-0.6B\nreplicas: 4\nserver:\n  port: 65533 # <-\n',
    good: 'model: Qwen/Qwen3-0.6B\nreplicas: 4\nserver:\n  port: 65532\n',
  },
  {
    code: 'profile/shm-small',
    bad: 'model: Qwen/Qwen3-32B\nengine: {backend: docker}\nresources:\n  gpus: 2\n  shm: 64MB # <-\n',
    good: 'model: Qwen/Qwen3-32B\nengine: {backend: docker}\nresources:\n  gpus: 1\n  shm: 64MB\n',
  },
  {
    code: 'profile/nofile-small',
    bad: 'model: Qwen/Qwen3-0.6B\nresources:\n  nofile: 1024 # <-\nvllm: {max-num-seqs: 1024}\n',
    good: 'model: Qwen/Qwen3-0.6B\nresources:\n  nofile: 1024\nvllm: {max-num-seqs: 512}\n',
  },
  {
    code: 'profile/length-beyond-model',
    bad: 'model: Qwen/Qwen3-8B\nvllm:\n  max-model-len: 40961 # <-\n',
    good: 'model: Qwen/Qwen3-8B\nvllm:\n  max-model-len: 40K\n',
  },
  {
    code: 'profile/length-beyond-model',
    bad: `model: Qwen/Qwen3-8B
vllm:
  max-model-len: 131072 # <-
  hf-overrides:
    rope_parameters: {rope_type: yarn, factor: 4.0, original_max_position_embeddings: 32768}
`,
    good: `model: Qwen/Qwen3-8B
vllm:
  max-model-len: 131072
  hf-overrides:
    max_position_embeddings: 131072
    rope_parameters: {rope_type: yarn, factor: 4.0, original_max_position_embeddings: 32768}
`,
  },
  {
    code: 'profile/length-beyond-model',
    bad: `model: Qwen/Qwen3-8B
engine: {version: "0.29.0"}
vllm:
  max-model-len: 131073 # <-
  hf-overrides.rope_parameters.rope_type: yarn
  hf-overrides.rope_parameters.factor: 4.0
  hf-overrides.rope_parameters.original_max_position_embeddings: 32768
`,
    good: `model: Qwen/Qwen3-8B
engine: {version: "0.29.0"}
vllm:
  max-model-len: 131072
  hf-overrides.rope_parameters.rope_type: yarn
  hf-overrides.rope_parameters.factor: 4.0
  hf-overrides.rope_parameters.original_max_position_embeddings: 32768
`,
  },
  {
    code: 'profile/yarn-too-short',
    bad: `model: Qwen/Qwen3-8B
vllm:
  max-model-len: 131072 # <-
  hf-overrides:
    max_position_embeddings: 131072
    rope_parameters: {rope_type: yarn, factor: 2.0, original_max_position_embeddings: 32768}
`,
    good: `model: Qwen/Qwen3-8B
vllm:
  max-model-len: 65536
  hf-overrides:
    max_position_embeddings: 131072
    rope_parameters: {rope_type: yarn, factor: 2.0, original_max_position_embeddings: 32768}
`,
  },
  {
    code: 'profile/rope-base-lost',
    bad: `model: Qwen/Qwen3-30B-A3B
vllm:
  max-model-len: 131072
  hf-overrides:
    max_position_embeddings: 131072
    rope_parameters: {rope_type: yarn, factor: 4.0, original_max_position_embeddings: 32768} # <-
`,
    good: `model: Qwen/Qwen3-30B-A3B
vllm:
  max-model-len: 131072
  hf-overrides:
    max_position_embeddings: 131072
    rope_parameters: {rope_type: yarn, factor: 4.0, original_max_position_embeddings: 32768, rope_theta: 1000000}
`,
  },
  {
    code: 'profile/rope-base-lost',
    bad: `model: Qwen/Qwen3-235B-A22B
vllm:
  hf-overrides.rope_parameters.rope_type: yarn # <-
  hf-overrides.rope_parameters.factor: 4.0
`,
    good: `model: Qwen/Qwen3-8B
vllm:
  hf-overrides.rope_parameters.rope_type: yarn
  hf-overrides.rope_parameters.factor: 4.0
`,
  },
  {
    code: 'profile/yarn-needless',
    bad: `model: Qwen/Qwen3-8B
vllm:
  max-model-len: 32768
  hf-overrides:
    rope_parameters:
      rope_type: yarn # <-
      factor: 4.0
      original_max_position_embeddings: 32768
`,
    good: 'model: Qwen/Qwen3-8B\nvllm:\n  max-model-len: 32768\n  hf-overrides: {max_position_embeddings: 32768}\n',
  },
  {
    code: 'profile/length-untrained',
    bad: 'model: Qwen/Qwen3-8B\nengine: {env: {VLLM_ALLOW_LONG_MAX_MODEL_LEN: 1}}\nvllm:\n  max-model-len: 65536 # <-\n',
    good: 'model: Qwen/Qwen3-8B\nengine: {env: {VLLM_ALLOW_LONG_MAX_MODEL_LEN: 1}}\nvllm:\n  max-model-len: 32768\n',
  },
  {
    code: 'profile/length-untrained',
    bad: 'model: Qwen/Qwen3-8B\nvllm:\n  max-model-len: 65536 # <-\n  hf-overrides: {max_position_embeddings: 65536}\n',
    good: 'model: Qwen/Qwen3-4B-Instruct-2507\nvllm:\n  max-model-len: 65536\n  hf-overrides: {max_position_embeddings: 65536}\n',
  },
];
