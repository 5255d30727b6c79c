import type { RuleCase } from './judge.ts';

const gpu = (line: string) => `model: Qwen/Qwen3-8B\nvllm:\n  ${line}\n`;
const cpu = (line: string) => `model: Qwen/Qwen3-8B\nengine: {variant: cpu}\nvllm:\n  ${line}\n`;
const bound = (value: string, cpus: string) =>
  `model: Qwen/Qwen3-8B\nresources: {cpus: "${cpus}"}\nengine:\n  variant: cpu\n  env:\n    VLLM_CPU_OMP_THREADS_BIND: "${value}"`;
const variable = (line: string) => `model: Qwen/Qwen3-8B\nengine:\n  env:\n    ${line}\n`;

export const servingCases: readonly RuleCase[] = [
  {
    code: 'profile/open-without-key',
    bad: 'model: Qwen/Qwen3-8B\nserver:\n  host: 0.0.0.0 # <-\n',
    good: 'model: Qwen/Qwen3-8B\nserver:\n  host: 0.0.0.0\n  api-key: env:KEY\n',
  },
  {
    code: 'profile/metrics-open',
    bad: 'model: Qwen/Qwen3-8B\nserver:\n  host: "::"\n  api-key: env:KEY # <-\n',
    good: 'model: Qwen/Qwen3-8B\nserver:\n  host: 127.0.0.2\n  api-key: env:KEY\n',
  },
  {
    code: 'profile/open-routes',
    bad: `${variable('VLLM_SERVER_DEV_MODE: 1 # <-')}server: {host: 0.0.0.0, api-key: env:KEY}\n`,
    good: variable('VLLM_SERVER_DEV_MODE: 1'),
  },
  {
    code: 'profile/outputs-without-requests',
    bad: gpu('enable-log-outputs: true # <-'),
    good: `${gpu('enable-log-outputs: true')}  enable-log-requests: true\n`,
  },
  {
    code: 'profile/metrics-without-stats',
    bad: `${gpu('enable-per-request-metrics: true')}  disable-log-stats: true # <-\n`,
    good: gpu('enable-per-request-metrics: true'),
  },
  { code: 'profile/stats-off', bad: gpu('disable-log-stats: true # <-'), good: gpu('enable-per-request-metrics: true') },
  { code: 'profile/remote-code', bad: gpu('trust-remote-code: true # <-'), good: gpu('trust-remote-code: false') },
  { code: 'profile/prompt-embeds', bad: gpu('enable-prompt-embeds: true # <-'), good: gpu('enable-prompt-embeds: false') },
  { code: 'profile/variable-asserts', bad: variable('PYTHONOPTIMIZE: 2 # <-'), good: variable('PYTHONOPTIMIZE: 0') },
  { code: 'profile/variable-code', bad: variable('PYTHONPATH: /opt/x # <-'), good: variable('PYTHONPATH: ""') },
  {
    code: 'profile/variable-code',
    bad: variable('LD_PRELOAD: libtcmalloc.so.4 # <-'),
    good: variable('LD_PRELOAD: /usr/lib/libtcmalloc.so.4:/opt/libiomp5.so'),
  },
  { code: 'profile/no-http', bad: gpu('uds: /run/vllm.sock # <-'), good: gpu('root-path: /qwen') },
  { code: 'profile/no-http', bad: gpu('headless: true # <-'), good: gpu('headless: false') },
  {
    code: 'profile/no-http',
    bad: `${gpu('ssl-certfile: /c.pem # <-')}  ssl-keyfile: /k.pem\n`,
    good: gpu('ssl-ca-certs: /ca.pem'),
  },
  { code: 'profile/no-completions', bad: gpu('runner: pooling # <-'), good: gpu('runner: generate') },
  {
    code: 'profile/no-completions',
    bad: 'model: Qwen/Qwen3-Embedding-0.6B # <-\n',
    good: 'model: Qwen/Qwen3-Embedding-0.6B\nvllm: {runner: generate}\n',
  },
  { code: 'profile/sleep-on-cpu', bad: cpu('enable-sleep-mode: true # <-'), good: gpu('enable-sleep-mode: true') },
  { code: 'profile/block-on-cpu', bad: cpu('block-size: 16 # <-'), good: cpu('block-size: 64') },
  { code: 'profile/cpu-compiles', bad: cpu('enforce-eager: false # <-'), good: cpu('enforce-eager: true') },
  { code: 'profile/cpu-binding', bad: `${bound('0-3', '0-2')} # <-\n`, good: `${bound('1,2', '0-2')}\n` },
  { code: 'profile/cpu-binding', bad: `${bound('0-3', '4-7')} # <-\n`, good: `${bound('0-3', 'auto')}\n` },
  {
    code: 'profile/cpu-binding-count',
    bad: `${bound('0-1|2-3', 'all')} # <-\n`,
    good: `${bound('0-1|2-3', 'all')}\nvllm: {tensor-parallel-size: 2}\n`,
  },
  {
    code: 'profile/cpu-nodes',
    bad: cpu('tensor-parallel-size: 2 # <-'),
    good: `${bound('0-1|2-3', 'all')}\nvllm: {tensor-parallel-size: 2}\n`,
  },
  { code: 'profile/idle-on-cpu', bad: cpu('max-cudagraph-capture-size: 8 # <-'), good: gpu('max-cudagraph-capture-size: 8') },
  { code: 'profile/idle-on-cpu', bad: cpu('attention-backend: FLASH_ATTN # <-'), good: cpu('attention-backend: CPU_ATTN') },
  {
    code: 'profile/set-twice',
    bad: `${gpu('attention-backend: FLASH_ATTN # <-')}  attention-config: {backend: FLASHINFER}\n`,
    good: `${gpu('attention-backend: FLASH_ATTN')}  attention-config: {flash_attn_version: 2}\n`,
  },
  {
    code: 'profile/graphs-largest',
    bad: `${gpu('cudagraph-capture-sizes: [1, 2, 4]')}  max-cudagraph-capture-size: 8 # <-\n`,
    good: `${gpu('cudagraph-capture-sizes: [1, 2, 4, 8]')}  max-cudagraph-capture-size: 8\n`,
  },
  {
    code: 'profile/graphs-zero',
    bad: gpu('max-cudagraph-capture-size: 0 # <-'),
    good: `${gpu('max-cudagraph-capture-size: 0')}  enforce-eager: true\n`,
  },
  {
    code: 'profile/graphs-too-large',
    bad: `${gpu('max-num-batched-tokens: 2048')}  cudagraph-capture-sizes: [1, 4096] # <-\n`,
    good: `${gpu('max-num-batched-tokens: 4096')}  cudagraph-capture-sizes: [1, 4096]\n`,
  },
  {
    code: 'profile/graphs-short',
    bad: `${gpu('max-num-seqs: 64')}  max-cudagraph-capture-size: 32 # <-\n`,
    good: `${gpu('max-num-seqs: 32')}  max-cudagraph-capture-size: 32\n`,
  },
  {
    code: 'profile/eager-idle',
    bad: `${gpu('enforce-eager: true')}  compilation-config.mode: 3 # <-\n`,
    good: `${gpu('enforce-eager: true')}  compilation-config.custom_ops: ["all"]\n`,
  },
  {
    code: 'profile/sleep-unreachable',
    bad: gpu('enable-sleep-mode: true # <-'),
    good: `${variable('VLLM_SERVER_DEV_MODE: 1')}vllm: {enable-sleep-mode: true}\n`,
  },
  {
    code: 'profile/prefix-idle',
    bad: `${gpu('enable-prefix-caching: false')}  prefix-caching-hash-algo: sha256 # <-\n`,
    good: gpu('prefix-caching-hash-algo: sha256'),
  },
  {
    code: 'profile/mamba-block-alone',
    bad: `${gpu('enable-prefix-caching: false')}  mamba-block-size: 64 # <-\n`,
    good: gpu('mamba-block-size: 64'),
  },
  {
    code: 'profile/variable-removed',
    bad: variable('VLLM_ATTENTION_BACKEND: FLASH_ATTN # <-'),
    good: variable('VLLM_SERVER_DEV_MODE: 0'),
  },
  {
    code: 'profile/variable-removed',
    bad: variable('VLLM_ENGINE_ITERATION_TIMEOUT_S: 60 # <-'),
    good: `${variable('VLLM_ENGINE_ITERATION_TIMEOUT_S: 60')}  version: "0.31.0"\n`,
  },
  {
    code: 'profile/variable-refused',
    bad: `${variable('VLLM_USE_V1: 1 # <-')}vllm: {fail-on-environ-validation: true}\n`,
    good: variable('VLLM_USE_V1: 1'),
  },
  {
    code: 'profile/gpus-by-variable',
    bad: variable('CUDA_VISIBLE_DEVICES: "1" # <-'),
    good: 'model: Qwen/Qwen3-8B\nresources: {gpus: [1]}\n',
  },
  { code: 'profile/log-muted', bad: variable('VLLM_LOGGING_LEVEL: ERROR # <-'), good: variable('VLLM_LOGGING_LEVEL: DEBUG') },
  { code: 'profile/log-muted', bad: gpu('log-level: WARNING # <-'), good: gpu('log-level: INFO') },
  {
    code: 'profile/adapt-replicas',
    bad: 'model: Qwen/Qwen3-8B\nreplicas: 2\nadapt: {when: {cpu: 95%}, steps: [light]} # <-\n',
    good: 'model: Qwen/Qwen3-8B\nadapt: {when: {cpu: 95%}, steps: [light]}\n',
  },
  { code: 'profile/variable-device', bad: variable('VLLM_TARGET_DEVICE: cpu # <-'), good: variable('VLLM_TARGET_DEVICE: cuda') },
];
