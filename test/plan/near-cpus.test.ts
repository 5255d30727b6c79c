import { describe, expect, it } from 'vitest';
import { say } from '../../src/core/message.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import type { CpuPlaces } from '../../src/gpu/sysfs.ts';
import { parseCpuList } from '../../src/plan/cpu-list.ts';
import type { Facts } from '../../src/plan/facts.ts';
import { planDeployment } from '../../src/plan/make-plan.ts';
import { checkPlan } from '../../src/plan/preflight.ts';
import { toText } from '../../src/text/render.ts';
import { load, machine, places, toGpu } from './stand-ins.ts';

const size = { gibibytes: 22.5, capability: '8.9' };
const busIds = ['00000000:3B:00.0', '00000000:AF:00.0'];
const gpus: readonly Gpu[] = busIds.map((busId, index) => ({ ...toGpu(index, 'NVIDIA L4', size), busId }));

interface Place {
  readonly node: number;
  readonly cpus: string;
}

const low: Place = { node: 0, cpus: '0-7,16-23' };
const high: Place = { node: 1, cpus: '8-15,24-31' };
const few: Place = { node: 2, cpus: '8-9' };

/** GPUs in this order; of `undefined` nobody knows where it is. */
function toPlaces(all: readonly (Place | undefined)[], online?: string): CpuPlaces {
  const known = all.map((place, at) => (place ? [{ busId: busIds[at] ?? '', ...place }] : []));
  return { ...(online === undefined ? {} : { online }), gpus: known.flat() };
}

function toFacts(all: readonly (Place | undefined)[], { usable = '0-31', online = '0-31' } = {}): Partial<Facts> {
  return {
    gpus: { is: 'present', gpus: gpus.slice(0, all.length) },
    cpus: parseCpuList(usable),
    cpuPlaces: toPlaces(all, online),
  };
}

interface Asked {
  readonly facts?: Partial<Facts>;
  readonly sets?: readonly string[];
  readonly replica?: number;
}

async function planCpus(name: string, { facts = {}, sets = [], replica }: Asked = {}) {
  const profile = await load(name, 'resources.cpus=auto', ...sets);
  const known = { ...machine, ...facts };
  const number = replica === undefined ? {} : { replica };
  const { plan, spec } = planDeployment({ profile, name, facts: known, places, simulatorEntry: '/sim.js', ...number });
  const decision = plan.decisions.find(({ setting }) => setting === 'resources.cpus');
  if (decision === undefined) throw new Error('nothing was decided');
  expect(decision.value).toBe(spec.resources.cpus ?? 'all');
  expect(decision.from).toBe('machine');
  return { cpus: spec.resources.cpus, why: toText(decision.reason), blocked: checkPlan(profile, known)?.code };
}

describe('resources.cpus: auto', () => {
  it.each<[string, string, Partial<Facts>, string | undefined, RegExp]>([
    ['a GPU on the first of two nodes', 'int4', toFacts([low]), '0-7,16-23', /^auto: those near .*GPU→NUMA node 0→0\)$/],
    ['a GPU on the second', 'int4', toFacts([high]), '8-15,24-31', /0→1\)$/],
    ['the GPU that is chosen, not the other', 'int4', toFacts([high, low]), '8-15,24-31', /0→1\)$/],
    ['two GPUs on one node', 'tp2', toFacts([high, high]), '8-15,24-31', /0→1, 1→1\)$/],
    ['two GPUs on two nodes of two', 'tp2', toFacts([low, high]), undefined, /^auto: every CPU .*0→0, 1→1\)$/],
    ['two GPUs on two nodes of three', 'tp2', toFacts([low, high], { usable: '0-39', online: '0-39' }), '0-31', /0→0, 1→1\)$/],
    ['one node', 'int4', toFacts([{ node: 0, cpus: '0-31' }]), undefined, /^auto: every CPU of this machine is near/],
    ['a kernel that does not tell which CPUs there are', 'int4', toFacts([low], { online: '' }), '0-7,16-23', /near its GPUs/],
    ['a cpuset that is smaller than the node', 'int4', toFacts([low], { usable: '2-6,8-11' }), '2-6', /that may be used here/],
    ['a cpuset on one node, and all are near', 'int4', toFacts([{ node: 0, cpus: '0-31' }], { usable: '0-3' }), undefined, /every CPU/],
    ['a cpuset on the other node', 'int4', toFacts([low], { usable: '8-15' }), undefined, /0→0\) 0 may be used here, .* keep 3 busy$/],
    ['just enough CPUs', 'int4', toFacts([low], { usable: '0-2,8-11' }), '0-2', /near its GPUs/],
    ['one too few', 'int4', toFacts([low], { usable: '0-1,8-11' }), undefined, / 2 may be used here, and its processes keep 3 busy$/],
    ['too few for two GPUs', 'tp2', toFacts([few, few]), undefined, / 2 may be used here, and its processes keep 4 busy$/],
    ['a node that nobody tells', 'int4', toFacts([undefined]), undefined, /^auto: the kernel does not tell .* near GPU 0, as on/],
    ['one of two that nobody tells', 'tp2', toFacts([low, undefined]), undefined, /near GPU 1, as on/],
    ['a GPU without an address', 'int4', { cpuPlaces: toPlaces([low], '0-31') }, undefined, /does not tell .* GPU 0/],
    ['facts of somebody who did not ask', 'int4', {}, undefined, /does not tell/],
    ['no GPU', 'int4', { gpus: { is: 'absent', evidence: say('gpu.no-smi') } }, undefined, /not known which GPU/],
    ['a GPU that is only named', 'int4', { ...toFacts([low]), gpusAssumed: true }, undefined, /only on the machine that has it$/],
    ['a CPU engine', 'cpu', toFacts([low]), undefined, /^auto: there is no GPU to be near to, and vLLM's CPU backend/],
    ['the simulator', 'demo', { ...toFacts([low]), backend: 'simulator' }, undefined, /simulator has no GPU/],
  ])('%s', async (_, name, facts, cpus, why) => {
    const found = await planCpus(name, { facts });
    expect(found.why).toMatch(why);
    expect(found.cpus).toBe(cpus);
    expect(found.blocked).not.toBe('host/cpus');
  });

  it('gives each replica those of its own GPU', async () => {
    const facts = toFacts([low, high]);
    const lists = [1, 2, 3].map((replica) => planCpus('multi-instance', { facts, replica }));
    expect((await Promise.all(lists)).map(({ cpus }) => cpus)).toEqual(['0-7,16-23', '8-15,24-31', '0-7,16-23']);
  });

  it('gives a container the same', async () => {
    const { cpus } = await planCpus('int4', { facts: { ...toFacts([high]), backend: 'docker' }, sets: ['engine.backend=docker'] });
    expect(cpus).toBe('8-15,24-31');
  });

  it('stays out of the way of who names CPUs, or wants all', async () => {
    for (const [list, expected] of [
      ['0-1', '0-1'],
      ['all', undefined],
    ]) {
      const profile = await load('int4', `resources.cpus=${list}`);
      const { spec } = planDeployment({ profile, name: 'a', facts: { ...machine, ...toFacts([high]) }, places, simulatorEntry: '/sim.js' });
      expect(spec.resources.cpus).toBe(expected);
    }
  });
});
