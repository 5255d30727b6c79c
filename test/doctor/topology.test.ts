import { describe, expect, it } from 'vitest';
import { topologyChecks } from '../../src/doctor/checks/topology.ts';
import { toPins } from '../../src/doctor/cpus.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { l4 } from '../plan/stand-ins.ts';
import { createMachine, createSubject, type Entry, type MachineParts, runCheck } from './stand-ins.ts';

const usable = (list: string) => ({ '/proc/self/status': `Cpus_allowed_list:\t${list}\n` });
const nodes = (...lists: readonly string[]) =>
  Object.fromEntries(lists.map((list, node) => [`/sys/devices/system/node/node${node}/cpulist`, `${list}\n`]));
const gpu: Gpu = { ...l4, busId: '00000000:3B:00.0' };
const at = (node: string) => ({ '/sys/bus/pci/devices/0000:3b:00.0/numa_node': `${node}\n` });
const two = { ...usable('0-15'), ...nodes('0-7', '8-15'), ...at('1') };

describe('host.numa', () => {
  const ask = async (parts: MachineParts, profile?: string, sets: readonly string[] = []) => {
    const subject = profile ? await createSubject(profile, { sets, facts: { gpus: { is: 'present', gpus: [gpu] } } }) : undefined;
    return runCheck(topologyChecks, 'host.numa', createMachine({ gpus: [gpu], ...parts, ...(subject ? { subject } : {}) }));
  };

  it.each<[string, MachineParts, string | undefined, readonly string[], string, RegExp]>([
    ['one node', { files: nodes('0-7') }, 'int4', [], 'pass', /^one NUMA node with CPUs 0-7$/],
    ['two nodes without a pin', { files: two }, 'int4', [], 'pass', /2 NUMA nodes; GPU→node 0→1, near CPUs 8-15/],
    ['pinned near', { files: two }, 'int4', ['resources.cpus=8-9'], 'pass', /near CPUs 8-15/],
    ['pinned far', { files: two }, 'int4', ['resources.cpus=0-3'], 'warn', /resources.cpus 0-3 lies on another NUMA node/],
    ['a node that nobody tells', { files: { ...two, ...at('-1') } }, 'int4', ['resources.cpus=0-3'], 'pass', /^2 NUMA nodes$/],
    ['an empty file', { files: { ...two, ...at('') } }, 'int4', ['resources.cpus=0-3'], 'pass', /^2 NUMA nodes$/],
    ['an unreadable node of the GPU', { files: { ...usable('0-15'), ...nodes('0-7', '8-15') } }, 'int4', [], 'pass', /^2 NUMA nodes$/],
    ['the GPU is only on paper', { files: two, gpusFromFile: true }, 'int4', ['resources.cpus=0-3'], 'pass', /^2 NUMA nodes$/],
    ['no GPU here', { files: two, gpus: [] }, 'int4', ['resources.cpus=0-3'], 'pass', /^2 NUMA nodes$/],
    ['a CPU engine on two nodes', { files: two }, 'cpu', ['resources.cpus=0-3'], 'pass', /^2 NUMA nodes$/],
    ['no profile', { files: two }, undefined, [], 'pass', /near CPUs 8-15/],
    ['two CPU workers on one node', { files: nodes('0-7') }, 'cpu', ['vllm.tensor-parallel-size=2'], 'fail', /2 workers .* there are 1$/],
    ['two CPU workers on two nodes', { files: two }, 'cpu', ['vllm.tensor-parallel-size=2'], 'pass', /2 NUMA nodes/],
    [
      'two CPU workers that are bound',
      { files: nodes('0-7') },
      'cpu',
      ['vllm.tensor-parallel-size=2', 'engine.env.VLLM_CPU_OMP_THREADS_BIND=0-3|4-7'],
      'pass',
      /one NUMA node/,
    ],
    ['no nodes', {}, 'int4', [], 'skip', /tells of no NUMA nodes/],
    ['an unreadable list', { files: { '/sys/devices/system/node/node0/cpulist': { directory: true } } }, 'int4', [], 'skip', /no NUMA/],
  ])('%s', async (_, parts, profile, sets, expected, message) => {
    const answer = await ask(parts, profile, sets);
    expect(answer.status).toBe(expected);
    expect(answer.message).toMatch(message);
  });

  it('proposes the CPUs near the GPU, and says what it has read', async () => {
    const answer = await ask({ files: { ...two, ...usable('0-11') } }, 'int4', ['resources.cpus=0-3']);
    expect(answer.fix).toEqual({ is: 'profile', set: { 'resources.cpus': 'auto' } });
    expect(answer.hint).toContain('--set resources.cpus=auto');
    expect(answer.evidence).toContain('/sys/bus/pci/devices/0000:3b:00.0/numa_node: 1');
    expect(answer.needed).toBe(false);
  });

  it('names them where a plan would not find them, or not take so few', async () => {
    const few = await ask({ files: { ...two, ...usable('0-9') } }, 'int4', ['resources.cpus=0-3']);
    expect(few.fix).toEqual({ is: 'profile', set: { 'resources.cpus': '8-9' } });
    const told = await ask({ files: { ...two, ...at('-1') }, gpus: [{ ...gpu, numaNode: 1 }] }, 'int4', ['resources.cpus=0-3']);
    expect(told.fix).toEqual({ is: 'profile', set: { 'resources.cpus': '8-15' } });
  });

  it('takes the list that a plan has made of auto', async () => {
    const places = { gpus: [{ busId: gpu.busId ?? '', node: 1, cpus: '8-15' }] };
    const facts = { gpus: { is: 'present', gpus: [gpu] }, cpus: [8, 9, 10, 11], cpuPlaces: places } as const;
    const subject = await createSubject('int4', { sets: ['resources.cpus=auto'], facts });
    expect(toPins(subject)).toEqual([{ path: 'resources.cpus', list: '8-11', cpus: [8, 9, 10, 11] }]);
    expect(toPins(await createSubject('int4', { sets: ['resources.cpus=auto'] }))).toEqual([]);
  });

  it('takes the word of the driver where there is one', async () => {
    const gpus = [{ ...gpu, numaNode: 0 }];
    const answer = await runCheck(topologyChecks, 'host.numa', createMachine({ files: two, gpus }));
    expect(answer.message).toMatch(/0→0, near CPUs 0-7/);
  });
});

describe('host.hyper-threads', () => {
  const cores = (...lists: readonly string[]): Record<string, Entry> => ({
    ...usable(`0-${lists.length - 1}`),
    ...Object.fromEntries(lists.map((list, cpu) => [`/sys/devices/system/cpu/cpu${cpu}/topology/thread_siblings_list`, `${list}\n`])),
  });
  const paired = cores('0,2', '1,3', '0,2', '1,3');
  it.each<[string, Record<string, Entry>, string | undefined, readonly string[], string, RegExp, string | undefined]>([
    ['none', cores('0', '1'), 'cpu', ['resources.cpus=0-1'], 'pass', /core of its own \(2\)/, undefined],
    ['pairs, one of each named', paired, 'cpu', ['resources.cpus=0-1'], 'pass', /^4 CPUs on 2 cores$/, undefined],
    ['pairs, both of one named', paired, 'cpu', ['resources.cpus=0-2'], 'warn', /0-2 holds both .*\(0,2\)/, '0-1'],
    ['pairs, both bound', paired, 'cpu', ['engine.env.VLLM_CPU_OMP_THREADS_BIND=1,3'], 'warn', /BIND 1,3 holds both/, '1'],
    ['pairs, and vLLM chooses', paired, 'cpu', [], 'pass', /4 CPUs on 2 cores/, undefined],
    ['pairs named for a GPU', paired, 'int4', ['resources.cpus=0-3'], 'pass', /4 CPUs on 2 cores/, undefined],
    ['no profile', paired, undefined, [], 'pass', /4 CPUs on 2 cores/, undefined],
    ['no topology', usable('0-3'), 'cpu', ['resources.cpus=0-3'], 'skip', /does not tell which CPUs share/, undefined],
    ['no list of CPUs', {}, 'cpu', [], 'skip', /could not read/, undefined],
  ])('%s', async (_, files, profile, sets, expected, message, fits) => {
    const parts = profile ? { subject: await createSubject(profile, { sets }) } : {};
    const answer = await runCheck(topologyChecks, 'host.hyper-threads', createMachine({ files, ...parts }));
    expect(answer.status).toBe(expected);
    expect(answer.message).toMatch(message);
    expect(answer.fix?.is === 'profile' ? Object.values(answer.fix.set)[0] : undefined).toBe(fits);
  });
});
