/** Processes that the kernel has ended for want of memory, as its log tells it. */
import { uptime } from 'node:os';

export interface VictimSearch {
  /** Of the launch, as far as they are known. */
  readonly pids: readonly number[];
  /** When it began, ms since the epoch. */
  readonly sinceMs: number;
}

export interface Now {
  readonly wallMs: number;
  readonly upMs: number;
}

/** The first line about one of these processes since then; undefined: there is none. */
export function findVictim(log: string, { pids, sinceMs }: VictimSearch, now: Now = readNow()): string | undefined {
  const begunAt = (now.upMs - (now.wallMs - sinceMs)) / 1000;
  for (const line of log.split('\n')) {
    const pid = victimPattern.exec(line)?.[1];
    if (pid === undefined || !pids.includes(Number(pid))) continue;
    const at = /^\[ *(\d+\.\d+)\]/.exec(line)?.[1];
    // Without a time since the boot there is nothing to compare: a number is not given out again so soon.
    if (at === undefined || Number(at) >= begunAt - allowanceSeconds) return line.trim();
  }
  return undefined;
}

/** The clock of the machine may have been set meanwhile. */
const allowanceSeconds = 5;
const victimPattern = /(?:ut of memory: Killed process |oom-kill:.{0,500}[ ,]pid=)(\d{1,10})\b/;

function readNow(): Now {
  return { wallMs: Date.now(), upMs: uptime() * 1000 };
}
