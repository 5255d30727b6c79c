/** Cards by name, as machines with nothing else on them. */
import { readFileSync } from 'node:fs';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { findKnownGpus, type KnownGpu } from '../../src/gpu/table.ts';
import type { Facts } from '../../src/plan/facts.ts';
import { machine } from './stand-ins.ts';

export const knownGpus: readonly KnownGpu[] = JSON.parse(readFileSync(new URL('../../data/gpus.json', import.meta.url), 'utf8'));

/** `RTX 4090`, `2x L4`. What nvidia-smi calls free on an idle card is up to 0.6 GiB less than all of it. */
export function toIdleGpus(text: string): readonly Gpu[] {
  const found = findKnownGpus(text, knownGpus);
  if (found.is !== 'found') throw new Error(`${text}: ${JSON.stringify(found)}`);
  return found.gpus.map((gpu) => ({ ...gpu, memoryFreeBytes: (gpu.memoryTotalBytes ?? 0) - 0.6 * 2 ** 30 }));
}

export function factsWith(gpus: readonly Gpu[]): Facts {
  return { ...machine, gpus: { is: 'present', gpus } };
}
