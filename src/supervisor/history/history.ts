/**
 * The history of an engine's own numbers. Pure: what a sample is, how many fine ones become a coarse one, and for how
 * long each kind is kept. A moment that nobody saw is no sample: gaps are gaps, never zeros.
 */

/** How several values of one series become one. `most`: short queues must not vanish in a mean. */
type Rule = 'mean' | 'median' | 'most';

const rules = {
  /** Resident memory, summed up over the processes of the launch; pages that they share count for each. */
  rssBytes: 'median',
  /** Of one CPU: two busy ones are 200. */
  cpuPercent: 'mean',
  /** 0–1. */
  kvUsage: 'most',
  running: 'most',
  waiting: 'most',
  /** Of the requests since the sample before; absent when there were none. */
  ttftP50Ms: 'median',
  interTokenP50Ms: 'median',
  generationTokensPerSecond: 'mean',
  promptTokensPerSecond: 'mean',
  /** 0–1: tokens of prompts that were found in the prefix cache. Absent when there were no prompts. */
  prefixHitRate: 'mean',
} as const satisfies Readonly<Record<string, Rule>>;

export type Series = keyof typeof rules;

/** In the order of the files' records: new ones go to the end. */
export const seriesNames: readonly Series[] = [
  'rssBytes',
  'cpuPercent',
  'kvUsage',
  'running',
  'waiting',
  'ttftP50Ms',
  'interTokenP50Ms',
  'generationTokensPerSecond',
  'promptTokensPerSecond',
  'prefixHitRate',
];

export type Values = Readonly<Partial<Record<Series, number>>>;

export interface Sample {
  /** Milliseconds since the Unix epoch: of a coarse sample, the end of what it is made of. */
  readonly atMs: number;
  /** Number of the launch. */
  readonly run: number;
  readonly values: Values;
}

export interface Level {
  readonly stepMs: number;
  /** Samples that are kept. */
  readonly count: number;
  readonly file: string;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** Finest first: an hour, a day, thirty days. */
export const levels: readonly [fine: Level, minutes: Level, quarters: Level] = [
  { stepMs: 10_000, count: 360, file: 'history-10s.bin' },
  { stepMs: minuteMs, count: dayMs / minuteMs, file: 'history-1m.bin' },
  { stepMs: 15 * minuteMs, count: (30 * dayMs) / (15 * minuteMs), file: 'history-15m.bin' },
];

/** Index of the finest level that reaches back so far. */
export function chooseLevel(sinceMs: number): 0 | 1 | 2 {
  if (sinceMs <= hourMs) return 0;
  return sinceMs <= dayMs ? 1 : 2;
}

/** One sample of several, of one run. */
export function rollUp(samples: readonly Sample[]): Sample {
  const last = samples.at(-1) ?? { atMs: 0, run: 0 };
  const entries = seriesNames.flatMap((series) => {
    const found = toFound(samples, series);
    return found.length === 0 ? [] : [[series, combine(found, rules[series])] as const];
  });
  return { atMs: last.atMs, run: last.run, values: Object.fromEntries(entries) };
}

export interface Rolled {
  readonly whole: readonly Sample[];
  /** Samples of the step that may still go on. */
  readonly open: readonly Sample[];
}

/** Fine samples, in their order, as coarse ones: one for each step and run. */
export function toRolled(samples: readonly Sample[], stepMs: number): Rolled {
  const whole: Sample[] = [];
  let open: Sample[] = [];
  for (const sample of samples) {
    const [first] = open;
    if (first && !isTogether(first, sample, stepMs)) {
      whole.push(rollUp(open));
      open = [];
    }
    open.push(sample);
  }
  return { whole, open };
}

export interface SeriesSummary {
  readonly min: number;
  readonly median: number;
  readonly max: number;
  /** Of the newest sample; absent when that one is old or does not have it. */
  readonly now?: number;
}

export type Summary = Readonly<Partial<Record<Series, SeriesSummary>>>;

/** `freshMs`: a newest sample before that says nothing of now. */
export function toSummary(samples: readonly Sample[], freshMs: number): Summary {
  const last = samples.at(-1);
  const entries = seriesNames.flatMap((series) => {
    const found = toFound(samples, series);
    if (found.length === 0) return [];
    const now = last && last.atMs >= freshMs ? last.values[series] : undefined;
    const summary = { min: Math.min(...found), median: toMedian(found), max: Math.max(...found), ...(now === undefined ? {} : { now }) };
    return [[series, summary] as const];
  });
  return Object.fromEntries(entries);
}

export function toMedian(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

function isTogether(a: Sample, b: Sample, stepMs: number): boolean {
  return a.run === b.run && Math.floor(a.atMs / stepMs) === Math.floor(b.atMs / stepMs);
}

function toFound(samples: readonly Sample[], series: Series): readonly number[] {
  return samples.flatMap(({ values: { [series]: value } }) => (value === undefined ? [] : [value]));
}

function combine(values: readonly number[], rule: Rule): number {
  switch (rule) {
    case 'mean':
      return values.reduce((sum, value) => sum + value, 0) / values.length;
    case 'median':
      return toMedian(values);
    case 'most':
      return Math.max(...values);
  }
}
