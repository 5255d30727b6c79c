import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DeployError } from '../src/core/error.ts';
import { say } from '../src/core/message.ts';
import type { Gpu } from '../src/gpu/gpu.ts';
import { toModelFacts } from '../src/model/catalogue.ts';
import { chooseAuto } from '../src/plan/auto.ts';
import type { Facts } from '../src/plan/facts.ts';
import { planDeployment } from '../src/plan/make-plan.ts';
import { checkPlan } from '../src/plan/preflight.ts';
import { load, machine, places } from './plan/stand-ins.ts';

interface TableGpu {
  readonly name: string;
  readonly cc: string;
  readonly memory_gb: number;
  readonly memory_total_mib_seen: number | null;
  readonly cuda_total_gib_seen: number | null;
}

const table: readonly TableGpu[] = JSON.parse(readFileSync(new URL('./fixtures/gpus/gpu-table.json', import.meta.url), 'utf8'));
const directory = new URL('../profiles/', import.meta.url);
const shipped = readdirSync(directory)
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => name.replace('.yaml', ''));

/** A GPU of the table with nothing on it: what nvidia-smi calls free, if no capture says, is 0.6 GiB less than all. */
function toGpu(entry: TableGpu): Gpu {
  const total = (entry.memory_total_mib_seen ?? entry.memory_gb * 1000) * 2 ** 20;
  return { index: 0, name: entry.name, computeCapability: entry.cc, memoryTotalBytes: total, memoryFreeBytes: total - 0.6 * 2 ** 30 };
}

function factsWith(gpu: Gpu): Facts {
  return { ...machine, gpus: { is: 'present', gpus: [gpu] } };
}

describe('shipped profiles', () => {
  it('are these', () => {
    expect(shipped.toSorted()).toEqual(['cpu', 'demo', 'fp16', 'fp8', 'int4', 'int8', 'tiny']);
  });

  it.each(shipped)('%s has a line that says what it is for, and a reason for its numbers', async (name) => {
    const profile = await load(name);
    expect(profile.description).toMatch(/^[A-Z].{20,79}$/);
    const text = readFileSync(new URL(`${name}.yaml`, directory), 'utf8');
    expect(text).toMatch(/^#/);
  });

  it.each(shipped)('%s names a model that exists', async (name) => {
    const { model } = await load(name);
    expect(model.source === 'miniature' || toModelFacts(model.id) !== undefined).toBe(true);
  });

  it.each([
    ['fp16', 'Tesla T4'],
    ['int8', 'RTX 2060 6GB'],
    ['int4', 'RTX 2060 6GB'],
    ['fp8', 'RTX 4090'],
  ])('%s plans for a %s', async (name, gpuName) => {
    const entry = table.find((gpu) => gpu.name === gpuName);
    if (entry === undefined) throw new Error(`${gpuName} is not in the table`);
    const profile = await load(name);
    const facts = factsWith(toGpu(entry));
    expect(checkPlan(profile, facts)).toBeUndefined();
    const { plan, spec } = planDeployment({ profile, name, facts, places, simulatorEntry: '/sim.js' });
    expect(plan).toMatchObject({ backend: 'process', engine: { version: '0.32.0' } });
    expect(spec.args).toContain('--gpu-memory-utilization');
  });

  it.each(['demo', 'tiny', 'cpu'])('%s needs no GPU', async (name) => {
    const facts: Facts = { ...machine, gpus: { is: 'absent', evidence: say('gpu.no-smi') } };
    expect(checkPlan(await load(name), facts)).toBeUndefined();
  });
});

describe('the automatic choice', () => {
  const modern = table.filter(({ cc }) => Number(cc) >= 7.5);

  it.each(modern.map((entry) => [entry.name, entry] as const))('for a %s passes its own checks', async (_, entry) => {
    const gpu = toGpu(entry);
    const engine = { is: 'installable' } as const;
    const choice = chooseAuto({
      gpus: { is: 'present', gpus: [gpu] },
      gpuEngine: engine,
      cpuEngine: engine,
      cached: true,
      hubReachable: true,
    });
    if (choice instanceof DeployError) throw choice;
    expect(['fp8', 'int4', 'int8']).toContain(choice.profile);
    expect(checkPlan(await load(choice.profile), factsWith(gpu))).toBeUndefined();
  });
});
