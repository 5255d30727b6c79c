/**
 * Keeps the logs of a deployment short while they are written: the engine's, and our own. Looks every two seconds, and
 * sooner where a log grows so fast that it would be far beyond its cap by then. What goes wrong is said once, and
 * tried again: a full disk is no reason to leave the engine alone.
 */
import { stat } from 'node:fs/promises';
import { type Clock, systemClock, waitFor } from '../core/clock.ts';
import { type Message, say } from '../core/message.ts';
import { toSizeText } from '../core/units.ts';
import { cutLog, dropOldestPiece, type Limits } from '../host/cut.ts';
import { errnoOf, readFreeBytes } from '../host/files.ts';
import type { LogSettings } from '../profile/profile.ts';
import { isServing } from './deployment.ts';
import type { State } from './state.ts';

export interface CappedLog extends Limits {
  readonly path: string;
  /** Somebody writes it, so that it must be there. */
  readonly isWritten?: boolean;
}

export interface LogKeeping {
  /** Resolves when nothing is being cut any more. */
  end(): Promise<void>;
}

export interface LogKeepingParts {
  readonly now: () => State;
  /** Our own log. */
  readonly own: string;
  readonly onNote: (note: Message) => void;
}

/** Of records from before there was a setting. */
const defaultSettings: LogSettings = { maxSizeBytes: 100e6, keep: 5 };
/** We say little. */
const ownLimits: Limits = { maxBytes: 5 * 2 ** 20, keep: 2 };

export function keepLogsShort({ now, own, onNote }: LogKeepingParts): LogKeeping {
  const over = new AbortController();
  const logs = () => {
    const { life, launch, wanted } = now();
    const { maxSizeBytes: maxBytes, keep } = wanted.logs ?? defaultSettings;
    const engine = launch === undefined ? [] : [{ path: launch.logFile, maxBytes, keep, isWritten: isServing(life) }];
    return [...engine, { path: own, ...ownLimits }];
  };
  const watching = watchLogs({ logs, onNote, clock: systemClock }, over.signal);
  return {
    async end() {
      over.abort();
      await watching;
    },
  };
}

export interface LogWatch {
  /** Asked at each look: with each launch it is another file, and the limits are those of the wanted configuration. */
  readonly logs: () => readonly CappedLog[];
  readonly onNote: (note: Message) => void;
  readonly clock: Clock;
}

/** A flood that begins all at once is beyond the cap by this much of itself, the first time. */
const lookMs = 2000;
/** Nothing is known yet of how fast it grows. */
const newMs = 1000;
const leastMs = 200;
/** Less than a page of a file system and some: what is written now is lost. */
const leastRoomBytes = 2 ** 20;
/** A log is cut before it is a tenth above its cap, as far as its growth can be foreseen. */
const slack = 0.05;

/** Until it is told to stop. Never rejects. */
export async function watchLogs({ logs, onNote, clock }: LogWatch, signal: AbortSignal): Promise<void> {
  const said = new Map<string, string>();
  const sizes = new Map<string, number>();
  let lookedAt = clock.mono();
  while (!signal.aborted) {
    const now = clock.mono();
    let nextMs = lookMs;
    for (const log of logs()) {
      const before = sizes.get(log.path);
      const size = await look(log, { said, onNote, wasThere: before !== undefined });
      if (size === undefined) {
        if (before === undefined) nextMs = Math.min(nextMs, newMs);
        continue;
      }
      nextMs = Math.min(nextMs, before === undefined ? newMs : toNextLookMs(log.maxBytes, { size, before, overMs: now - lookedAt }));
      sizes.set(log.path, size);
    }
    lookedAt = now;
    await waitFor(nextMs, signal, clock);
  }
}

interface Growth {
  readonly size: number;
  readonly before: number;
  readonly overMs: number;
}

function toNextLookMs(maxBytes: number, { size, before, overMs }: Growth): number {
  const perMs = (size - before) / Math.max(1, overMs);
  // It was cut just now, or stands still.
  if (perMs <= 0) return size < before ? leastMs : lookMs;
  return Math.min(lookMs, Math.max(leastMs, (maxBytes * (1 + slack) - size) / perMs));
}

interface Saying {
  /** Path → the problem that was told last. */
  readonly said: Map<string, string>;
  readonly onNote: (note: Message) => void;
  /** At an earlier look. One that does not exist yet is nothing to speak of. */
  readonly wasThere: boolean;
}

/** The size afterwards; undefined where there is none. */
async function look(log: CappedLog, { said, onNote, wasThere }: Saying): Promise<number | undefined> {
  const { path } = log;
  const tell = (problem: string, note: Message) => {
    if (said.get(path) !== problem) onNote(note);
    said.set(path, problem);
  };
  try {
    const done = await cutMakingRoom(log);
    if (done && done.lostBytes > 0) onNote(say('life.log-gap', { path, size: toSizeText(done.lostBytes) }));
    const { size } = await stat(path);
    if ((await readFreeBytes(path)) < leastRoomBytes) tell('ENOSPC', say('life.log-no-room', { path }));
    else said.delete(path);
    return size;
  } catch (error) {
    const problem = errnoOf(error) ?? String(error);
    if (problem === 'ENOENT' && !wasThere && !log.isWritten) return undefined;
    tell(problem, problem === 'ENOENT' ? say('life.log-missing', { path }) : say('life.log-uncut', { path, problem }));
    return problem === 'ENOENT' ? undefined : 0;
  }
}

/** On a full disk older pieces go, one by one. */
async function cutMakingRoom(log: CappedLog): ReturnType<typeof cutLog> {
  for (;;) {
    try {
      return await cutLog(log.path, log);
    } catch (error) {
      if (errnoOf(error) !== 'ENOSPC' || !(await dropOldestPiece(log.path))) throw error;
    }
  }
}
