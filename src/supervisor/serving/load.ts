/** The engine's own numbers for `status`: sampled with every probe and when somebody looks, so that a look need not wait. */
import { type EngineMetrics, parseMetrics } from '../../vllm/metrics.ts';
import type { Deployment } from '../deployment.ts';
import { type Endpoint, readEnginePage } from '../engine-page.ts';

/** Younger numbers are not asked for again. */
const freshMs = 1000;
/** Older ones are not shown: whoever looks waits for new ones. */
const oldMs = 12_000;
const timeoutMs = 400;

interface Sample {
  readonly atMs: number;
  readonly metrics: EngineMetrics;
}

export class LoadMeter {
  private last: Sample | undefined;
  private shown: Deployment['load'];
  private asking: Promise<void> | undefined;

  /** Undefined when the engine does not answer in time or exports no series of its own. */
  async read(endpoint: Endpoint): Promise<Deployment['load']> {
    const asked = this.sample(endpoint);
    if (this.last === undefined || performance.now() - this.last.atMs > oldMs) await asked;
    return this.shown;
  }

  /** Does nothing while the last numbers are fresh, or are just being asked for. */
  async sample(endpoint: Endpoint): Promise<void> {
    if (this.last && performance.now() - this.last.atMs < freshMs) return;
    this.asking ??= this.ask(endpoint).finally(() => {
      this.asking = undefined;
    });
    await this.asking;
  }

  private async ask(endpoint: Endpoint): Promise<void> {
    const metrics = await scrape(endpoint);
    if (metrics?.running === undefined) {
      this.last = undefined;
      this.shown = undefined;
      return;
    }
    const sample = { atMs: performance.now(), metrics };
    this.shown = {
      running: metrics.running,
      waiting: metrics.waiting ?? 0,
      kvUsage: metrics.kvUsage ?? 0,
      tokensPerSecond: toRate(this.last, sample),
    };
    this.last = sample;
  }
}

function toRate(before: Sample | undefined, now: Sample): number {
  const earlier = before?.metrics.generationTokens;
  const later = now.metrics.generationTokens;
  if (before === undefined || earlier === undefined || later === undefined || later < earlier) return 0;
  return ((later - earlier) * 1000) / (now.atMs - before.atMs);
}

async function scrape(endpoint: Endpoint): Promise<EngineMetrics | undefined> {
  const page = await readEnginePage(endpoint, '/metrics', { timeoutMs });
  return page.is === 'page' ? parseMetrics(page.text) : undefined;
}
