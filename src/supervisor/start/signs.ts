/** The eyes of the start's judge: what the processes of a launch have used up, and how its log grows. */
import { stat } from 'node:fs/promises';
import type { Survivor } from '../../core/event.ts';
import { inTurns } from '../../host/proc.ts';
import { readDiskBytes } from '../../host/proc-io.ts';
import { readProcessUse } from '../../host/process-use.ts';
import { isPaused } from '../serving/paused.ts';
import type { StartLog } from './log-reader.ts';
import { noCounts, type StartCounts } from './stall.ts';

export interface Watched {
  readonly logFile: string;
  readonly log: Pick<StartLog, 'lines' | 'newLines'>;
  /** Live processes of the launch. */
  readonly members: () => Promise<readonly Pick<Survivor, 'pid' | 'state' | 'wchan'>[]>;
}

/** Linux tells user space a hundred ticks per second, whatever the kernel's own clock does. */
const tickMs = 10;

interface Use {
  readonly startTicks: number;
  readonly cpuMs: number;
  readonly ioBytes: number;
}

export class StartSigns {
  private readonly watched: Watched;
  private counts = noCounts;
  private used: ReadonlyMap<number, Use> = new Map();
  private size = 0;
  private lines = 0;
  private newLines = 0;
  /** Somebody has stopped all of it by hand, as of the last look. */
  paused = false;

  constructor(watched: Watched) {
    this.watched = watched;
  }

  /** All that there was until now. */
  async look(): Promise<StartCounts> {
    const { logMoves, ...before } = this.counts;
    const [grown, spent] = await Promise.all([this.lookAtLog(), this.lookAtProcesses()]);
    this.counts = {
      logMoves: logMoves + (grown ? 1 : 0),
      cpuMs: before.cpuMs + spent.cpuMs,
      ioBytes: before.ioBytes + spent.ioBytes,
      processes: before.processes + spent.processes,
    };
    return this.counts;
  }

  /** A line that is still being written grows without an end: progress bars do. */
  private async lookAtLog(): Promise<boolean> {
    const { lines, newLines } = this.watched.log;
    const { size } = await stat(this.watched.logFile).catch(() => ({ size: this.size }));
    const grown = newLines > this.newLines || (size !== this.size && lines === this.lines);
    this.size = size;
    this.lines = lines;
    this.newLines = newLines;
    return grown;
  }

  /** Since the last look. Of one that ended meanwhile the rest is not known. */
  private async lookAtProcesses(): Promise<Omit<StartCounts, 'logMoves'>> {
    const members = await this.watched.members();
    this.paused = isPaused(members);
    const pids = members.map(({ pid }) => pid);
    const uses = await inTurns(pids, observeUse);
    const before = this.used;
    const now = new Map<number, Use>();
    const spent = { cpuMs: 0, ioBytes: 0, processes: 0 };
    for (const [index, pid] of pids.entries()) {
      const use = uses[index];
      if (use === undefined) continue;
      now.set(pid, use);
      const known = before.get(pid);
      const last = known?.startTicks === use.startTicks ? known : undefined;
      spent.cpuMs += Math.max(0, use.cpuMs - (last?.cpuMs ?? 0));
      spent.ioBytes += Math.max(0, use.ioBytes - (last?.ioBytes ?? 0));
      spent.processes += last === undefined ? 1 : 0;
    }
    this.used = now;
    return spent;
  }
}

async function observeUse(pid: number): Promise<Use | undefined> {
  const [use, ioBytes] = await Promise.all([readProcessUse(pid), readDiskBytes(pid)]);
  return use && { startTicks: use.startTicks, cpuMs: use.cpuTicks * tickMs, ioBytes };
}
