/**
 * When to try again after a failure. vLLM dies after 20 to 300 s (weights, graphs, KV check), so rules that look at
 * uptime never fire for it: the count goes back only after being *ready* for long (`stableAfterMs`).
 */
import type { RestartSettings } from '../../profile/profile.ts';

export type Verdict =
  | { readonly is: 'retry'; readonly delayMs: number }
  | { readonly is: 'crashloop'; readonly delayMs: number }
  | { readonly is: 'give-up' };

export interface FailureCount {
  /** Failures in a row, this one included. */
  readonly failures: number;
  /** Times of unasked restarts, ms since the epoch. */
  readonly restartTimes: readonly number[];
  readonly slowTries: number;
  readonly wallMs: number;
  readonly random: number;
}

const hourMs = 3_600_000;
/** However stable in between: more restarts than this in the window is a crash loop. */
const intensity = [
  { windowMs: hourMs, most: 6 },
  { windowMs: 24 * hourMs, most: 15 },
] as const;
/** Half-open tries of a crash loop, and how many there are before giving up for good (one day). */
const slowDelayMs = 30 * 60_000;
const slowTriesMost = 48;
/** No delay that was ever chosen is longer, unless a profile's own. */
export const longestDelayMs = slowDelayMs * 1.2;
/** Random share added to every delay, so that many deployments do not start in step. */
const jitter = 0.2;

export function chooseNextStart(count: FailureCount, settings: RestartSettings): Verdict {
  const spent = count.failures >= settings.maxFailures || intensity.some((limit) => exceeds(count, limit));
  if (!spent) return { is: 'retry', delayMs: withJitter(toLadderMs(count.failures, settings), count.random) };
  if (count.slowTries >= slowTriesMost) return { is: 'give-up' };
  return { is: 'crashloop', delayMs: withJitter(slowDelayMs, count.random) };
}

/** Failure 1 → the first delay (2 s), then five times that, doubling from there (10, 20, 40, …), capped. */
function toLadderMs(failures: number, settings: RestartSettings): number {
  const steps = failures <= 1 ? 1 : 5 * 2 ** (failures - 2);
  return Math.min(settings.firstDelayMs * steps, settings.maxDelayMs);
}

function exceeds(count: FailureCount, limit: { readonly windowMs: number; readonly most: number }): boolean {
  // Times to come are those of a clock that was set back since.
  return count.restartTimes.filter((at) => at > count.wallMs - limit.windowMs && at <= count.wallMs).length > limit.most;
}

function withJitter(delayMs: number, random: number): number {
  return Math.round(delayMs * (1 + jitter * random));
}
