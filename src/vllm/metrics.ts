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
}

/** More than any page seen (0.25 MB); the rest of a longer one is not read. */
const cap = 4 * 2 ** 20;

/** Total: lines that are not understood are passed over. */
export function parseMetrics(page: string): EngineMetrics {
  const found = new Map<string, number>();
  for (const line of linesOf(page.slice(0, cap))) addSample(found, line);
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
};
const wanted: ReadonlySet<string> = new Set(Object.values(names).flat());
const prefix = 'vllm:';

/** A label's value may hold spaces, braces and escaped quotes. */
const samplePattern = /^(\w+)(?:\{((?:[^"}]|"(?:[^"\\]|\\.)*")*)\})?\s+(\S+)/;

function addSample(found: Map<string, number>, line: string): void {
  const [, name = '', labels = '', text = ''] = samplePattern.exec(line.slice(prefix.length)) ?? [];
  const value = Number(text);
  if (!wanted.has(name) || text === '' || !Number.isFinite(value)) return;
  if (name === 'request_success_total' && /finished_reason="(?:abort|error)"/.test(labels)) return;
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
