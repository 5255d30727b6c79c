import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { findKnownGpus, type KnownGpu } from '../../src/gpu/table.ts';

const table: readonly KnownGpu[] = JSON.parse(readFileSync(new URL('../../data/gpus.json', import.meta.url), 'utf8'));

function find(text: string): string {
  const found = findKnownGpus(text, table);
  if (found.is === 'unknown') return `unknown: ${found.nearest.join(', ')}`;
  if (found.is === 'ambiguous') return `ambiguous: ${found.names.join(', ')}`;
  return `${found.gpus.length} ${found.gpus[0]?.name}`;
}

describe('findKnownGpus', () => {
  it.each([
    ['RTX 4090', '1 RTX 4090'],
    ['4090', '1 RTX 4090'],
    ['NVIDIA GeForce RTX 4090', '1 RTX 4090'],
    ['rtx4090', '1 RTX 4090'],
    ['RTX 4090 D', '1 RTX 4090 D'],
    ['RTX4060Ti 16 GB', '1 RTX 4060 Ti 16GB'],
    ['T4', '1 Tesla T4'],
    ['L40', '1 L40'],
    ['L40S', '1 L40S'],
    ['RTX 2070', '1 RTX 2070 (SUPER)'],
    ['RTX 2070 SUPER', '1 RTX 2070 (SUPER)'],
    ['DGX Spark', '1 GB10 (DGX Spark)'],
    ['A100 80GB', '1 A100 80GB PCIe'],
    ['H200', '1 H200 SXM'],
    ['2x RTX 4090', '2 RTX 4090'],
    ['4 × L4', '4 L4'],
    ['8xH100 80GB', '8 H100 80GB SXM (HBM3)'],
    ['A100', 'ambiguous: A100 40GB PCIe, A100 40GB SXM4, A100 80GB PCIe, A100 80GB SXM4'],
    ['RTX 6000', 'ambiguous: Quadro RTX 6000, RTX 6000 Ada, RTX PRO 6000 Blackwell (WS / Max-Q / Server)'],
    ['RTX 4091', 'unknown: RTX 4090, RTX 3090, RTX 4060'],
    ['Radeon RX 7900', 'unknown: '],
    ['', 'unknown: '],
    ['nvidia', 'unknown: '],
  ])('%s: %s', (text, expected) => {
    expect(find(text)).toBe(expected);
  });

  it('finds every card by its own name', () => {
    for (const { name } of table) expect(find(name)).toBe(`1 ${name}`);
  });

  it('tells what a plan needs, and nothing that only a driver can know', () => {
    const found = findKnownGpus('2x L4', table);
    expect(found.is === 'found' && found.gpus).toEqual([
      { index: 0, name: 'L4', computeCapability: '8.9', memoryTotalBytes: 23034 * 2 ** 20 },
      { index: 1, name: 'L4', computeCapability: '8.9', memoryTotalBytes: 23034 * 2 ** 20 },
    ]);
  });
});
