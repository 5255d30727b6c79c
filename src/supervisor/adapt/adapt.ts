/**
 * When to step to a lighter profile, and when back. Pure: (what was seen so far, one reading) → the same a moment
 * later, and a verdict. Made so that it cannot flap: a limit must be reached for a while without a break, the way back
 * begins well below it and takes longer, a step is followed by rest, and a day has only so many of them. What cannot be
 * read is no evidence: it makes no step, in neither direction.
 */
import type { Pressure, PressureDirection, PressureName } from '../../core/pressure.ts';
import type { AdaptSettings } from '../../profile/profile.ts';

export interface PressureReading {
  /** Monotonic. */
  readonly atMs: number;
  readonly wallMs: number;
  /** Absent: not known at this moment. */
  readonly values: Readonly<Partial<Record<PressureName, number>>>;
}

export interface AdaptMemory {
  readonly beganAtMs: number;
  readonly readAtMs: number;
  /** Since then without a break at or above its limit. */
  readonly overSinceMs: Readonly<Partial<Record<PressureName, number>>>;
  /** Since then everything is well below its limit. */
  readonly calmSinceMs?: number;
}

export type AdaptVerdict =
  | { readonly is: 'nothing' }
  /** `spent`: it would be one, and the day has had as many as it may have. */
  | { readonly is: 'step' | 'spent'; readonly to: PressureDirection; readonly because: readonly Pressure[] };

/** What there is to step to, and what was done before. */
export interface AdaptPast {
  readonly canGo: Readonly<Record<PressureDirection, boolean>>;
  /** Times of steps, ISO. */
  readonly steps: readonly string[];
}

export interface Judging {
  readonly settings: AdaptSettings;
  readonly past: AdaptPast;
  /** Readings further apart than this say nothing of the time between them. */
  readonly mostGapMs: number;
}

const dayMs = 24 * 3_600_000;

export function toFirstAdaptMemory(atMs: number): AdaptMemory {
  return { beganAtMs: atMs, readAtMs: atMs, overSinceMs: {} };
}

export function judgePressure(
  before: AdaptMemory,
  reading: PressureReading,
  { settings, past, mostGapMs }: Judging,
): { readonly memory: AdaptMemory; readonly verdict: AdaptVerdict } {
  const { atMs } = reading;
  const limits = toLimits(settings);
  // We did not look for a while: starved, or suspended.
  const known: AdaptMemory = atMs - before.readAtMs > mostGapMs ? { ...toFirstAdaptMemory(atMs), beganAtMs: before.beganAtMs } : before;
  const over = limits.filter(({ what, limit }) => (reading.values[what] ?? Number.NEGATIVE_INFINITY) >= limit);
  const overSinceMs = Object.fromEntries(over.map(({ what }) => [what, known.overSinceMs[what] ?? atMs]));
  const share = settings.backBelowPercent / 100;
  const isCalm = limits.every(({ what, limit }) => (reading.values[what] ?? Number.POSITIVE_INFINITY) < limit * share);
  const calmSinceMs = isCalm ? (known.calmSinceMs ?? atMs) : undefined;
  const { beganAtMs } = known;
  const memory: AdaptMemory = { beganAtMs, readAtMs: atMs, overSinceMs, ...(calmSinceMs === undefined ? {} : { calmSinceMs }) };
  const held = over.filter(({ what }) => atMs - (memory.overSinceMs[what] ?? atMs) >= settings.forMs);
  const toPressure = (scale: number) => (one: Limit) => ({ ...one, limit: one.limit * scale, value: reading.values[one.what] ?? 0 });
  const isOver = calmSinceMs !== undefined && atMs - calmSinceMs >= settings.backAfterMs;
  const wish: AdaptVerdict =
    held.length > 0 && past.canGo.lighter
      ? { is: 'step', to: 'lighter', because: held.map(toPressure(1)) }
      : isOver && past.canGo.back
        ? { is: 'step', to: 'back', because: limits.map(toPressure(share)) }
        : { is: 'nothing' };
  return { memory, verdict: wish.is === 'nothing' ? wish : restrain(wish, { settings, past, reading, beganAtMs }) };
}

interface Restraint extends Pick<Judging, 'settings' | 'past'> {
  readonly reading: PressureReading;
  readonly beganAtMs: number;
}

function restrain(wish: AdaptVerdict, { settings, past, reading, beganAtMs }: Restraint): AdaptVerdict {
  const may = mayStep(past.steps, settings, reading.wallMs);
  if (may === 'rest' || wish.is === 'nothing') return { is: 'nothing' };
  // A clock that was set tells nothing of the time since the last step; then what we have seen ourselves counts.
  const last = Date.parse(past.steps.at(-1) ?? '');
  const isUnsure = last > reading.wallMs && reading.atMs - beganAtMs < settings.leastStayMs;
  return isUnsure ? { is: 'nothing' } : { ...wish, is: may === 'spent' ? 'spent' : 'step' };
}

/** Whether another step may be made now: not soon after the last one, and not too many a day. */
export function mayStep(steps: readonly string[], { leastStayMs, mostSteps }: AdaptSettings, wallMs: number): 'yes' | 'rest' | 'spent' {
  const times = steps.map((at) => Date.parse(at)).filter((at) => at <= wallMs);
  if (times.some((at) => wallMs - at < leastStayMs)) return 'rest';
  return times.filter((at) => wallMs - at < dayMs).length >= mostSteps ? 'spent' : 'yes';
}

/** Those of the last day, and this one. */
export function withStep(steps: readonly string[], wallMs: number): readonly string[] {
  return [...steps.filter((at) => Date.parse(at) > wallMs - dayMs), new Date(wallMs).toISOString()];
}

interface Limit {
  readonly what: PressureName;
  readonly limit: number;
}

export function toLimits({ when }: AdaptSettings): readonly Limit[] {
  const wait = when.queueWaitMs;
  const all: readonly (readonly [PressureName, number | undefined])[] = [
    ['cpu', when.cpuPercent],
    ['host-memory', when.hostMemoryPercent],
    ['gpu-memory', when.gpuMemoryPercent],
    ['gpu-temperature', when.gpuTemperature],
    ['queue-wait', wait === undefined ? undefined : wait / 1000],
  ];
  return all.flatMap(([what, limit]) => (limit === undefined ? [] : [{ what, limit }]));
}
