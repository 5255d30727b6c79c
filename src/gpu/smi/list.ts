/** `nvidia-smi -L`: GPUs and the slices of those that are divided. In a container the parent of a slice is listed too. */
import type { SmiGpu, SmiMigDevice } from './reading.ts';

const gpuLine = /^GPU (\d{1,4}): (.+) \(UUID: (GPU-[0-9A-Za-z-]+)\)$/;
/** Drivers before 470 name slices after their GPU: `MIG-GPU-…/1/0`. */
const sliceLine = /^\s+MIG (\S+)\s+Device\s+(\d{1,4}): \(UUID: (MIG-[0-9A-Za-z/-]+)\)$/;

export function isSmiList(line: string): boolean {
  return gpuLine.test(line);
}

export function parseSmiList(lines: readonly string[]): readonly SmiGpu[] {
  const gpus: SmiGpu[] = [];
  let devices: SmiMigDevice[] = [];
  for (const line of lines) {
    const [, index, name, uuid] = gpuLine.exec(line) ?? [];
    if (index !== undefined && name !== undefined && uuid !== undefined) {
      devices = [];
      gpus.push({ index: Number(index), name, uuid });
      continue;
    }
    const [, profile, place, slice] = sliceLine.exec(line) ?? [];
    const last = gpus.pop();
    if (last === undefined) continue;
    if (profile === undefined || slice === undefined) {
      gpus.push(last);
      continue;
    }
    devices.push({ index: Number(place), profile, uuid: slice });
    gpus.push({ ...last, mig: { enabled: true, devices: [...devices] } });
  }
  return gpus;
}
