import { expect, it } from 'vitest';
import { type GpuBaseline, judgeMemory, type KnownPids, type MemoryVerdict, toBaseline } from '../../src/gpu/baseline.ts';
import type { Gpu, GpuProcess } from '../../src/gpu/gpu.ts';

const MiB = 2 ** 20;
const gpu = (usedMiB: number | undefined, processes: readonly GpuProcess[] = [], more: Partial<Gpu> = {}): Gpu => ({
  index: 0,
  name: 'NVIDIA L4',
  ...(usedMiB === undefined ? {} : { memoryUsedBytes: usedMiB * MiB }),
  processes,
  ...more,
});
const by = (pid: number, mebibytes?: number): GpuProcess => ({
  pid,
  name: 'python',
  ...(mebibytes === undefined ? {} : { memoryUsedBytes: mebibytes * MiB }),
});

const before: GpuBaseline = toBaseline(gpu(1000, [by(7, 900)]));
const known = (parts: { ours?: number[]; dead?: number[]; apart?: boolean } = {}): KnownPids => ({
  ours: new Set(parts.ours),
  dead: new Set(parts.dead),
  apart: parts.apart ?? false,
});

it.each<[string, Gpu | undefined, KnownPids, MemoryVerdict['is'], number[]?]>([
  ['as before', gpu(1000, [by(7, 900)]), known(), 'returned'],
  ['512 MiB more', gpu(1512), known(), 'returned'],
  ['more, and nobody is named', gpu(1513), known(), 'held', []],
  ['more, by a process of ours', gpu(9000, [by(50, 8000)]), known({ ours: [50] }), 'held', [50]],
  ['more, by a process that is gone', gpu(9000, [by(50, 8000)]), known({ dead: [50] }), 'held', [50]],
  ['more, by a stranger', gpu(9000, [by(50, 8000)]), known(), 'returned', [50]],
  ['more, by a stranger who was there before', gpu(9000, [by(7, 8900)]), known(), 'returned', [7]],
  ['more, by a stranger whose share is not told', gpu(9000, [by(50)]), known(), 'returned', [50]],
  ['more, and a stranger holds half of it', gpu(9000, [by(50, 4000)]), known(), 'held', []],
  ['more, by ours, beside a stranger', gpu(9000, [by(50, 4000), by(51, 4000)]), known({ ours: [51] }), 'held', [51]],
  ['in a container: nobody is named', gpu(9000), known({ apart: true }), 'unseen'],
  ['in a container: a number that means nothing here', gpu(9000, [by(50, 8000)]), known({ apart: true, dead: [50] }), 'returned', [50]],
  ['in a container: a process of ours', gpu(9000, [by(50, 8000)]), known({ apart: true, ours: [50] }), 'held', [50]],
  ['not told', gpu(undefined), known(), 'unknown'],
  ["the machine's own memory", gpu(9000, [], { memoryKind: 'unified' }), known(), 'unknown'],
  ['the GPU is gone', undefined, known(), 'unknown'],
])('%s', (_, now, pids, is, named) => {
  const verdict = judgeMemory(before, now, pids);
  expect(verdict.is).toBe(is);
  const owners = verdict.is === 'held' ? verdict.owners : verdict.is === 'returned' ? verdict.others : [];
  expect(owners.map(({ pid }) => pid)).toEqual(named ?? []);
});

it('counts what a stranger has taken since, not what it had', () => {
  expect(judgeMemory(before, gpu(9000, [by(7, 2900)]), known())).toMatchObject({ is: 'held', bytes: 6000 * MiB });
});

it.each([
  ['unified', gpu(100, [], { memoryKind: 'unified' })],
  ['not told', gpu(undefined)],
])('has no baseline where memory is %s', (_, one) => {
  expect(toBaseline(one)).not.toHaveProperty('usedBytes');
  expect(judgeMemory(toBaseline(one), gpu(9000), known())).toEqual({ is: 'unknown' });
});
