/** Looks at a starting engine again and again: for signs of life, and for the bytes of a model that is being fetched. */
import { type Clock, waitFor } from '../../core/clock.ts';
import type { StartPhase, StartStallCause } from '../../core/event.ts';
import { toSizeText } from '../../core/units.ts';
import { readProcessEnvironment } from '../../host/proc-io.ts';
import type { LaunchSpec } from '../../plan/launch-spec.ts';
import type { LaunchRecord } from '../../runtime/runtime.ts';
import { watchOurselves } from '../probes.ts';
import { DownloadMeter, type DownloadNews, type ModelFolder, observeModelFolder, readIndexBytes, toModelDirectory } from './download.ts';
import type { StartLog } from './log-reader.ts';
import { StartSigns, type Watched } from './signs.ts';
import { judgeStart, type StallSettings, toFirstStall } from './stall.ts';

export interface StartStall {
  readonly cause: StartStallCause;
  readonly forMs: number;
  /** Where it stands: the last line of the log that was new, or how far the download came. */
  readonly detail: string;
}

export interface LifeReports {
  /** A sign of life; told now and then while there are any. */
  readonly onLife: () => void;
  readonly onDownload: (news: DownloadNews) => void;
  /** The last word about this start. */
  readonly onStall: (stall: StartStall) => void;
}

export interface LifeWatch {
  readonly spec: LaunchSpec;
  readonly record: LaunchRecord;
  readonly log: StartLog;
  readonly members: Watched['members'];
  /** What the weights of a model take, where that is known. */
  readonly weightsOf: ((spec: LaunchSpec) => Promise<number | undefined>) | undefined;
  readonly clock: Clock;
}

const longestLookMs = 10_000;
const shortestLookMs = 100;
const looksPerStall = 12;
const sampleMs = 1000;
const lifeEveryMs = 10_000;
const lifesPerDeadline = 6;
/** So much beyond the pace of our looks is a standstill of ours. */
const lateMs = 5000;
/** What comes before the weights (configuration, tokenizer) is smaller. */
const weightyBytes = 32 * 2 ** 20;
const beforeLoading: readonly StartPhase[] = ['spawned', 'importing', 'configuring', 'engine', 'downloading'];

/** Ends with a verdict, or when it is told to. */
export async function watchLife(watch: LifeWatch, reports: LifeReports, signal: AbortSignal): Promise<void> {
  const { record, log, clock, spec } = watch;
  const settings = toStallSettings(spec);
  const everyMs = toPace(settings);
  const signs = new StartSigns({ logFile: record.logFile, log, members: watch.members });
  const download = await openDownload(watch);
  const lifeAfterMs = Math.min(lifeEveryMs, spec.health.startDeadlineMs / lifesPerDeadline);
  let state = toFirstStall(clock.mono());
  let toldMs = clock.mono();
  let folder: ModelFolder | undefined;
  while (!signal.aborted) {
    await waitFor(download ? Math.min(sampleMs, everyMs) : everyMs, signal, clock);
    if (signal.aborted) return;
    folder = await download?.look(reports.onDownload);
    if (clock.mono() - state.atMs < everyMs * 0.9) continue;
    const { outcome: counts, stoodStill } = await watchOurselves(() => signs.look());
    const atMs = clock.mono();
    const late = atMs - state.atMs > everyMs + lateMs;
    const fetched = folder?.fetching ? { download: { doneBytes: folder.doneBytes } } : {};
    const step = judgeStart(
      state,
      { atMs, stoodStill: stoodStill || late || signs.paused, phase: log.phase, counts, ...fetched },
      settings,
    );
    state = step.state;
    if (signal.aborted) return;
    if (step.verdict.is === 'stalled') {
      const { cause, forMs } = step.verdict;
      const fetched = `${spec.model} ${toSizeText(folder?.doneBytes ?? 0)}`;
      return reports.onStall({ cause, forMs, detail: cause === 'download-stall' ? fetched : log.last || log.phase });
    }
    if (!step.verdict.lives || atMs - toldMs < lifeAfterMs) continue;
    toldMs = atMs;
    reports.onLife();
  }
}

/** Absent from the records of versions that had no such rule. */
function toStallSettings({ health }: LaunchSpec): StallSettings {
  const { startStallAfterMs: stallAfterMs = 0, downloadStallAfterMs = 0 } = health;
  return { stallAfterMs, downloadStallAfterMs };
}

function toPace({ stallAfterMs, downloadStallAfterMs }: StallSettings): number {
  const limits = [stallAfterMs, downloadStallAfterMs].filter((limit) => limit > 0);
  return Math.min(longestLookMs, Math.max(shortestLookMs, Math.min(...limits) / looksPerStall));
}

interface Download {
  /** Undefined once the weights are being loaded: what comes now is something else. */
  look(onNews: (news: DownloadNews) => void): Promise<ModelFolder | undefined>;
}

async function openDownload({ spec, record, log, weightsOf, clock }: LifeWatch): Promise<Download | undefined> {
  const env = await readProcessEnvironment(record.process?.pid ?? 0);
  const directory = await toModelDirectory(spec, env);
  if (directory === undefined) return undefined;
  const sinceMs = Date.parse(record.createdAt);
  const meter = new DownloadMeter();
  const { doneBytes: before } = await observeModelFolder(directory, sinceMs);
  let totalBytes: number | undefined;
  return {
    async look(onNews) {
      if (!beforeLoading.includes(log.phase)) return undefined;
      const folder = await observeModelFolder(directory, sinceMs);
      const grown = folder.doneBytes - before;
      if (grown > 0) totalBytes ??= (await readIndexBytes(directory)) ?? (await weightsOf?.(spec));
      const weights = folder.fetching && grown > 0 && (log.phase === 'engine' || grown >= weightyBytes);
      if (weights && log.phase !== 'downloading') log.noteDownload();
      const news = meter.take(folder, { atMs: clock.mono(), totalBytes });
      if (news && log.phase === 'downloading') onNews(news);
      return folder;
    },
  };
}
