/** The engine's own numbers for `status`: asked when somebody looks, at most once a second. */
import { fetchText } from '../host/http.ts';
import { NoReply } from '../host/no-reply.ts';
import { type EngineMetrics, parseMetrics } from '../vllm/metrics.ts';
import type { Deployment } from './deployment.ts';
import { toProbeHost } from './state.ts';

const freshMs = 1000;
const timeoutMs = 400;

interface Sample {
  readonly atMs: number;
  readonly metrics: EngineMetrics;
}

export class LoadMeter {
  private last: Sample | undefined;
  private shown: Deployment['load'];

  /** Undefined when the engine does not answer in time or exports no series of its own. */
  async read(endpoint: { readonly host: string; readonly port: number }): Promise<Deployment['load']> {
    const atMs = performance.now();
    if (this.last && atMs - this.last.atMs < freshMs) return this.shown;
    const metrics = await scrape(endpoint);
    if (metrics?.running === undefined) return undefined;
    const sample = { atMs, metrics };
    this.shown = {
      running: metrics.running,
      waiting: metrics.waiting ?? 0,
      kvUsage: metrics.kvUsage ?? 0,
      tokensPerSecond: toRate(this.last, sample),
    };
    this.last = sample;
    return this.shown;
  }
}

function toRate(before: Sample | undefined, now: Sample): number {
  const earlier = before?.metrics.generationTokens;
  const later = now.metrics.generationTokens;
  if (before === undefined || earlier === undefined || later === undefined || later < earlier) return 0;
  return ((later - earlier) * 1000) / (now.atMs - before.atMs);
}

async function scrape(endpoint: { readonly host: string; readonly port: number }): Promise<EngineMetrics | undefined> {
  try {
    const reply = await fetchText({ host: toProbeHost(endpoint.host), port: endpoint.port }, { path: '/metrics', timeoutMs });
    return reply.status === 200 ? parseMetrics(reply.text) : undefined;
  } catch (error) {
    if (error instanceof NoReply) return undefined;
    throw error;
  }
}
