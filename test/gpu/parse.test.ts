import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseCudaVersion, parseGpuCsv } from '../../src/gpu/parse.ts';

const MiB = 2 ** 20;
const read = (name: string) => readFileSync(new URL(`../fixtures/nvidia-smi/${name}`, import.meta.url), 'utf8');

describe('parseGpuCsv', () => {
  it('reads a card with its capability, by the names of the columns', () => {
    expect(parseGpuCsv(read('smi-18-csv-rtx5060ti-compute-cap.txt'))).toEqual({
      unknownField: false,
      gpus: [
        {
          index: 0,
          name: 'NVIDIA GeForce RTX 5060 Ti',
          computeCapability: '12.0',
          memoryTotalBytes: 16311 * MiB,
          memoryUsedBytes: 1 * MiB,
          driverVersion: '580.178.04',
        },
      ],
    });
  });

  it('reads the rows before another table begins', () => {
    const { gpus, problem } = parseGpuCsv(read('smi-17-csv-win-rtxpro6000-apps-na.txt'));
    expect(gpus).toEqual([
      {
        index: 0,
        name: 'NVIDIA RTX PRO 6000 Blackwell Workstation Edition',
        memoryTotalBytes: 97887 * MiB,
        memoryUsedBytes: 71977 * MiB,
        memoryFreeBytes: 24622 * MiB,
      },
    ]);
    expect(problem).toBe('---PROCS---');
  });

  it('keeps the good rows when one GPU fails, and the index that the driver gave', () => {
    const header =
      'index, name, temperature.gpu, clocks.current.sm [MHz], clocks.current.memory [MHz], utilization.gpu [%], utilization.memory [%], pstate, power.limit [W]\n';
    const { gpus, problem } = parseGpuCsv(header + read('smi-26-csv-one-gpu-failed-quoted.txt'));
    expect(gpus.map(({ index, name }) => [index, name])).toEqual([
      [0, 'NVIDIA GeForce RTX 3090'],
      [2, 'NVIDIA GeForce RTX 3090'],
    ]);
    expect(problem).toMatch(/^Unable to determine the device handle/);
  });

  it.each([
    ['smi-33-no-nvml-lib-390-csv.txt', /couldn't find libnvidia-ml\.so/],
    ['smi-36-no-driver-615-query-csv.txt', /^NVIDIA-SMI has failed/],
    ['smi-30-err-invalid-field-csv.txt', /not a valid field/],
  ])('takes the sentence of %s for what it is, not for a GPU', (name, problem) => {
    const parsed = parseGpuCsv(read(name));
    expect(parsed.gpus).toEqual([]);
    expect(parsed.problem).toMatch(problem);
    expect(parsed.unknownField).toBe(name.includes('invalid-field'));
  });

  it('has no GPU in a table of processes, and none without a name', () => {
    expect(parseGpuCsv(read('smi-19-csv-compute-apps-empty.txt')).gpus).toEqual([]);
    expect(parseGpuCsv(read('smi-25-csv-gpu-requires-reset.txt')).gpus).toEqual([]);
    expect(parseGpuCsv('').gpus).toEqual([]);
  });

  it('leaves out what the driver did not say', () => {
    const text =
      'index, uuid, name, compute_cap, memory.total [MiB], memory.used [MiB], memory.free [MiB], driver_version\n0, GPU-1, NVIDIA GB10, 12.1, [N/A], [N/A], [Insufficient Permissions], 580.95\n';
    expect(parseGpuCsv(text).gpus).toEqual([
      { index: 0, uuid: 'GPU-1', name: 'NVIDIA GB10', computeCapability: '12.1', driverVersion: '580.95' },
    ]);
  });
});

describe('parseCudaVersion', () => {
  it.each([
    ['smi-02-rtx3080-610-new-header.txt', '13.3'],
    ['smi-13-8x-l40s-565-vllm-tp8.txt', '12.7'],
    ['smi-36-no-driver-615-query-csv.txt', undefined],
  ])('%s: %s', (name, expected) => {
    expect(parseCudaVersion(read(name))).toBe(expected);
  });
});
