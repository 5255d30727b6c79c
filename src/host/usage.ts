/** How much of the machine is in use: CPU time and memory, of all of it or of one control group. */
import { join } from 'node:path';
import { readTextFile } from './files.ts';

/** Clock ticks since boot, summed over CPUs. */
export interface CpuTicks {
  readonly busy: number;
  readonly all: number;
}

/** `cpus`: only those. Undefined where there is no `/proc/stat`. */
export async function readCpuTicks(cpus?: readonly number[], root = '/'): Promise<CpuTicks | undefined> {
  const text = await readTextFile(join(root, 'proc/stat')).catch(() => undefined);
  return text === undefined ? undefined : parseCpuTicks(text, cpus);
}

/** Of the kernel's page: `cpu3 user nice system idle iowait irq softirq steal …`; guests are part of user. */
function parseCpuTicks(text: string, cpus?: readonly number[]): CpuTicks | undefined {
  const wanted = cpus === undefined ? ['cpu'] : cpus.map((cpu) => `cpu${cpu}`);
  const rows = text
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([name = '']) => wanted.includes(name));
  if (rows.length === 0) return undefined;
  const sums = rows.map(([, ...fields]) => {
    const ticks = fields.slice(0, 8).map(Number);
    const all = ticks.reduce((sum, one) => sum + one, 0);
    return { all, busy: all - (ticks[3] ?? 0) - (ticks[4] ?? 0) };
  });
  return { busy: sums.reduce((sum, { busy }) => sum + busy, 0), all: sums.reduce((sum, { all }) => sum + all, 0) };
}

/** Used share of the machine's memory, percent: what is not available without swapping. */
export async function readMemoryPercent(root = '/'): Promise<number | undefined> {
  const text = await readTextFile(join(root, 'proc/meminfo')).catch(() => undefined);
  const read = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text ?? '')?.[1]);
  const percent = 100 * (1 - read('MemAvailable') / read('MemTotal'));
  return Number.isFinite(percent) ? percent : undefined;
}

/**
 * Used share of the cap of a control group, percent, both layouts. Files that were read and not used again are dropped
 * before anything else, so they do not count: the weights of a model would fill any cap.
 */
export async function readGroupMemoryPercent(directory: string, capBytes: number): Promise<number | undefined> {
  const read = (name: string) => readTextFile(join(directory, name)).catch(() => undefined);
  const used = (await read('memory.current')) ?? (await read('memory.usage_in_bytes'));
  const stat = await read('memory.stat');
  const idle = Number(/^(?:total_)?inactive_file (\d+)$/m.exec(stat ?? '')?.[1] ?? 0);
  const percent = (100 * Math.max(0, Number(used?.trim() || Number.NaN) - idle)) / capBytes;
  return Number.isFinite(percent) ? percent : undefined;
}
