import type { CheckOutcome, DoctorContext } from './check.ts';
import { readGroupLimits } from './groups.ts';
import { readBelow, toUnread } from './read.ts';

/** Bytes; what the kernel does not say is absent. */
export interface Meminfo {
  readonly total: number;
  readonly available?: number;
  readonly swapTotal?: number;
  readonly swapFree?: number;
  readonly commitLimit?: number;
  readonly committed?: number;
}

/** Of the whole machine; an answer instead when the kernel does not say. */
export function readMeminfo(context: DoctorContext): Meminfo | CheckOutcome {
  const reading = readBelow(context, '/proc/meminfo');
  if (reading.is !== 'text') return toUnread(reading);
  const find = (name: string) => {
    const found = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(reading.text)?.[1];
    return found === undefined ? undefined : Number(found) * 1024;
  };
  const total = find('MemTotal');
  if (total === undefined) return toUnread({ is: 'unreadable', path: reading.path, problem: 'MemTotal' });
  const others = {
    available: find('MemAvailable'),
    swapTotal: find('SwapTotal'),
    swapFree: find('SwapFree'),
    commitLimit: find('CommitLimit'),
    committed: find('Committed_AS'),
  };
  return { total, ...Object.fromEntries(Object.entries(others).filter(([, value]) => value !== undefined)) };
}

/** What an engine of ours could have: the machine's memory, less what a control group keeps from us. Bytes. */
export interface Room {
  readonly total: number;
  readonly available: number;
  readonly swapFree: number;
  readonly capped: boolean;
  readonly evidence: readonly string[];
}

export function readRoom(context: DoctorContext): Room | CheckOutcome {
  const info = readMeminfo(context);
  if ('status' in info) return info;
  const cap = readGroupLimits(context)?.memory;
  const capped = cap !== undefined && cap.limit < info.total;
  const total = capped ? cap.limit : info.total;
  const free = info.available ?? info.total;
  const evidence = [`/proc/meminfo: MemTotal ${info.total / 1024} kB, MemAvailable ${free / 1024} kB`];
  if (capped) evidence.push(cap.file);
  const available = Math.min(free, capped ? (cap.available ?? cap.limit) : free);
  return { total, available, swapFree: capped ? 0 : (info.swapFree ?? 0), capped, evidence };
}
