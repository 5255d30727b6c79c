/** What a control group tells of memory that ran out, in either layout. */
import { join } from 'node:path';
import { errnoOf, readTextFile } from './files.ts';

export interface MemoryKills {
  /** Processes of the group that the kernel has ended for want of memory. */
  readonly kills: number;
  readonly limitBytes?: number;
  readonly peakBytes?: number;
}

/** Undefined where nothing can be read: the group has gone, or this kernel does not count. */
export async function readMemoryKills(directory: string): Promise<MemoryKills | undefined> {
  const texts = await Promise.all(countFiles.map((name) => readQuietly(join(directory, name))));
  const count = texts.map((text) => /^oom_kill (\d+)$/m.exec(text)?.[1]).find((found) => found !== undefined);
  if (count === undefined) return undefined;
  const [limitBytes, peakBytes] = await Promise.all([readFirst(directory, limitFiles), readFirst(directory, peakFiles)]);
  return { kills: Number(count), ...(limitBytes === undefined ? {} : { limitBytes }), ...(peakBytes === undefined ? {} : { peakBytes }) };
}

/** The unified layout's name first. */
const countFiles = ['memory.events', 'memory.oom_control'];
const limitFiles = ['memory.max', 'memory.limit_in_bytes'];
const peakFiles = ['memory.peak', 'memory.max_usage_in_bytes'];

async function readFirst(directory: string, names: readonly string[]): Promise<number | undefined> {
  const texts = await Promise.all(names.map((name) => readQuietly(join(directory, name))));
  const text = texts.find((found) => /^\d+\s*$/.test(found));
  return text === undefined ? undefined : Number(text);
}

async function readQuietly(path: string): Promise<string> {
  try {
    return (await readTextFile(path)) ?? '';
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return '';
  }
}
