/**
 * Whether an engine's memory grows without end. Pure: samples of one minute each in, a leak or none out; nothing is ever
 * done about one but saying so.
 *
 *   minutes → medians of ten → without the first hour → at least three hours of them, the last six
 *   → slope (median of the slopes between all pairs, Theil–Sen) above the limit
 *   ∧ nearly every median above the one before it
 *   ∧ the load did not rise along with it                                                          → leak
 *
 * Medians make single peaks harmless, the second condition steps and saw teeth, the third one an engine that is asked
 * more and more. Wall clocks step: a step back counts as a minute, a step forward as time, which makes slopes less steep.
 */
import { type Sample, toMedian } from './history.ts';

export interface Leak {
  readonly run: number;
  /** The first of the medians that were looked at. */
  readonly startBytes: number;
  readonly startAtMs: number;
  readonly nowBytes: number;
  readonly nowAtMs: number;
  readonly bytesPerHour: number;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
export const windowMs = 10 * minuteMs;
const warmUpWindows = hourMs / windowMs;
const leastWindows = (3 * hourMs) / windowMs;
const mostWindows = (6 * hourMs) / windowMs;
/** Minutes that a window must have. */
const leastMinutes = 5;
const leastSlope = 64 * 2 ** 20;
const leastShare = 0.02;
const leastRises = 0.8;
/** Rank correlation with time (Kendall): above it, the load rises too. */
const risingLoad = 0.6;

/** `samples`: of a minute each, in their order; those of the last run count. */
export function findLeak(samples: readonly Sample[]): Leak | undefined {
  const run = samples.at(-1)?.run;
  const windows = toWindows(samples.filter((sample) => sample.run === run))
    .filter(({ index }) => index >= warmUpWindows)
    .slice(-mostWindows);
  const [first, last] = [windows[0], windows.at(-1)];
  if (run === undefined || first === undefined || last === undefined || windows.length < leastWindows) return undefined;
  const bytesPerHour = toSlope(windows);
  if (bytesPerHour <= Math.max(leastSlope, leastShare * last.rssBytes)) return undefined;
  if (toRises(windows) < leastRises || isExplained(windows)) return undefined;
  return { run, startBytes: first.rssBytes, startAtMs: first.atMs, nowBytes: last.rssBytes, nowAtMs: last.atMs, bytesPerHour };
}

/** What was said of a run's leak, so that it is not said again before it has doubled. */
export interface Said {
  readonly run: number;
  readonly startBytes: number;
  readonly startAtMs: number;
  readonly growthBytes: number;
}

/** What to remember once this leak is said; undefined: there is nothing new to say. */
export function toNews(said: Said | undefined, leak: Leak): Said | undefined {
  const before = said?.run === leak.run ? said : undefined;
  // The first look's beginning stays: later looks do not reach back so far.
  const { startBytes, startAtMs } = before ?? leak;
  const growthBytes = leak.nowBytes - startBytes;
  if (before && growthBytes < 2 * before.growthBytes) return undefined;
  return { run: leak.run, startBytes, startAtMs, growthBytes };
}

export interface Room {
  /** Memory of the machine that can still be had. */
  readonly availableBytes: number;
  /** What the launch may take at most, where that is enforced. */
  readonly capBytes?: number;
}

export interface End {
  readonly of: 'machine' | 'cap';
  readonly inMs: number;
}

/** Which end comes first, and when. */
export function toEnd({ nowBytes, bytesPerHour }: Leak, { availableBytes, capBytes }: Room): End {
  const left = capBytes === undefined ? Number.POSITIVE_INFINITY : Math.max(0, capBytes - nowBytes);
  const inMs = (bytes: number) => (bytes / bytesPerHour) * hourMs;
  return left < availableBytes ? { of: 'cap', inMs: inMs(left) } : { of: 'machine', inMs: inMs(availableBytes) };
}

interface Window {
  /** Windows since the run's first sample. */
  readonly index: number;
  readonly hours: number;
  readonly atMs: number;
  readonly rssBytes: number;
  readonly requests: number;
  readonly tokens: number;
}

function toWindows(samples: readonly Sample[]): readonly Window[] {
  const groups = new Map<number, Sample[]>();
  let elapsedMs = 0;
  let before: Sample | undefined;
  for (const sample of samples) {
    if (sample.values.rssBytes === undefined) continue;
    if (before) elapsedMs += sample.atMs > before.atMs ? sample.atMs - before.atMs : minuteMs;
    before = sample;
    const index = Math.floor(elapsedMs / windowMs);
    groups.set(index, [...(groups.get(index) ?? []), sample]);
  }
  return [...groups].filter(([, group]) => group.length >= leastMinutes).map(([index, group]) => toWindow(index, group));
}

function toWindow(index: number, group: readonly Sample[]): Window {
  const median = (read: (values: Sample['values']) => number | undefined) => toMedian(group.map(({ values }) => read(values) ?? 0));
  return {
    index,
    hours: (index * windowMs) / hourMs,
    atMs: group.at(-1)?.atMs ?? 0,
    rssBytes: median(({ rssBytes }) => rssBytes),
    requests: median(({ running = 0, waiting = 0 }) => running + waiting),
    tokens: median(({ generationTokensPerSecond = 0, promptTokensPerSecond = 0 }) => generationTokensPerSecond + promptTokensPerSecond),
  };
}

/** Bytes per hour. */
function toSlope(windows: readonly Window[]): number {
  return toMedian(toPairs(windows).map(([a, b]) => (b.rssBytes - a.rssBytes) / (b.hours - a.hours)));
}

function toRises(windows: readonly Window[]): number {
  const rises = windows.slice(1).filter(({ rssBytes }, index) => rssBytes > (windows[index]?.rssBytes ?? 0));
  return rises.length / (windows.length - 1);
}

function isExplained(windows: readonly Window[]): boolean {
  return toTrend(windows.map(({ requests }) => requests)) >= risingLoad || toTrend(windows.map(({ tokens }) => tokens)) >= risingLoad;
}

/** 1: each value is above all before it, −1: below, 0: neither. */
function toTrend(values: readonly number[]): number {
  const signs = toPairs(values).map(([a, b]) => Math.sign(b - a));
  return signs.reduce((sum, sign) => sum + sign, 0) / Math.max(1, signs.length);
}

function toPairs<T>(items: readonly T[]): readonly (readonly [T, T])[] {
  return items.flatMap((a, index) => items.slice(index + 1).map((b) => [a, b] as const));
}
