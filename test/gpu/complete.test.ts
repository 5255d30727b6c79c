import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { completeGpus, isComplete } from '../../src/gpu/complete.ts';
import type { Gpu, GpuObservation } from '../../src/gpu/gpu.ts';
import type { KnownGpu } from '../../src/gpu/table.ts';

const table: readonly KnownGpu[] = JSON.parse(readFileSync(new URL('../../data/gpus.json', import.meta.url), 'utf8'));
const gib = 2 ** 30;

function complete(gpu: Partial<Gpu>, memory = false): Gpu | undefined {
  const observed: GpuObservation = { is: 'present', gpus: [{ index: 0, name: 'GPU', memoryTotalBytes: gib, ...gpu }] };
  const completed = completeGpus(observed, { table, memory });
  return completed.is === 'present' ? completed.gpus[0] : undefined;
}

describe('completeGpus', () => {
  it.each([
    ['NVIDIA L40S', '8.9'],
    ['NVIDIA GeForce RTX 2080 Ti', '7.5'],
    ['NVIDIA A100 80GB PCIe', '8.0'],
    ['NVIDIA A100-SXM4-40GB', '8.0'],
    ['NVIDIA H100 80GB HBM3', '9.0'],
    ['Tesla T4', '7.5'],
    ['NVIDIA GB10', '12.1'],
    // Two amounts of memory, one capability.
    ['NVIDIA GeForce RTX 2060', '7.5'],
    ['Quadro P400', undefined],
    ['NVIDIA GeForce ...', undefined],
    ['NVIDIA', undefined],
  ])('knows %s: %s', (name, capability) => {
    expect(complete({ name })?.computeCapability).toBe(capability);
  });

  it('leaves what the driver says', () => {
    expect(complete({ name: 'NVIDIA L40S', computeCapability: '9.9' })).toMatchObject({ computeCapability: '9.9', memoryTotalBytes: gib });
    expect(complete({ name: 'NVIDIA L4', nameCut: true })?.computeCapability).toBeUndefined();
  });

  it('knows the memory of a GPU that shares it, where its machine cannot be asked', () => {
    const { memoryTotalBytes: _, ...gb10 } = { index: 0, name: 'NVIDIA GB10', memoryTotalBytes: gib };
    const observed: GpuObservation = { is: 'present', gpus: [gb10] };
    const [here, elsewhere] = [false, true].map((memory) => completeGpus(observed, { table, memory }));
    expect(here).toEqual({ is: 'present', gpus: [{ ...gb10, computeCapability: '12.1', memoryKind: 'unified' }] });
    expect(elsewhere).toMatchObject({ gpus: [{ memoryTotalBytes: 128_000 * 2 ** 20 }] });
  });

  it('has nothing to do where nothing is missing', () => {
    const observed: GpuObservation = { is: 'present', gpus: [{ index: 0, name: 'X', computeCapability: '8.9' }] };
    expect([isComplete(observed, false), isComplete(observed, true)]).toEqual([true, false]);
  });
});
