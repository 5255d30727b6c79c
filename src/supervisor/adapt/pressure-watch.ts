/** Looks at machine, GPUs and queue of an engine that serves, and says when it is time for another profile. */
import { type Clock, waitFor } from '../../core/clock.ts';
import type { Pressure, PressureDirection, PressureName } from '../../core/pressure.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import { type CpuTicks, readCpuTicks, readGroupMemoryPercent, readMemoryPercent } from '../../host/usage.ts';
import { parseCpuList } from '../../plan/cpu-list.ts';
import type { AdaptSettings } from '../../profile/profile.ts';
import { parseQueue, type QueueSeen, toQueueWait } from '../../vllm/queue.ts';
import { type Endpoint, readEnginePage } from '../engine-page.ts';
import { type AdaptPast, judgePressure, toFirstAdaptMemory, toLimits } from './adapt.ts';

export interface PressureWatch {
  readonly settings: AdaptSettings;
  readonly past: AdaptPast;
  /** Linux CPU list of the engine; absent: all. */
  readonly cpus?: string;
  /** The control group that caps its memory, and its cap. */
  readonly cap?: { readonly directory: string; readonly bytes: number };
  /** UUIDs or indexes of its GPUs. */
  readonly gpus: readonly string[];
  readonly readGpus: () => Promise<readonly Gpu[]>;
  readonly endpoint: Endpoint;
  readonly clock: Clock;
  readonly random: () => number;
  /** Where /proc is found; `/` but for tests. */
  readonly root?: string;
}

export interface PressureReports {
  readonly onStep: (to: PressureDirection, because: readonly Pressure[]) => void;
  /** What is to be measured and cannot be seen; said once. */
  readonly onBlind: (what: readonly PressureName[]) => void;
}

const longestPauseMs = 15_000;
const shortestPauseMs = 250;
const looksPerHold = 4;
/** nvidia-smi may take a second, and wakes a GPU that sleeps. */
const gpuPauseMs = 30_000;
const gapsMost = 4;
/** A value that was not had again by then is not known any more. */
const oldMs = 90_000;
const blindAfterLooks = 4;
const pageLimitMs = 5000;

/** Until it is told to stop; a step ends the launch, and with it this. */
export async function watchPressure(watch: PressureWatch, reports: PressureReports, signal: AbortSignal): Promise<void> {
  const { settings, past, clock, random } = watch;
  const everyMs = Math.min(longestPauseMs, Math.max(shortestPauseMs, settings.forMs / looksPerHold));
  const eyes = new Eyes(watch);
  let memory = toFirstAdaptMemory(clock.mono());
  let told = '';
  await eyes.look(signal);
  await waitFor(everyMs * (0.5 + random()), signal, clock);
  for (let looks = 1; !signal.aborted; looks += 1) {
    const values = await eyes.look(signal);
    if (signal.aborted) return;
    const reading = { atMs: clock.mono(), wallMs: clock.wall(), values };
    const judged = judgePressure(memory, reading, { settings, past, mostGapMs: gapsMost * everyMs + gpuPauseMs });
    memory = judged.memory;
    const { verdict } = judged;
    // Told once each: who was told and does nothing has its reasons.
    const key = verdict.is === 'nothing' ? '' : `${verdict.is} ${verdict.to}`;
    if (verdict.is !== 'nothing' && key !== told) reports.onStep(verdict.to, verdict.because);
    told = key;
    if (looks === blindAfterLooks) reportBlind(settings, values, reports);
    await waitFor(everyMs, signal, clock);
  }
}

function reportBlind(settings: AdaptSettings, values: Values, { onBlind }: PressureReports): void {
  const unseen = toLimits(settings).flatMap(({ what }) => (values[what] === undefined ? [what] : []));
  if (unseen.length > 0) onBlind(unseen);
}

type Values = Readonly<Partial<Record<PressureName, number>>>;

interface Sight {
  readonly value: number;
  readonly atMs: number;
}

/** Keeps what rates are made of, and the last value of each for a while. */
class Eyes {
  private readonly watch: PressureWatch;
  private readonly wanted: ReadonlySet<PressureName>;
  private readonly last = new Map<PressureName, Sight>();
  private ticks: CpuTicks | undefined;
  private queue: QueueSeen | undefined;
  private gpusAtMs = Number.NEGATIVE_INFINITY;

  constructor(watch: PressureWatch) {
    this.watch = watch;
    this.wanted = new Set(toLimits(watch.settings).map(({ what }) => what));
  }

  async look(signal: AbortSignal): Promise<Values> {
    const { clock } = this.watch;
    const wants = (what: PressureName) => this.wanted.has(what);
    if (wants('cpu')) this.note('cpu', await this.readCpu());
    if (wants('host-memory')) this.note('host-memory', await this.readMemory());
    if (wants('gpu-memory') || wants('gpu-temperature')) await this.lookAtGpus();
    if (wants('queue-wait')) await this.lookAtQueue(signal);
    const now = clock.mono();
    return Object.fromEntries([...this.last].flatMap(([what, { value, atMs }]) => (now - atMs > oldMs ? [] : [[what, value]])));
  }

  private note(what: PressureName, value: number | undefined): void {
    if (value !== undefined && this.wanted.has(what)) this.last.set(what, { value, atMs: this.watch.clock.mono() });
  }

  private async readCpu(): Promise<number | undefined> {
    const { cpus, root } = this.watch;
    const before = this.ticks;
    const now = await readCpuTicks(cpus === undefined ? undefined : parseCpuList(cpus), root);
    // Shorter than a few ticks of the kernel's clock says nothing.
    if (now === undefined || (before !== undefined && now.all - before.all < 5)) return undefined;
    this.ticks = now;
    return before === undefined ? undefined : (100 * (now.busy - before.busy)) / (now.all - before.all);
  }

  private readMemory(): Promise<number | undefined> {
    const { cap, root } = this.watch;
    return cap === undefined ? readMemoryPercent(root) : readGroupMemoryPercent(cap.directory, cap.bytes);
  }

  private async lookAtGpus(): Promise<void> {
    const { clock, gpus: own, readGpus } = this.watch;
    if (clock.mono() - this.gpusAtMs < gpuPauseMs) return;
    this.gpusAtMs = clock.mono();
    const all = await readGpus();
    const ours = own.length === 0 ? all : all.filter(({ uuid, index }) => own.includes(uuid ?? '') || own.includes(String(index)));
    this.note(
      'gpu-memory',
      toMost(
        ours.map(({ memoryUsedBytes, memoryTotalBytes }) => (100 * (memoryUsedBytes ?? Number.NaN)) / (memoryTotalBytes ?? Number.NaN)),
      ),
    );
    this.note('gpu-temperature', toMost(ours.map(({ temperatureC }) => temperatureC ?? Number.NaN)));
  }

  private async lookAtQueue(signal: AbortSignal): Promise<void> {
    const { endpoint, clock } = this.watch;
    // Saturated, or just ending: nothing is known, and others judge that.
    const page = await readEnginePage(endpoint, '/metrics', { timeoutMs: pageLimitMs, signal });
    const queue = page.is === 'page' ? parseQueue(page.text) : undefined;
    if (queue === undefined) return;
    const { seen, waitSeconds } = toQueueWait(this.queue, { ...queue, atMs: clock.mono() });
    this.queue = seen;
    this.note('queue-wait', waitSeconds);
  }
}

function toMost(values: readonly number[]): number | undefined {
  const known = values.filter((value) => Number.isFinite(value));
  return known.length === 0 ? undefined : Math.max(...known);
}
