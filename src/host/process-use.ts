/** What a process takes of the machine, by one short file of /proc. */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { endianness } from 'node:os';

export interface ProcessUseFacts {
  /** With the pid an identity, within one boot. */
  readonly startTicks: number;
  /** User and system, since it began. */
  readonly cpuTicks: number;
  /** Resident pages, shared ones too. */
  readonly rssPages: number;
}

/**
 * Undefined when it has gone, or is not ours to read. Read at once: the kernel has it at hand (unlike command lines, for
 * which it waits for the process's memory), and a detour through other threads costs ten times as much.
 */
export function readProcessUse(pid: number): ProcessUseFacts | undefined {
  const text = readStat(pid);
  // The name may hold spaces and brackets, so fields are counted from the last closing one; the state is field 3.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const field = (number: number) => Number(fields[number - 3]);
  const [startTicks, cpuTicks, rssPages] = [field(22), field(14) + field(15), field(24)];
  if (fields[0] === 'Z' || ![startTicks, cpuTicks, rssPages].every(Number.isFinite)) return undefined;
  return { startTicks, cpuTicks, rssPages };
}

function readStat(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    // gone, or not ours: both mean that nothing can be said
    return '';
  }
}

export interface KernelUnits {
  readonly pageBytes: number;
  readonly ticksPerSecond: number;
}

/** Pages have 64 KiB on some ARM servers. The kernel tells every process at its start (getauxval). */
export async function readKernelUnits(): Promise<KernelUnits> {
  const bytes = await readFile('/proc/self/auxv').catch(() => Buffer.alloc(0));
  const found = new Map<number, number>();
  const read = (at: number) => Number(endianness() === 'LE' ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at));
  for (let at = 0; at + 16 <= bytes.length; at += 16) found.set(read(at), read(at + 8));
  return { pageBytes: found.get(auxPageSize) ?? 4096, ticksPerSecond: found.get(auxTicks) ?? 100 };
}

const auxPageSize = 6;
const auxTicks = 17;
