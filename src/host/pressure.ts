/** Pressure stall information: how much of the time nothing could run for want of memory. */
import { errnoOf, readTextFile } from './files.ts';

const memoryPressureFile = '/proc/pressure/memory';

/** Percent of the last ten seconds in which every task waited for memory; undefined where the kernel does not tell. */
export async function readMemoryPressure(file = memoryPressureFile): Promise<number | undefined> {
  try {
    return parsePressure((await readTextFile(file)) ?? '');
  } catch (error) {
    // Kernels built with it and started without it refuse the reading itself.
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}

function parsePressure(text: string): number | undefined {
  const match = /^full avg10=(\d+(?:\.\d+)?)/m.exec(text);
  return match?.[1] === undefined ? undefined : Number(match[1]);
}
