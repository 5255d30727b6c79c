import type { Gpu } from '../../../src/gpu/gpu.ts';
import { type MemoryRequest, planMemory } from '../../../src/plan/memory/plan-memory.ts';
import type { Memory } from '../../../src/plan/plan.ts';
import { load } from '../stand-ins.ts';

export const gib = 2 ** 30;
export const mib = 2 ** 20;

/** 22.0 GiB as CUDA sees it. */
export const card: Gpu = {
  index: 0,
  name: 'NVIDIA L4',
  computeCapability: '8.9',
  memoryTotalBytes: 22.5 * gib,
  memoryReservedBytes: 0.5 * gib,
  memoryFreeBytes: 22 * gib,
};

/** Of a shipped profile with changes, on the card unless another one is given. */
export async function toMemory(name: string, sets: readonly string[], request: Partial<MemoryRequest> = {}): Promise<Memory | undefined> {
  return planMemory({ profile: await load(name, ...sets), gpus: [card], ...request });
}
