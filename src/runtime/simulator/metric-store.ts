/** Counts of one simulated engine, and its /metrics page. */
import { type MetricFamily, metricFamilies, pythonFloat, toCacheLabels } from './metric-catalogue.ts';

/** A finished request; times on one monotonic clock, ms. */
export interface FinishedRequest {
  readonly promptTokens: number;
  readonly maxTokens: number;
  readonly produced: number;
  readonly finish: string;
  readonly arrivedAt: number;
  readonly startedAt: number;
  readonly firstAt: number;
  readonly lastAt: number;
}

interface Histogram {
  readonly below: number[];
  count: number;
  sum: number;
}

type Labels = Readonly<Record<string, string>>;

export class MetricStore {
  readonly #modelName: string;
  readonly #cacheLabels: Labels;
  readonly #createdAt = Date.now() / 1000;
  readonly #values = new Map<string, number>();
  readonly #histograms = new Map<string, Histogram>();
  readonly #http = new Map<string, { readonly labels: Labels; count: number }>();

  constructor(about: { readonly modelName: string; readonly kvTokens: number; readonly maxModelLen: number }) {
    this.#modelName = about.modelName;
    this.#cacheLabels = toCacheLabels(about.kvTokens, about.maxModelLen);
    this.set('vllm:engine_sleep_state', 1, 'awake');
  }

  value(name: string, labelValue = ''): number {
    return this.#values.get(`${name} ${labelValue}`) ?? 0;
  }

  set(name: string, value: number, labelValue = ''): void {
    this.#values.set(`${name} ${labelValue}`, value);
  }

  add(name: string, amount: number, labelValue = ''): void {
    this.set(name, this.value(name, labelValue) + amount, labelValue);
  }

  observe(name: string, value: number): void {
    const bounds = metricFamilies.find((family) => family.name === name)?.buckets ?? [];
    const histogram = this.#histograms.get(name) ?? { below: bounds.map(() => 0), count: 0, sum: 0 };
    this.#histograms.set(name, histogram);
    bounds.forEach((bound, index) => {
      if (value <= bound) histogram.below[index] = (histogram.below[index] ?? 0) + 1;
    });
    histogram.count += 1;
    histogram.sum += value;
  }

  countPrompt(tokens: number): void {
    this.add('vllm:prompt_tokens_total', tokens);
    this.add('vllm:prompt_tokens_by_source_total', tokens, 'local_compute');
    this.add('vllm:prefix_cache_queries_total', tokens);
  }

  countFinished(request: FinishedRequest): void {
    const { arrivedAt, startedAt, firstAt, lastAt, produced } = request;
    this.add('vllm:request_success_total', 1, request.finish);
    this.observe('vllm:request_prompt_tokens', request.promptTokens);
    this.observe('vllm:request_generation_tokens', produced);
    this.observe('vllm:request_params_max_tokens', request.maxTokens);
    this.observe('vllm:e2e_request_latency_seconds', (lastAt - arrivedAt) / 1000);
    this.observe('vllm:request_queue_time_seconds', (startedAt - arrivedAt) / 1000);
    this.observe('vllm:request_inference_time_seconds', (lastAt - startedAt) / 1000);
    this.observe('vllm:request_prefill_time_seconds', (firstAt - startedAt) / 1000);
    this.observe('vllm:request_decode_time_seconds', (lastAt - firstAt) / 1000);
    if (produced > 1) this.observe('vllm:request_time_per_output_token_seconds', (lastAt - firstAt) / 1000 / (produced - 1));
  }

  countHttp(labels: { readonly handler: string; readonly method: string; readonly status: string }): void {
    const key = Object.values(labels).join(' ');
    const entry = this.#http.get(key) ?? { labels, count: 0 };
    entry.count += 1;
    this.#http.set(key, entry);
  }

  /** Everything back to zero, as after a restart of the engine behind a kept address. */
  reset(): void {
    this.#values.clear();
    this.#histograms.clear();
    this.set('vllm:engine_sleep_state', 1, 'awake');
  }

  /** The Prometheus page; without log stats vLLM leaves out every series of its own. */
  render(logStats: boolean): string {
    const lines = renderProcess();
    if (logStats) lines.push(...metricFamilies.flatMap((family) => this.#renderFamily(family)), ...this.#renderCacheInfo());
    lines.push('# HELP http_requests_total Total number of requests by method, status and handler.', '# TYPE http_requests_total counter');
    for (const { labels, count } of this.#http.values()) lines.push(renderSample('http_requests_total', labels, count));
    return `${lines.join('\n')}\n`;
  }

  #renderFamily(family: MetricFamily): readonly string[] {
    const { name, type, help } = family;
    const base: Labels = family.engineless ? { model_name: this.#modelName } : { engine: '0', model_name: this.#modelName };
    const label = family.label;
    const series =
      label === undefined
        ? [{ value: '', labels: base }]
        : label.values.map((value) => ({ value, labels: { ...base, [label.name]: value } }));
    const samples = series.flatMap(({ value, labels }) =>
      type === 'histogram' ? this.#renderHistogram(family, labels) : [renderSample(name, labels, this.value(name, value))],
    );
    const head = [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...samples];
    if (type === 'gauge') return head;
    const created = `${type === 'counter' ? name.replace(/_total$/, '') : name}_created`;
    const births = series.map(({ labels }) => renderSample(created, labels, this.#createdAt));
    return [...head, `# HELP ${created} ${help}`, `# TYPE ${created} gauge`, ...births];
  }

  #renderHistogram({ name, buckets = [] }: MetricFamily, labels: Labels): readonly string[] {
    const histogram = this.#histograms.get(name) ?? { below: [], count: 0, sum: 0 };
    const rows = buckets.map((bound, index) =>
      renderSample(`${name}_bucket`, { ...labels, le: pythonFloat(bound) }, histogram.below[index] ?? 0),
    );
    return [
      ...rows,
      renderSample(`${name}_bucket`, { ...labels, le: '+Inf' }, histogram.count),
      renderSample(`${name}_count`, labels, histogram.count),
      renderSample(`${name}_sum`, labels, histogram.sum),
    ];
  }

  #renderCacheInfo(): readonly string[] {
    return [
      '# HELP vllm:cache_config_info Information of the LLMEngine CacheConfig',
      '# TYPE vllm:cache_config_info gauge',
      renderSample('vllm:cache_config_info', { ...this.#cacheLabels, engine: '0' }, 1),
    ];
  }
}

function renderProcess(): string[] {
  return [
    '# HELP process_resident_memory_bytes Resident memory size in bytes.',
    '# TYPE process_resident_memory_bytes gauge',
    renderSample('process_resident_memory_bytes', {}, process.memoryUsage.rss()),
    '# HELP process_start_time_seconds Start time of the process since unix epoch in seconds.',
    '# TYPE process_start_time_seconds gauge',
    renderSample('process_start_time_seconds', {}, (Date.now() - performance.now()) / 1000),
  ];
}

/** Labels in the order of their names, as the Python client prints them. */
function renderSample(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, text]) => `${key}="${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`);
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${pythonFloat(value)}`;
}
