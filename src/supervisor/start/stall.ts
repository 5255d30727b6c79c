/**
 * Whether an engine that starts still does anything. Pure: (what was seen so far, one look) → the same a moment later,
 * and what it means. A start may take long; what ends it early is that nothing about it moves any more.
 *
 *   no line of its log, no file, no process, no CPU time for `stallAfterMs`         → start-stall
 *   CPU time and nothing else for four times that: a deadlock that spins            → start-stall
 *   a file of the model is being fetched and not one byte comes for the download's  → download-stall
 *
 * A download is judged by its bytes alone: a client that tries again for ever writes lines all the while.
 */
import type { StartPhase, StartStallCause } from '../../core/event.ts';

export interface StallSettings {
  /** 0: never. */
  readonly stallAfterMs: number;
  /** 0: never. */
  readonly downloadStallAfterMs: number;
}

/** Counts that only grow, over all processes that the launch ever had. */
export interface StartCounts {
  /** New lines of the log, or a line that grows. The same line over again is none. */
  readonly logMoves: number;
  readonly cpuMs: number;
  /** Read from and written to disks. */
  readonly ioBytes: number;
  readonly processes: number;
}

export interface StartLook {
  /** Monotonic. */
  readonly atMs: number;
  /** We, or by somebody's hand the engine, did not run for a while: what was timed says nothing of it. */
  readonly stoodStill: boolean;
  readonly phase: StartPhase;
  readonly counts: StartCounts;
  /** Undefined: nothing of the model is being fetched now. */
  readonly download?: { readonly doneBytes: number };
}

export interface StallState {
  readonly atMs: number;
  readonly phase: StartPhase;
  readonly counts: StartCounts;
  /** The last sign of any kind. */
  readonly livedAtMs: number;
  /** The last one that was not CPU time alone. */
  readonly movedAtMs: number;
  /** The last byte of what is being fetched, or when that began. */
  readonly download?: { readonly doneBytes: number; readonly movedAtMs: number };
}

export type StallVerdict =
  /** `lives`: there was a sign since the last look. */
  { readonly is: 'going'; readonly lives: boolean } | { readonly is: 'stalled'; readonly cause: StartStallCause; readonly forMs: number };

export interface StallStep {
  readonly state: StallState;
  readonly verdict: StallVerdict;
}

/** Of one core: an API server that waits polls with less. */
const idleShare = 0.05;
/** Less is a line of the log, or a clock. */
const tellingBytes = 64 * 1024;
const spinsAllowed = 4;

export const noCounts: StartCounts = { logMoves: 0, cpuMs: 0, ioBytes: 0, processes: 0 };

export function toFirstStall(atMs: number): StallState {
  return { atMs, phase: 'spawned', counts: noCounts, livedAtMs: atMs, movedAtMs: atMs };
}

export function judgeStart(before: StallState, look: StartLook, settings: StallSettings): StallStep {
  const { atMs, stoodStill, phase } = look;
  const moves = isMoving(before, look);
  const works = moves || isWorking(before, look);
  const download = toDownload(before, look);
  const state: StallState = {
    atMs,
    phase,
    counts: toCounted(before, look, moves),
    livedAtMs: works || stoodStill ? atMs : before.livedAtMs,
    movedAtMs: moves || stoodStill ? atMs : before.movedAtMs,
    ...(download ? { download } : {}),
  };
  const verdict = stoodStill ? undefined : findStall(state, settings);
  return { state, verdict: verdict ?? { is: 'going', lives: works } };
}

function findStall(state: StallState, { stallAfterMs, downloadStallAfterMs }: StallSettings): StallVerdict | undefined {
  const { atMs, livedAtMs, movedAtMs, download } = state;
  if (download && downloadStallAfterMs > 0 && atMs - download.movedAtMs > downloadStallAfterMs) {
    return { is: 'stalled', cause: 'download-stall', forMs: atMs - download.movedAtMs };
  }
  if (stallAfterMs > 0 && atMs - livedAtMs > stallAfterMs) return { is: 'stalled', cause: 'start-stall', forMs: atMs - livedAtMs };
  if (stallAfterMs > 0 && atMs - movedAtMs > spinsAllowed * stallAfterMs) {
    return { is: 'stalled', cause: 'start-stall', forMs: atMs - movedAtMs };
  }
  return undefined;
}

/** Something happened that a loop without an end would not do. */
function isMoving({ phase, counts, download }: StallState, look: StartLook): boolean {
  if (look.phase !== phase || look.counts.logMoves > counts.logMoves || look.counts.processes > counts.processes) return true;
  return look.counts.ioBytes - counts.ioBytes >= tellingBytes || (look.download?.doneBytes ?? 0) > (download?.doneBytes ?? 0);
}

function isWorking({ atMs, counts }: StallState, look: StartLook): boolean {
  return look.counts.cpuMs - counts.cpuMs > (look.atMs - atMs) * idleShare;
}

/** Bytes that are too few to tell add up until they do. */
function toCounted({ counts }: StallState, look: StartLook, moves: boolean): StartCounts {
  return moves ? look.counts : { ...look.counts, ioBytes: counts.ioBytes };
}

function toDownload({ download: before }: StallState, { atMs, stoodStill, download }: StartLook): StallState['download'] {
  if (download === undefined) return undefined;
  // Less: a file is fetched anew.
  const moved = before === undefined || download.doneBytes !== before.doneBytes || stoodStill;
  return { doneBytes: download.doneBytes, movedAtMs: moved ? atMs : before.movedAtMs };
}
