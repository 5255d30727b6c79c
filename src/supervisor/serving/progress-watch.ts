/** Looks at a ready engine again and again with the watchdog's eyes, and asks for the tokens that it wants. */
import type { Clock } from '../../core/clock.ts';
import { waitFor } from '../../core/clock.ts';
import type { StallCause } from '../../core/event.ts';
import { readMemoryPressure } from '../../host/pressure.ts';
import { type EngineMetrics, parseMetricsByEngine } from '../../vllm/metrics.ts';
import { readEnginePage } from '../engine-page.ts';
import { readOpenRequests } from '../open-requests.ts';
import { type ProbeTarget, probeOnce, watchOurselves } from '../probes.ts';
import { createSuspendedReader } from './suspended.ts';
import {
  type EngineLook,
  jitterCanary,
  type Look,
  lookAgain,
  noteToken,
  toFirstWatch,
  type WatchSettings,
  type WatchTask,
} from './watchdog.ts';

export interface ProgressReports {
  /** Something moved since the last look. */
  readonly onProgress: () => void;
  /** Undefined: it is itself again. */
  readonly onSlow: (reason: string | undefined) => void;
  /** The last word about this launch. */
  readonly onStall: (cause: StallCause, forMs: number) => void;
  /** Each page that was read, for the crash bundle. */
  readonly onPage: (page: string) => void;
}

export interface ProgressWatch {
  readonly target: ProbeTarget;
  readonly settings: WatchSettings;
  readonly clock: Clock;
  readonly random: () => number;
  /** Asked when the engine does not answer: whether somebody has stopped all of its processes. */
  readonly isPaused?: () => Promise<boolean>;
  /** The kernel's file, or one of a test. */
  readonly pressureFile?: string;
}

/** Percent of the time in which every task of the machine waited for memory. */
const thrashingPercent = 50;
const longestPageMs = 5000;
const longestLookMs = 10_000;
const shortestLookMs = 250;
/** Budget, one look and one token (a quarter) are then 156 s by default: a frozen engine is found within 160 s. */
const looksPerStall = 20;
const longestTokenMs = 30_000;
const tokensPerStall = 4;

/** Ends with the first verdict, or when it is told to. */
export async function watchProgress(watch: ProgressWatch, reports: ProgressReports, signal: AbortSignal): Promise<void> {
  const { settings, clock, random } = watch;
  const everyMs = clamp(settings.stallAfterMs / looksPerStall, shortestLookMs, longestLookMs);
  let state = toFirstWatch(clock.mono(), settings);
  let told: { readonly slow: string | undefined } | undefined;
  const isSuspended = createSuspendedReader(watch.target);
  await waitFor(everyMs * random(), signal, clock);
  while (!signal.aborted) {
    const look = await observe(watch, { lastMs: state.lookedAtMs, everyMs, onPage: reports.onPage, isSuspended }, signal);
    if (signal.aborted) return;
    const step = lookAgain(state, look, settings);
    state = step.state;
    if (step.progressed) reports.onProgress();
    const { task } = step;
    if (task.is === 'verdict') return reports.onStall(task.cause, task.forMs);
    // The first time in any case: a watch before this one may have called it slow, and cannot take that back any more.
    if (told === undefined || step.slow !== told.slow) reports.onSlow(step.slow);
    told = { slow: step.slow };
    if (task.is === 'ask') {
      const token = await askForToken(watch, task, signal);
      if (token !== undefined) state = jitterCanary(noteToken(state, token, settings), random(), settings);
      if (token?.came) reports.onProgress();
      if (token !== undefined && !token.came) continue;
    }
    await waitFor(everyMs, signal, clock);
  }
}

interface LookOptions {
  readonly lastMs: number;
  readonly everyMs: number;
  readonly onPage: (page: string) => void;
  readonly isSuspended: ReturnType<typeof createSuspendedReader>;
}

async function observe(watch: ProgressWatch, options: LookOptions, signal: AbortSignal): Promise<Look> {
  const { lastMs, everyMs, onPage, isSuspended } = options;
  const limits = { timeoutMs: toPageLimit(watch.settings), signal };
  const { outcome, stoodStill } = await watchOurselves(async () => {
    const [page, open, suspended = false] = await Promise.all([
      readEnginePage(watch.target, '/metrics', limits),
      readOpenRequests(watch.target, limits),
      isSuspended(signal),
    ]);
    return { page, open, suspended };
  });
  const { page, open, suspended } = outcome;
  const atMs = watch.clock.mono();
  // A look that came much too late: the machine was suspended, or we were.
  const late = atMs - lastMs > everyMs + longestTokenMs + longestPageMs + longestLookMs;
  const thrashing = ((await readMemoryPressure(watch.pressureFile)) ?? 0) > thrashingPercent;
  const shared = { atMs, stoodStill: stoodStill || late, thrashing, ...(open === undefined ? {} : { open }) };
  if (page.is === 'none') return { ...shared, problem: `/metrics: ${page.problem}`, paused: (await watch.isPaused?.()) ?? false };
  onPage(page.text);
  const engines = [...parseMetricsByEngine(page.text)];
  return {
    ...shared,
    engines: engines.map(([engine, metrics]) => toEngineLook(engine, metrics)),
    asleep: engines.some(([, { asleep = 0 }]) => asleep > 0),
    suspended,
  };
}

function toEngineLook(engine: string, metrics: EngineMetrics): EngineLook {
  const { running = 0, waiting = 0, iterations = 0, generationTokens = 0, promptTokens = 0, requestsSucceeded = 0 } = metrics;
  return {
    engine,
    unfinished: running + waiting,
    progress: iterations + generationTokens + promptTokens + requestsSucceeded,
    promptTokens,
  };
}

type Token = Parameters<typeof noteToken>[1];

async function askForToken(
  { target, settings, clock }: ProgressWatch,
  { because }: Extract<WatchTask, { is: 'ask' }>,
  signal: AbortSignal,
): Promise<Token | undefined> {
  const timeoutMs = clamp(settings.stallAfterMs / tokensPerStall, shortestLookMs, longestTokenMs);
  // Without the key's value the answer is 401, which the API server gives without its engine.
  if (target.needsKey && (await target.apiKey()) === undefined) return undefined;
  const { outcome, stoodStill } = await watchOurselves(() => probeOnce(target, 'completion', { timeoutMs, signal }));
  if (signal.aborted) return undefined;
  if (outcome.passed) return { came: true, because, atMs: clock.mono() };
  // A refusal, a broken connection or an error in words is a matter of others; only silence is held against it.
  return stoodStill || outcome.detail !== 'ETIMEDOUT' ? undefined : { came: false, because, atMs: clock.mono() };
}

/** Whoever wants to know within seconds does not wait five for a page. */
function toPageLimit({ stallAfterMs }: WatchSettings): number {
  return clamp(stallAfterMs, shortestLookMs, longestPageMs);
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
