import { expect, it } from 'vitest';
import type { Container } from '../../../src/host/docker/docker.ts';
import type { ContainerSpec, LaunchResources } from '../../../src/plan/launch-spec.ts';
import { checkContainer } from '../../../src/runtime/docker/limits.ts';
import { container, running, toSpec } from './stand-ins.ts';

const gib = 2 ** 30;
const asked: LaunchResources = { cpus: '0-1,4', memoryBytes: 4 * gib, pids: 600, nofile: 4096 };
/** As an engine elsewhere tells it that has done all of that. */
const given = {
  Memory: 4 * gib,
  MemorySwap: 4 * gib,
  PidsLimit: 600,
  CpusetCpus: '4,0,1',
  Ulimits: [{ Name: 'nofile', Soft: 4096, Hard: 4096 }],
  DeviceRequests: null,
};

interface Wish {
  readonly resources?: LaunchResources;
  readonly gpus?: ContainerSpec['gpus'];
  readonly hostConfig: Container['hostConfig'];
  /** What nvidia-smi -L says. */
  readonly inside?: string;
}

const check = ({ resources = asked, gpus, hostConfig, inside }: Wish) => {
  const spec = toSpec({ resources, container: { ...container, ...(gpus ? { gpus } : {}) } });
  return checkContainer({ ...running, hostConfig }, { spec, lookInside: async () => inside });
};

it('has nothing to say of a container that got what was ordered, nor of what nobody can tell', async () => {
  expect(await check({ hostConfig: given })).toEqual({});
  expect(await check({ hostConfig: {} })).toEqual({});
  expect(await check({ resources: {}, hostConfig: { Memory: 0, MemorySwap: 0, PidsLimit: null, CpusetCpus: '' } })).toEqual({});
});

/** What Docker takes out of an order that it cannot fulfil, with a warning that nobody reads. */
it.each<[string, Container['hostConfig'], object]>([
  ['no memory cap', { ...given, Memory: 0, MemorySwap: 0 }, { memoryCapProblem: 'unlimited' }],
  ['another memory cap', { ...given, Memory: gib, MemorySwap: gib }, { memoryCapProblem: '1.0 GiB' }],
  ['no cap of swap', { ...given, MemorySwap: -1 }, { swapProblem: 'unlimited' }],
  ['as much swap again', { ...given, MemorySwap: 0 }, { swapProblem: '4.0 GiB' }],
  ['no cap of processes', { ...given, PidsLimit: null }, { pidsCapProblem: 'unlimited' }],
  ['a few more processes', { ...given, PidsLimit: 601 }, { pidsCapProblem: '601' }],
  ['all CPUs', { ...given, CpusetCpus: '' }, { cpusProblem: 'all' }],
  ['a CPU less', { ...given, CpusetCpus: '0-1' }, { cpusProblem: '0-1' }],
  ['fewer files', { ...given, Ulimits: [{ Name: 'nofile', Soft: 1024, Hard: 4096 }] }, { nofileProblem: '1024' }],
])('tells of %s', async (_, hostConfig, problems) => {
  expect(await check({ hostConfig })).toEqual(problems);
});

const [one, other] = ['GPU-11111111-aaaa', 'GPU-22222222-bbbb'];
const mig = 'MIG-33333333-cccc';
const byNvidia = (...ids: string[]) => ({ DeviceRequests: [{ Driver: 'nvidia', DeviceIDs: ids }] });
const list = (...uuids: string[]) => uuids.map((uuid, index) => `GPU ${index}: NVIDIA L4 (UUID: ${uuid})\n`).join('');

it.each<[string, NonNullable<ContainerSpec['gpus']>, Container['hostConfig'], string | undefined, object]>([
  ['those that were ordered', { by: 'nvidia', ids: [one] }, byNvidia(one), list(one), {}],
  ['those by CDI', { by: 'cdi', ids: [one] }, { DeviceRequests: [{ Driver: 'cdi', DeviceIDs: [`nvidia.com/gpu=${one}`] }] }, list(one), {}],
  ['those in another order', { by: 'nvidia', ids: [one, other] }, byNvidia(one, other), list(other, one), {}],
  ['as many as were ordered by number', { by: 'nvidia', ids: ['0', '1'] }, byNvidia('0', '1'), list(one, other), {}],
  ['a part of one', { by: 'nvidia', ids: [mig] }, byNvidia(mig), `${list(one)}  MIG 1g.5gb Device 0: (UUID: ${mig})\n`, {}],
  ['what nobody can look at', { by: 'nvidia', ids: [one] }, byNvidia(one), undefined, {}],
  ['devices of another way', { by: 'nvidia', ids: [one] }, { DeviceRequests: null, Devices: [{}] }, undefined, {}],
  ['no request at all', { by: 'nvidia', ids: [one] }, { DeviceRequests: null, Devices: null }, undefined, { gpusProblem: 'none' }],
  ['another one asked for', { by: 'nvidia', ids: [one] }, byNvidia(other), list(one), { gpusProblem: other }],
  ['all of the machine inside', { by: 'nvidia', ids: [one] }, byNvidia(one), list(one, other), { gpusProblem: `${one}, ${other}` }],
  ['one too few by number', { by: 'nvidia', ids: ['0', '1'] }, byNvidia('0', '1'), list(one), { gpusProblem: one }],
])('GPUs: %s', async (_, gpus, hostConfig, inside, problems) => {
  expect(await check({ resources: {}, gpus, hostConfig, ...(inside === undefined ? {} : { inside }) })).toEqual(problems);
});
