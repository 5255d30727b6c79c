/** From two pages of `/metrics` to what the engine did in between. */
import { type Histogram, parseHistogram, toQuantile } from '../../vllm/histograms.ts';
import { type EngineMetrics, parseMetrics } from '../../vllm/metrics.ts';
import type { Values } from './history.ts';

/** What is kept of a page until the next one. */
export interface PageLook {
  /** Monotonic. */
  readonly atMs: number;
  readonly metrics: EngineMetrics;
  readonly ttft?: Histogram;
  readonly interToken?: Histogram;
}

export function parsePage(page: string, atMs: number): PageLook {
  const ttft = parseHistogram(page, ['time_to_first_token_seconds']);
  const interToken = parseHistogram(page, ['inter_token_latency_seconds', 'time_per_output_token_seconds']);
  return { atMs, metrics: parseMetrics(page), ...(ttft ? { ttft } : {}), ...(interToken ? { interToken } : {}) };
}

/** What needs two pages is absent without the first. A counter that went back says nothing: the engine began anew. */
export function toLoadValues(before: PageLook | undefined, now: PageLook): Values {
  const { kvUsage, running, waiting } = now.metrics;
  const since = (name: keyof EngineMetrics) => toDelta(before?.metrics[name], now.metrics[name]);
  const seconds = before === undefined ? 0 : (now.atMs - before.atMs) / 1000;
  const perSecond = (delta: number | undefined) => (delta === undefined || seconds <= 0 ? undefined : delta / seconds);
  const [hits, queries] = [since('prefixHits'), since('prefixQueries')];
  return withoutGaps({
    kvUsage,
    running,
    waiting,
    ttftP50Ms: toMedianMs(before?.ttft, now.ttft),
    interTokenP50Ms: toMedianMs(before?.interToken, now.interToken),
    generationTokensPerSecond: perSecond(since('generationTokens')),
    promptTokensPerSecond: perSecond(since('promptTokens')),
    prefixHitRate: hits === undefined || queries === undefined || queries === 0 ? undefined : hits / queries,
  });
}

function toDelta(before: number | undefined, now: number | undefined): number | undefined {
  return before === undefined || now === undefined || now < before ? undefined : now - before;
}

function toMedianMs(before: Histogram | undefined, now: Histogram | undefined): number | undefined {
  const seconds = before && now && toQuantile(0.5, before, now);
  return seconds === undefined ? undefined : seconds * 1000;
}

function withoutGaps(values: { readonly [name in keyof Values]: number | undefined }): Values {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
