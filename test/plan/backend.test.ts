import { describe, expect, it } from 'vitest';
import type { DockerFacts } from '../../src/plan/docker-facts.ts';
import { planDeployment } from '../../src/plan/make-plan.ts';
import type { BackendName } from '../../src/profile/profile.ts';
import { toText } from '../../src/text/render.ts';
import { load, machine, places } from './stand-ins.ts';

const docker: DockerFacts = {
  engine: { is: 'present', socket: '/run/d.sock', version: '27.0.0', apiVersion: '1.46', runtimes: ['runc', 'nvidia'] },
  reference: 'vllm/vllm-openai:v0.32.0',
  gpuWay: 'nvidia',
  loadBytes: 1.5 * 2 ** 30,
  hubCache: '/home/me/hub',
};

async function plan(profile: string, backend: BackendName, sets: readonly string[] = []) {
  const facts = { ...machine, backend, ...(backend === 'docker' ? { docker } : {}) };
  const { plan: made } = planDeployment({ profile: await load(profile, ...sets), name: profile, facts, places, simulatorEntry: '/sim.js' });
  return (setting: string) => {
    const found = made.decisions.find((decision) => decision.setting === setting);
    return found && [found.value, found.from, toText(found.reason)];
  };
}

describe('the backend that nobody has named', () => {
  it.each<[string, BackendName, readonly string[], string]>([
    ['int4', 'docker', [], 'Docker is here and can give it GPUs'],
    ['int4', 'process', [], 'no Docker here that can give it GPUs'],
    ['tiny', 'process', [], 'on a CPU a container gains nothing'],
    ['int4', 'process', ['engine.executable=/opt/vllm'], 'engine.executable is a program of this machine'],
  ])('%s by %s %j: says why', async (profile, backend, sets, reason) => {
    expect((await plan(profile, backend, sets))('engine.backend')).toEqual([backend, 'machine', reason]);
  });
});

describe('the memory of a container', () => {
  it('has the reason of its number, and no swap', async () => {
    const found = await plan('int4', 'docker', ['resources.memory=12GiB']);
    expect(found('container.memory')).toEqual(['12.0 GiB', 'set', expect.stringContaining('at least 1.5 GiB')]);
    expect(found('container.swap')).toEqual(['none', 'default', expect.stringContaining('an engine that swaps answers nobody')]);
  });

  it('is that of the machine where nobody has capped it, which is said', async () => {
    const found = await plan('int4', 'docker');
    expect(found('container.memory')).toEqual(['all', 'default', expect.stringContaining('the kernel of the machine decides')]);
    expect(found('container.swap')).toBeUndefined();
  });
});
