import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { say } from '../../src/core/message.ts';
import type { Gpu, GpuObservation } from '../../src/gpu/gpu.ts';
import { type RankedProfile, type RankFacts, rankProfiles } from '../../src/plan/rank.ts';
import { withSettings } from '../../src/plan/rank-set.ts';
import { tryOnGpus } from '../../src/plan/rank-trial.ts';
import type { Profile } from '../../src/profile/profile.ts';
import { toText } from '../../src/text/render.ts';
import { factsWith, toIdleGpus } from './known-gpus.ts';
import { load, toEngine } from './stand-ins.ts';

const gib = 2 ** 30;
const directory = new URL('../../profiles/', import.meta.url);
const names = readdirSync(directory).flatMap((name) => (name.endsWith('.yaml') ? [name.replace('.yaml', '')] : []));
const profiles = await Promise.all(names.map((name) => load(name)));

const present = (gpus: readonly Gpu[]): GpuObservation => ({ is: 'present', gpus });

function rank(gpus: GpuObservation, facts: Partial<RankFacts> = {}): readonly RankedProfile[] {
  return rankProfiles(profiles, { gpus, memoryTotalBytes: 120 * gib, ...facts });
}

function verdictsOf(ranked: readonly RankedProfile[]): Readonly<Record<string, string>> {
  return Object.fromEntries(ranked.map(({ name, verdict }) => [name, verdict]));
}

const slice: Gpu = {
  index: 0,
  name: 'NVIDIA A100-SXM4-80GB',
  computeCapability: '8.0',
  memoryTotalBytes: 80 * gib,
  mig: {
    enabled: true,
    devices: [
      { uuid: 'MIG-a', profile: '1g.10gb', memoryTotalBytes: 9.5 * gib },
      { uuid: 'MIG-b', profile: '1g.10gb', memoryTotalBytes: 9.5 * gib },
    ],
  },
};
const gb10: Gpu = { index: 0, name: 'NVIDIA GB10', computeCapability: '12.1', memoryKind: 'unified' };

/** What somebody who runs such cards would say: the first choice, and what the others come to. */
const cards: readonly (readonly [string, readonly Gpu[], string, Readonly<Record<string, string>>])[] = [
  // No bfloat16 and no FlashAttention 2: all of it runs, nothing well; FP8 weights cost time there.
  ['Tesla T4', toIdleGpus('Tesla T4'), 'int4', { int4: 'runs', fp8: 'runs', tools: 'runs', tp2: 'no', 'bf16-long': 'needs-change' }],
  ['RTX 3060', toIdleGpus('RTX 3060 12GB'), 'int4', { int4: 'runs-well', fp8: 'runs', speculative: 'no', 'bf16-long': 'no', tp2: 'no' }],
  ['A10G', toIdleGpus('A10G'), 'int4', { int4: 'runs-well', fp8: 'runs', tools: 'runs-well', speculative: 'runs-well' }],
  ['A100 40GB', toIdleGpus('A100 40GB PCIe'), 'int4', { fp8: 'runs', 'bf16-long': 'runs-well', speculative: 'runs-well' }],
  ['A100 80GB', toIdleGpus('A100 80GB SXM4'), 'int4', { fp8: 'runs', throughput: 'runs', 'bf16-long': 'runs-well' }],
  ['L4', toIdleGpus('L4'), 'fp8', { fp8: 'runs-well', int4: 'runs-well', throughput: 'runs-well', 'bf16-long': 'needs-change' }],
  ['RTX 4090', toIdleGpus('RTX 4090'), 'fp8', { thinking: 'runs-well', 'multi-instance': 'runs-well', 'bf16-long': 'needs-change' }],
  ['two RTX 4090', toIdleGpus('2x RTX 4090'), 'fp8', { tp2: 'runs-well', fp8: 'runs-well' }],
  ['L40S', toIdleGpus('L40S'), 'fp8', { 'bf16-long': 'runs-well', tp2: 'needs-change' }],
  ['H100', toIdleGpus('H100 80GB SXM'), 'fp8', { throughput: 'runs-well', tp2: 'needs-change', 'low-memory': 'runs' }],
  ['H200', toIdleGpus('H200'), 'fp8', { 'bf16-long': 'runs-well', throughput: 'runs-well' }],
  ['RTX 5090', toIdleGpus('RTX 5090'), 'fp8', { int4: 'runs-well', 'bf16-long': 'runs-well' }],
  ['RTX PRO 6000', toIdleGpus('RTX PRO 6000 Blackwell'), 'fp8', { 'bf16-long': 'runs-well', tp2: 'needs-change' }],
  ['B200', toIdleGpus('B200'), 'fp8', { throughput: 'runs-well', int4: 'runs-well' }],
  // Kernels are missing for it, and 0.92 of a memory that the system needs too is greedy.
  ['GB10', [gb10], 'fp8', { fp8: 'runs', throughput: 'runs', 'low-memory': 'runs' }],
  ['V100', toIdleGpus('Tesla V100 32GB'), 'cpu', { int4: 'no', fp16: 'no', tp2: 'no', tiny: 'runs' }],
  ['slices of an A100', [slice], 'int4', { int4: 'runs-well', fp8: 'runs', tp2: 'no', throughput: 'runs' }],
  ['a card of Pascal', toIdleGpus('GTX 1060 6GB'), 'cpu', { 'low-memory': 'no' }],
  ['a T4 beside an L4', [...toIdleGpus('L4'), ...toIdleGpus('Tesla T4').map((gpu) => ({ ...gpu, index: 1 }))], 'fp8', { tp2: 'runs' }],
];

describe('rankProfiles', () => {
  it.each(cards)('%s', (_, gpus, best, expected) => {
    const ranked = rank(present(gpus));
    expect(ranked[0]?.name).toBe(best);
    expect(verdictsOf(ranked)).toMatchObject(expected);
    expect(ranked.map(({ name }) => name).toSorted()).toEqual(names.toSorted());
    for (const { why, verdict, set } of ranked) {
      expect(toText(why)).not.toMatch(/\{\w+\}|undefined|NaN|\[object/);
      expect(set !== undefined).toBe(verdict === 'needs-change');
    }
  });

  it.each(cards)('%s: what needs a change runs with it', (_, gpus) => {
    for (const { name, set } of rank(present(gpus))) {
      const changed = set && withSettings(profiles.find((profile) => profile.name === name) as Profile, set);
      if (changed) expect(`${name}: ${tryOnGpus(changed, factsWith(gpus)).is}`).toBe(`${name}: good`);
    }
  });

  it('begins with what runs well, and puts what always runs at the end of what runs', () => {
    const verdicts = ['runs-well', 'runs', 'needs-change', 'no'];
    const ranked = rank(present(toIdleGpus('L4')));
    const places = ranked.map(({ verdict }) => verdicts.indexOf(verdict));
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(
      ranked
        .filter(({ verdict }) => verdict === 'runs')
        .slice(-3)
        .map(({ name }) => name),
    ).toEqual(['cpu', 'tiny', 'demo']);
  });

  it('is the same while the memory is taken', () => {
    const idle = toIdleGpus('RTX 4090');
    const busy = idle.map((gpu) => ({ ...gpu, memoryFreeBytes: gib, memoryUsedBytes: 23 * gib }));
    expect(rank(present(busy))).toEqual(rank(present(idle)));
  });

  it.each<[string, GpuObservation]>([
    ['no GPU', { is: 'absent', evidence: say('gpu.no-smi') }],
    ['a GPU that does not answer', { is: 'silent', signs: ['/dev/nvidia0'], evidence: say('gpu.no-smi') }],
  ])('%s: only what runs on the CPU', (_, gpus) => {
    const ranked = rank(gpus);
    expect(ranked.filter(({ verdict }) => verdict !== 'no').map(({ name }) => name)).toEqual(['cpu', 'tiny', 'demo']);
    expect(toText(ranked.find(({ name }) => name === 'int4')?.why ?? say('rank.mixed'))).toMatch(/nvidia-smi is not installed/);
  });

  it('does not send the CPU profile where its memory is missing', () => {
    const ranked = rank({ is: 'absent', evidence: say('gpu.no-smi') }, { memoryTotalBytes: 2 * gib });
    expect(verdictsOf(ranked)).toMatchObject({ cpu: 'no', tiny: 'runs' });
  });

  it('says of a change what it is and why', () => {
    const tp2 = rank(present(toIdleGpus('H100 80GB SXM'))).find(({ name }) => name === 'tp2');
    expect(tp2?.set).toEqual({ 'resources.gpus': 1 });
    expect(tp2 && toText(tp2.why)).toBe('with --set resources.gpus=1 (as it is: wants 2 GPUs, and there is 1)');
  });

  it.each([
    ['hidden', '', 'no', /hides every GPU/],
    ['the smaller one', '1', 'runs', /16 bits/],
    ['the larger one', '0', 'runs-well', /weights/],
  ])('goes by what CUDA_VISIBLE_DEVICES shows: %s', (_, visibleGpus, verdict, why) => {
    const gpus = [...toIdleGpus('L4'), ...toIdleGpus('RTX 3060 12GB').map((gpu) => ({ ...gpu, index: 1 }))];
    const fp8 = rank(present(gpus), { visibleGpus }).find(({ name }) => name === 'fp8');
    expect(fp8?.verdict).toBe(verdict);
    expect(fp8 && toText(fp8.why)).toMatch(why);
  });

  it('takes one slice where it is named, and knows when there are none', () => {
    expect(verdictsOf(rank(present([slice]), { visibleGpus: 'MIG-a' })).int4).toBe('runs-well');
    const empty: Gpu = { ...slice, mig: { enabled: true, devices: [] } };
    const ranked = rank(present([empty]));
    expect(toText(ranked.find(({ name }) => name === 'int4')?.why ?? say('rank.mixed'))).toMatch(/no slices/);
  });

  it('counts on an old driver only for what every GPU can do', () => {
    const { computeCapability: _, ...gpu } = toIdleGpus('L4')[0] as Gpu;
    const ranked = rank(present([gpu]));
    expect(ranked[0]?.name).toBe('int4');
    expect(ranked[0] && toText(ranked[0].why)).toMatch(/does not tell/);
  });

  it('leaves out everything that the driver cannot run', () => {
    const gpus = toIdleGpus('L4').map((gpu) => ({ ...gpu, driverVersion: '570.124.06' }));
    expect(verdictsOf(rank(present(gpus))).fp8).toBe('runs-well');
    const installed = verdictsOf(rank(present(gpus), { engines: [toEngine('gpu')] }));
    expect(installed).toMatchObject({ fp8: 'no', int4: 'no', cpu: 'runs' });
  });
});
