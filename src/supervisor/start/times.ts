/**
 * How long starts of the same plan took, so that whoever waits knows how long that usually is. A small file for all
 * deployments: the last ten starts of the last plans. It is only ever a hint: one that cannot be read holds nothing.
 */
import { type Clock, systemClock } from '../../core/clock.ts';
import type { StartPhase } from '../../core/event.ts';
import { errnoOf, readTextFileNow, writeFileAtomic } from '../../host/files.ts';
import type { LaunchSpec } from '../../plan/launch-spec.ts';
import type { State } from '../state.ts';

export interface StartTime {
  readonly launchId: string;
  readonly totalMs: number;
  /** How long each phase lasted, as far as it was seen. */
  readonly phases: Readonly<Partial<Record<StartPhase, number>>>;
}

type Plans = Readonly<Record<string, readonly StartTime[]>>;

const schema = 1;
const startsKept = 10;
const plansKept = 40;

/** Two plans that differ in nothing but their port start alike. */
export function toFingerprint({ hash: _, endpoint, args, ...spec }: LaunchSpec): string {
  const others = args.filter((_word, index) => args[index - 1] !== '--port');
  const text = JSON.stringify([spec, endpoint.host, others]);
  // Loaded only here: whoever asks nothing of it need not wait for it.
  return process.getBuiltinModule('node:crypto').createHash('sha256').update(text).digest('hex').slice(0, 16);
}

export function readStartTimes(file: string): Plans {
  try {
    const found: unknown = JSON.parse(readTextFileNow(file) ?? '{}');
    const { schema: known, plans } = toFields(found);
    return known === schema ? Object.fromEntries(Object.entries(toFields(plans)).map(([key, times]) => [key, toTimes(times)])) : {};
  } catch (error) {
    if (!(error instanceof SyntaxError) && errnoOf(error) === undefined) throw error;
    return {};
  }
}

/** Adds a start; the plan that was started last is the last one in the file. */
export async function writeStartTime(file: string, fingerprint: string, time: StartTime): Promise<void> {
  const { [fingerprint]: before = [], ...others } = readStartTimes(file);
  if (before.some(({ launchId }) => launchId === time.launchId)) return;
  const kept = Object.entries(others).slice(1 - plansKept);
  const plans = Object.fromEntries([...kept, [fingerprint, [...before, time].slice(-startsKept)]]);
  await writeFileAtomic(file, `${JSON.stringify({ schema, plans })}\n`);
}

/** The median in whole seconds; undefined: never started before. */
export function toUsualSeconds(times: readonly StartTime[]): number | undefined {
  const sorted = times.map(({ totalMs }) => totalMs).toSorted((a, b) => a - b);
  const middle = sorted[Math.floor((sorted.length - 1) / 2)];
  const other = sorted[Math.ceil((sorted.length - 1) / 2)];
  return middle === undefined || other === undefined ? undefined : Math.max(1, Math.round((middle + other) / 2000));
}

/** Learns from every start that a supervisor sees. */
export class StartTimes {
  private readonly file: string;
  private readonly clock: Pick<Clock, 'wall'>;
  private readonly onProblem: (error: unknown) => void;
  private run = 0;
  private learned = '';
  private usual: number | undefined;
  private seen: readonly { readonly phase: StartPhase; readonly atMs: number }[] = [];

  constructor(file: string, { onProblem, clock = systemClock }: { readonly onProblem: (error: unknown) => void; readonly clock?: Clock }) {
    this.file = file;
    this.onProblem = onProblem;
    this.clock = clock;
  }

  /** Of the launch that was observed last. */
  get usuallySeconds(): number | undefined {
    return this.usual;
  }

  observe(state: State): void {
    const { life, run, phase } = state;
    if (run !== this.run) {
      this.run = run;
      this.seen = [];
      this.usual = toUsualSeconds(readStartTimes(this.file)[toFingerprint(state.wanted.spec)] ?? []);
    }
    if (life === 'starting' && phase !== undefined && this.seen.at(-1)?.phase !== phase) {
      this.seen = [...this.seen, { phase, atMs: this.clock.wall() }];
    }
    if (life === 'ready') this.learn(state);
  }

  private learn({ launch, startedAt, readyAt, wanted }: State): void {
    if (launch === undefined || launch.launchId === this.learned || startedAt === undefined || readyAt === undefined) return;
    this.learned = launch.launchId;
    const totalMs = Date.parse(readyAt) - Date.parse(startedAt);
    // The clock was set back meanwhile.
    if (!(totalMs > 0)) return;
    const ends = [...this.seen.slice(1).map(({ atMs }) => atMs), Date.parse(readyAt)];
    const phases = Object.fromEntries(this.seen.map(({ phase, atMs }, index) => [phase, Math.max(0, (ends[index] ?? atMs) - atMs)]));
    writeStartTime(this.file, toFingerprint(wanted.spec), { launchId: launch.launchId, totalMs, phases }).catch(this.onProblem);
  }
}

function toTimes(value: unknown): readonly StartTime[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((one: unknown) => {
    const { launchId, totalMs, phases } = toFields(one);
    const good = typeof launchId === 'string' && typeof totalMs === 'number' && totalMs > 0;
    const numbers = Object.entries(toFields(phases)).filter(([, ms]) => typeof ms === 'number');
    return good ? [{ launchId, totalMs, phases: Object.fromEntries(numbers) }] : [];
  });
}

function toFields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
