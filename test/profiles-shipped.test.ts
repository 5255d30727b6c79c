import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DeployError } from '../src/core/error.ts';
import { say } from '../src/core/message.ts';
import { toModelFacts } from '../src/model/catalogue.ts';
import { chooseAuto, gpuProfiles } from '../src/plan/auto.ts';
import type { Facts } from '../src/plan/facts.ts';
import { planDeployment } from '../src/plan/make-plan.ts';
import { checkPlan } from '../src/plan/preflight.ts';
import { checkReplicas, toMembers } from '../src/plan/replicas.ts';
import { checkPlanRules } from '../src/plan/rules/index.ts';
import { checkProfile } from '../src/profile/load.ts';
import type { Profile } from '../src/profile/profile.ts';
import { toText } from '../src/text/render.ts';
import { factsWith, knownGpus, toIdleGpus } from './plan/known-gpus.ts';
import { load, machine, places } from './plan/stand-ins.ts';

const directory = new URL('../profiles/', import.meta.url);
const shipped = readdirSync(directory)
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => name.replace('.yaml', ''));
const withoutGpu = ['demo', 'tiny', 'cpu'];
const withGpu = shipped.filter((name) => !withoutGpu.includes(name));

/** `labels: {fits: RTX 4090, 2x L4}`: machines, as `plan --gpu` takes them. */
function toMachines({ labels }: Profile, label: 'fits' | 'too-small'): readonly string[] {
  return (labels[label] ?? '').split(',').flatMap((name) => (name.trim() === '' ? [] : [name.trim()]));
}

function refuse(profile: Profile, gpus: string): string | undefined {
  const facts = factsWith(toIdleGpus(gpus));
  const alone = toMembers(profile, profile.name).all.map(({ profile: own, replica = 1 }) => checkPlan(own, facts, { replica }));
  return (alone.find((error) => error !== undefined) ?? checkReplicas(profile, facts))?.code;
}

describe('shipped profiles', () => {
  it('are these', () => {
    expect(shipped.toSorted()).toEqual([
      ...['bf16-long', 'cpu', 'demo', 'fp16', 'fp8', 'int4', 'int8', 'latency', 'lora', 'low-memory', 'multi-instance'],
      ...['no-thinking', 'speculative', 'thinking', 'throughput', 'tiny', 'tools', 'tp2'],
    ]);
  });

  it.each(shipped)('%s has nothing that profiles check would mention', async (name) => {
    const { findings, profile } = await checkProfile(name, { places, cwd: '/', sets: [] });
    expect(findings.map(({ code, path, message }) => `${code} ${path}: ${toText(message)}`)).toEqual([]);
    expect(profile?.name).toBe(name);
  });

  it.each(shipped)('%s has a line that says what it is for, and a reason for its numbers', async (name) => {
    const profile = await load(name);
    expect(profile.description).toMatch(/^[A-Z].{20,79}$/);
    const lines = readFileSync(new URL(`${name}.yaml`, directory), 'utf8').split('\n');
    expect(lines[0]).toMatch(/^# .{40}/);
    // A number of vLLM's stands below its reason, or below another one that has it.
    const block = lines.slice(lines.indexOf('vllm:') + 1);
    const numbers = block.filter((line) => /^ {2}[a-z-]+: [\d.]+$/.test(line));
    const reasons = block.filter((line) => /^ {2,4}# /.test(line));
    expect(reasons.length).toBeGreaterThanOrEqual(Math.ceil(numbers.length / 3));
  });

  it.each(shipped)('%s names a model that exists', async (name) => {
    const { model, vllm } = await load(name);
    expect(model.source === 'miniature' || toModelFacts(model.id) !== undefined).toBe(true);
    const draft = vllm['speculative-config'];
    if (typeof draft === 'object' && 'model' in draft) expect(toModelFacts(String(draft.model))).toBeDefined();
  });

  it.each(withGpu)('%s plans for every GPU that it says it fits', async (name) => {
    const profile = await load(name);
    const machines = toMachines(profile, 'fits');
    expect(machines.length).toBeGreaterThan(4);
    for (const gpus of machines) {
      expect(`${gpus}: ${refuse(profile, gpus)}`).toBe(`${gpus}: undefined`);
      const facts = factsWith(toIdleGpus(gpus));
      expect(checkPlanRules(profile, facts).map(({ code, message }) => `${gpus}: ${code} ${toText(message)}`)).toEqual([]);
      const { plan, spec } = planDeployment({ profile, name, facts, places, simulatorEntry: '/sim.js' });
      expect(plan).toMatchObject({ backend: 'process', engine: { version: '0.32.0' } });
      expect(spec.args).toContain('--gpu-memory-utilization');
    }
  });

  it.each(withGpu)('%s is refused where it cannot work', async (name) => {
    const profile = await load(name);
    for (const gpus of toMachines(profile, 'too-small')) expect(`${gpus}: ${refuse(profile, gpus)}`).toMatch(/host\/gpu-(small|count)$/);
    expect(refuse(profile, '2x Tesla V100 32GB')).toMatch(/^host\/gpu-(unsupported|count)$/);
  });

  it.each(withoutGpu)('%s needs no GPU', async (name) => {
    const facts: Facts = { ...machine, gpus: { is: 'absent', evidence: say('gpu.no-smi') } };
    expect(checkPlan(await load(name), facts)).toBeUndefined();
  });
});

describe('the automatic choice', () => {
  const modern = knownGpus.filter(({ capability }) => Number(capability) >= 7.5).map(({ name }) => name);

  it.each(modern)('for a %s passes its own checks', async (name) => {
    const engine = { is: 'installable' } as const;
    const profiles = await Promise.all(gpuProfiles.map((profile) => load(profile)));
    const gpus = toIdleGpus(name);
    const facts = {
      gpus: { is: 'present', gpus },
      gpuEngine: engine,
      cpuEngine: engine,
      cached: true,
      hubReachable: true,
      profiles,
    } as const;
    const choice = chooseAuto(facts);
    if (choice instanceof DeployError) throw choice;
    expect(gpuProfiles).toContain(choice.profile);
    expect(checkPlan(await load(choice.profile), factsWith(gpus))).toBeUndefined();
  });
});
