/**
 * Writes the history of the engine that serves: its own numbers from the pages that the progress watch reads anyway, and
 * what its processes take. While nothing serves, nothing is written. Nothing that goes wrong here may reach the
 * supervision: a full disk is said once, and what could not be written is gone.
 */
import { type Clock, systemClock, waitFor } from '../../core/clock.ts';
import { type Message, say } from '../../core/message.ts';
import { errnoOf } from '../../host/files.ts';
import type { LaunchRecord } from '../../runtime/runtime.ts';
import { isServing } from '../deployment.ts';
import type { State } from '../state.ts';
import { HistoryFile, type OpenHistory, toPending } from './file.ts';
import { type Level, levels, type Sample, toRolled, type Values } from './history.ts';
import { LaunchUse } from './launch-use.ts';
import { toLeakText } from './leak-text.ts';
import { findLeak, type Said, toNews, windowMs } from './leak-watch.ts';
import { type PageLook, parsePage, toLoadValues } from './values.ts';

export interface HistoryParts {
  readonly now: () => State;
  /** The deployment's own. */
  readonly directory: string;
  readonly onNote: (note: Message) => void;
  readonly clock?: Clock;
  /** What the processes of a launch take; `atMs` is monotonic. */
  readonly readUse?: (launch: LaunchRecord, atMs: number) => Promise<Values>;
  /** What is kept of a level, and where to. */
  readonly open?: (level: Level) => Promise<OpenHistory>;
  /** Memory that the machine has left. */
  readonly readAvailable?: () => number;
}

export interface HistoryKeeping {
  /** A page of `/metrics` of this run, as it was read. */
  takePage(page: string, run: number): void;
  /** Resolves when nothing is being written any more. */
  end(): Promise<void>;
}

export function keepHistory(parts: HistoryParts): HistoryKeeping {
  const keeper = new HistoryKeeper(parts);
  const over = new AbortController();
  const working = keeper.run(over.signal);
  return {
    takePage: (page, run) => keeper.takePage(page, run),
    async end() {
      over.abort();
      await working;
    },
  };
}

const [fine] = levels;
/** Looks may come four times a second; one in ten is read here. */
const pageEveryMs = fine.stepMs - 1000;
/** Numbers of an older page are not those of now. */
const oldPageMs = 25_000;
/** A day of minutes: what the leak watch looks at. */
const minutesKept = levels[1].count;

interface Load {
  readonly run: number;
  readonly look: PageLook;
  readonly values: Values;
}

class HistoryKeeper {
  private readonly parts: HistoryParts;
  private readonly clock: Clock;
  private readonly readUse: NonNullable<HistoryParts['readUse']>;
  private files: readonly OpenHistory['file'][] = [];
  /** For minutes and quarters: the finer samples that are to become the next one. */
  private pending: Sample[][] = [[], []];
  private minutes: Sample[] = [];
  private minutesSeen = 0;
  private said: Said | undefined;
  private load: Load | undefined;
  /** Problems are said once. */
  private readonly told = new Set<string>();

  constructor(parts: HistoryParts) {
    this.parts = parts;
    this.clock = parts.clock ?? systemClock;
    const use = new LaunchUse();
    this.readUse = parts.readUse ?? ((launch, atMs) => use.read(launch, atMs));
  }

  takePage(page: string, run: number): void {
    const atMs = this.clock.mono();
    const before = this.load?.run === run ? this.load.look : undefined;
    if (before && atMs - before.atMs < pageEveryMs) return;
    const look = parsePage(page, atMs);
    this.load = { run, look, values: toLoadValues(before, look) };
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.attempt(() => (this.files.length === 0 ? this.open() : undefined));
      await this.attempt(() => this.sample());
      await waitFor(fine.stepMs, signal, this.clock);
    }
  }

  private async open(): Promise<void> {
    const opened = await Promise.all(
      levels.map(this.parts.open ?? ((level) => HistoryFile.open(this.parts.directory, level, this.clock.wall()))),
    );
    for (const { kept } of opened) if (kept !== undefined) this.parts.onNote(say('life.history-lost', { kept }));
    this.files = opened.map(({ file }) => file);
    const [samples, minutes, quarters] = opened.map((one) => one.samples);
    this.minutes = [...(minutes ?? [])];
    const leak = findLeak(this.minutes);
    // The supervisor before this one has said it.
    if (leak) this.said = toNews(undefined, leak);
    this.pending = [[], [...toPending(quarters ?? [], minutes ?? [])]];
    // What it did not come to summing up any more.
    for (const sample of toPending(minutes ?? [], samples ?? [])) await this.continueMinutes(sample);
  }

  private async sample(): Promise<void> {
    const { life, launch, run } = this.parts.now();
    if (!isServing(life) || launch === undefined) return;
    const monoMs = this.clock.mono();
    const use = await this.readUse(launch, monoMs);
    const load = this.load?.run === run && monoMs - this.load.look.atMs <= oldPageMs ? this.load.values : {};
    const sample = { atMs: this.clock.wall(), run, values: { ...use, ...load } };
    if (Object.keys(sample.values).length === 0) return;
    await this.write(0, sample);
    await this.continueMinutes(sample);
  }

  private async continueMinutes(sample: Sample): Promise<void> {
    for (const minute of this.continueLevel(1, sample)) {
      this.minutes.push(minute);
      if (this.minutes.length > minutesKept) this.minutes.shift();
      this.watchLeak();
      await this.write(1, minute);
      for (const quarter of this.continueLevel(2, minute)) await this.write(2, quarter);
    }
  }

  /** The samples that this one has ended. */
  private continueLevel(level: 1 | 2, sample: Sample): readonly Sample[] {
    const { whole, open } = toRolled([...(this.pending[level - 1] ?? []), sample], levels[level].stepMs);
    this.pending[level - 1] = [...open];
    return whole;
  }

  /** Every ten minutes of samples. */
  private watchLeak(): void {
    this.minutesSeen += 1;
    if (this.minutesSeen % (windowMs / levels[1].stepMs) !== 0) return;
    const leak = findLeak(this.minutes);
    const news = leak && toNews(this.said, leak);
    if (leak === undefined || news === undefined) return;
    this.said = news;
    const availableBytes = (this.parts.readAvailable ?? (() => process.availableMemory()))();
    this.parts.onNote(toLeakText({ ...leak, startBytes: news.startBytes, startAtMs: news.startAtMs }, this.parts.now(), availableBytes));
  }

  /** What could not be written is gone from the files, and goes on in memory. */
  private async write(level: 0 | 1 | 2, sample: Sample): Promise<void> {
    await this.attempt(() => this.files[level]?.append(sample));
  }

  private async attempt(work: () => Promise<void> | undefined): Promise<void> {
    try {
      await work();
    } catch (error) {
      const problem = errnoOf(error) ?? (error instanceof Error ? error.message : String(error));
      if (this.told.has(problem)) return;
      this.told.add(problem);
      this.parts.onNote(say('life.history-unwritten', { problem }));
    }
  }
}
