/** How long requests wait for their turn, from vLLM's `/metrics` page. Apart from metrics.ts: only who adapts asks. */

/** Summed over the engines of the server. */
export interface Queue {
  readonly waiting: number;
  /** Of all requests that got their turn, together. */
  readonly waitedSeconds: number;
  readonly served: number;
}

export interface QueueSeen extends Queue {
  /** Monotonic. */
  readonly atMs: number;
  /** Since then some wait and none got its turn. */
  readonly stuckSinceMs?: number;
}

/** Undefined where the page does not tell (`--disable-log-stats`). */
export function parseQueue(page: string): Queue | undefined {
  const waiting = sum(page, 'num_requests_waiting');
  const waitedSeconds = sum(page, 'request_queue_time_seconds_sum');
  const served = sum(page, 'request_queue_time_seconds_count');
  return waiting === undefined || waitedSeconds === undefined || served === undefined ? undefined : { waiting, waitedSeconds, served };
}

/** The mean wait of those that got their turn since the last page; where none did, how long some have been waiting. */
export function toQueueWait(
  before: QueueSeen | undefined,
  now: Queue & { readonly atMs: number },
): { readonly seen: QueueSeen; readonly waitSeconds: number | undefined } {
  if (before === undefined) return { seen: now, waitSeconds: undefined };
  // Counters that went down are those of another engine.
  const turns = now.served < before.served ? now.served : now.served - before.served;
  const waited = now.served < before.served ? now.waitedSeconds : now.waitedSeconds - before.waitedSeconds;
  const isStuck = turns === 0 && now.waiting > 0;
  const stuckSinceMs = isStuck ? (before.stuckSinceMs ?? before.atMs) : undefined;
  const stuckSeconds = stuckSinceMs === undefined ? 0 : (now.atMs - stuckSinceMs) / 1000;
  return {
    seen: { ...now, ...(stuckSinceMs === undefined ? {} : { stuckSinceMs }) },
    waitSeconds: turns > 0 ? Math.max(0, waited / turns) : stuckSeconds,
  };
}

function sum(page: string, name: string): number | undefined {
  const pattern = new RegExp(`^vllm:${name}(?:\\{.*\\})? (\\S+)$`, 'gm');
  const values = [...page.matchAll(pattern)].map(([, text]) => Number(text)).filter((value) => Number.isFinite(value));
  return values.length === 0 ? undefined : values.reduce((total, value) => total + value, 0);
}
