/**
 * The few numbers that we use of vLLM's `/metrics` page (Prometheus text). The page has a thousand lines, most of
 * them histogram buckets, and is read every few seconds: lines that do not begin with a name we want cost one
 * comparison.
 */

/** What the page did not say is undefined; with `--disable-log-stats` it says nothing of this. */
export interface EngineMetrics {
  readonly running?: number;
  readonly waiting?: number;
  /** 0–1; of several engines the fullest. */
  readonly kvUsage?: number;
  readonly promptTokens?: number;
  readonly generationTokens?: number;
  /** Engine steps: moves by one per step whatever the batch, and never when idle. */
  readonly iterations?: number;
  /** Ended by a stop or a length; aborted and failed ones are not counted. */
  readonly requestsSucceeded?: number;
  /** In tokens, like `prefixQueries`. */
  readonly prefixHits?: number;
  readonly prefixQueries?: number;
  /** Above 0: put to sleep, weights or all. */
  readonly asleep?: number;
}

/** More than any page seen (0.25 MB); the rest of a longer one is not read. */
const cap = 4 * 2 ** 20;

/** Total: lines that are not understood are passed over. */
export function parseMetrics(page: string): EngineMetrics {
  return toMetrics(mergeEngines(readPage(page).values()));
}

/** The same for each engine of the server by itself (data parallel), by the number that it has there. */
export function parseMetricsByEngine(page: string): ReadonlyMap<string, EngineMetrics> {
  return new Map([...readPage(page)].map(([engine, found]) => [engine, toMetrics(found)]));
}

type Samples = Map<string, number>;

function readPage(page: string): ReadonlyMap<string, Samples> {
  const engines = new Map<string, Samples>();
  for (const line of linesOf(page.slice(0, cap))) addSample(engines, line);
  return engines;
}

function mergeEngines(engines: Iterable<Samples>): Samples {
  const merged: Samples = new Map();
  for (const found of engines) for (const [name, value] of found) add(merged, name, value);
  return merged;
}

function toMetrics(found: Samples): EngineMetrics {
  const entries = Object.entries(names).flatMap(([field, candidates]) => {
    // Both names appear together while an old one is being phased out: the first one known counts, never their sum.
    const name = candidates.find((candidate) => found.has(candidate));
    return name === undefined ? [] : [[field, found.get(name)]];
  });
  return Object.fromEntries(entries);
}

/** Newest name first. */
const names: Readonly<Record<keyof EngineMetrics, readonly string[]>> = {
  running: ['num_requests_running'],
  waiting: ['num_requests_waiting'],
  kvUsage: ['kv_cache_usage_perc', 'gpu_cache_usage_perc'],
  promptTokens: ['prompt_tokens_total'],
  generationTokens: ['generation_tokens_total'],
  iterations: ['iteration_tokens_total_count'],
  requestsSucceeded: ['request_success_total'],
  prefixHits: ['prefix_cache_hits_total', 'gpu_prefix_cache_hits_total'],
  prefixQueries: ['prefix_cache_queries_total', 'gpu_prefix_cache_queries_total'],
  asleep: ['engine_sleep_state'],
};
const wanted: ReadonlySet<string> = new Set(Object.values(names).flat());
const prefix = 'vllm:';

/** A label's value may hold spaces, braces and escaped quotes. */
const samplePattern = /^(\w+)(?:\{((?:[^"}]|"(?:[^"\\]|\\.)*")*)\})?\s+(\S+)/;

function addSample(engines: Map<string, Samples>, line: string): void {
  const [, name = '', labels = '', text = ''] = samplePattern.exec(line.slice(prefix.length)) ?? [];
  const value = Number(text);
  if (!wanted.has(name) || text === '' || !Number.isFinite(value)) return;
  if (name === 'request_success_total' && /finished_reason="(?:abort|error)"/.test(labels)) return;
  if (name === 'engine_sleep_state' && /sleep_state="awake"/.test(labels)) return;
  const engine = /(?:^|,)engine="([^"]*)"/.exec(labels)?.[1] ?? '0';
  const found: Samples = engines.get(engine) ?? new Map();
  engines.set(engine, found);
  add(found, name, value);
}

function add(found: Samples, name: string, value: number): void {
  const before = found.get(name);
  if (before === undefined) found.set(name, value);
  else found.set(name, name.endsWith('cache_usage_perc') ? Math.max(before, value) : before + value);
}

function* linesOf(page: string): Generator<string> {
  for (let start = 0; start < page.length; ) {
    const end = page.indexOf('\n', start);
    // A last line without its end may be cut in the middle of a number.
    if (end < 0) return;
    if (page.startsWith(prefix, start)) yield page.slice(start, end);
    start = end + 1;
  }
}
