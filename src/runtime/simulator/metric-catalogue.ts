/** vLLM 0.32's metrics, as its /metrics page names, types and labels them. */

export interface MetricFamily {
  readonly name: string;
  readonly type: 'gauge' | 'counter' | 'histogram';
  readonly help: string;
  /** A label besides `engine` and `model_name`, with all its values. */
  readonly label?: { readonly name: string; readonly values: readonly string[] };
  readonly buckets?: readonly number[];
  /** True for the one family that vLLM does not label by engine. */
  readonly engineless?: true;
}

const counts = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000];
const latencies = [0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680];
const firsts = [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 640, 2560];
const tokenTimes = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80];
const iterations = [1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16_384];

export const metricFamilies: readonly MetricFamily[] = [
  { name: 'vllm:num_requests_running', type: 'gauge', help: 'Number of requests in model execution batches.' },
  { name: 'vllm:num_requests_waiting', type: 'gauge', help: 'Number of requests waiting to be processed.' },
  {
    name: 'vllm:num_requests_waiting_by_reason',
    type: 'gauge',
    help: "Number of waiting requests by reason. Reason labels: 'capacity' = waiting for scheduling capacity; 'deferred' = deferred by transient constraints.",
    label: { name: 'reason', values: ['capacity', 'deferred'] },
  },
  {
    name: 'vllm:engine_sleep_state',
    type: 'gauge',
    help: 'Engine sleep state; awake = 1 means engine is awake.',
    label: { name: 'sleep_state', values: ['awake', 'weights_offloaded', 'discard_all'] },
  },
  { name: 'vllm:kv_cache_usage_perc', type: 'gauge', help: 'KV-cache usage. 1 means 100 percent usage.' },
  { name: 'vllm:prefix_cache_queries_total', type: 'counter', help: 'Prefix cache queries, in terms of number of queried tokens.' },
  { name: 'vllm:prefix_cache_hits_total', type: 'counter', help: 'Prefix cache hits, in terms of number of cached tokens.' },
  { name: 'vllm:num_preemptions_total', type: 'counter', help: 'Cumulative number of preemption from the engine.' },
  { name: 'vllm:prompt_tokens_total', type: 'counter', help: 'Number of prefill tokens processed.' },
  {
    name: 'vllm:prompt_tokens_by_source_total',
    type: 'counter',
    help: 'Number of prompt tokens by source.',
    label: { name: 'source', values: ['local_compute', 'local_cache_hit', 'external_kv_transfer'] },
  },
  { name: 'vllm:generation_tokens_total', type: 'counter', help: 'Number of generation tokens processed.' },
  {
    name: 'vllm:request_success_total',
    type: 'counter',
    help: 'Count of successfully processed requests.',
    label: { name: 'finished_reason', values: ['stop', 'length', 'abort', 'error', 'repetition'] },
  },
  {
    name: 'vllm:admission_rejections_total',
    type: 'counter',
    help: 'Number of admission attempts rejected by a queue limit, by reason.',
    label: { name: 'reason', values: ['max_num_queued_reqs', 'max_num_queued_tokens'] },
    engineless: true,
  },
  { name: 'vllm:request_prompt_tokens', type: 'histogram', help: 'Number of prefill tokens processed.', buckets: counts },
  { name: 'vllm:request_generation_tokens', type: 'histogram', help: 'Number of generation tokens processed.', buckets: counts },
  { name: 'vllm:iteration_tokens_total', type: 'histogram', help: 'Histogram of number of tokens per engine_step.', buckets: iterations },
  { name: 'vllm:request_params_max_tokens', type: 'histogram', help: 'Histogram of the max_tokens request parameter.', buckets: counts },
  { name: 'vllm:time_to_first_token_seconds', type: 'histogram', help: 'Histogram of time to first token in seconds.', buckets: firsts },
  {
    name: 'vllm:inter_token_latency_seconds',
    type: 'histogram',
    help: 'Histogram of inter-token latency in seconds.',
    buckets: tokenTimes,
  },
  {
    name: 'vllm:request_time_per_output_token_seconds',
    type: 'histogram',
    help: 'Histogram of time_per_output_token_seconds per request.',
    buckets: tokenTimes,
  },
  { name: 'vllm:e2e_request_latency_seconds', type: 'histogram', help: 'Histogram of e2e request latency in seconds.', buckets: latencies },
  {
    name: 'vllm:request_queue_time_seconds',
    type: 'histogram',
    help: 'Histogram of time spent in WAITING phase for request.',
    buckets: latencies,
  },
  {
    name: 'vllm:request_inference_time_seconds',
    type: 'histogram',
    help: 'Histogram of time spent in RUNNING phase for request.',
    buckets: latencies,
  },
  {
    name: 'vllm:request_prefill_time_seconds',
    type: 'histogram',
    help: 'Histogram of time spent in PREFILL phase for request.',
    buckets: latencies,
  },
  {
    name: 'vllm:request_decode_time_seconds',
    type: 'histogram',
    help: 'Histogram of time spent in DECODE phase for request.',
    buckets: latencies,
  },
];

/** Labels of `vllm:cache_config_info` that tell what the cache is; vLLM has some thirty more. */
export function toCacheLabels(kvTokens: number, maxModelLen: number): Readonly<Record<string, string>> {
  return {
    block_size: '128',
    cache_dtype: 'auto',
    enable_prefix_caching: 'True',
    gpu_memory_utilization: '0.92',
    kv_cache_max_concurrency: pythonFloat(kvTokens / maxModelLen),
    kv_cache_memory_bytes: 'None',
    kv_cache_size_tokens: String(kvTokens),
    num_cpu_blocks: 'None',
    num_gpu_blocks: String(Math.floor(kvTokens / 128)),
  };
}

/** Python prints whole floats with `.0`. */
export function pythonFloat(value: number): string {
  return Number.isInteger(value) ? `${value}.0` : String(value);
}
