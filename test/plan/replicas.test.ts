import { describe, expect, it } from 'vitest';
import type { Facts } from '../../src/plan/facts.ts';
import { planDeployment } from '../../src/plan/make-plan.ts';
import { checkReplicas, sharesGpu, toMember, toMembers } from '../../src/plan/replicas.ts';
import { toErrorText } from '../../src/text/render.ts';
import { factsWith, toIdleGpus } from './known-gpus.ts';
import { load, machine, places } from './stand-ins.ts';

describe('toMembers', () => {
  it('is the deployment itself where there is one', async () => {
    const profile = await load('demo');
    expect(toMembers(profile, 'chat').all).toEqual([{ name: 'chat', profile }]);
  });

  it('is one for each replica, on ports in a row', async () => {
    const { first, all } = toMembers(await load('demo', 'replicas=3', 'server.port=9000'), 'chat');
    expect(all.map(({ name, replica, profile }) => [name, replica, profile.server.port])).toEqual([
      ['chat-1', 1, 9000],
      ['chat-2', 2, 9001],
      ['chat-3', 3, 9002],
    ]);
    expect(first).toEqual(all[0]);
  });
});

describe('the GPUs of replicas', () => {
  const see = async (facts: Facts, ...sets: string[]) => {
    const profile = await load('multi-instance', ...sets);
    return [1, 2, 3, 4].map((replica) => {
      const member = toMember(profile, 'multi', replica);
      return planDeployment({ ...member, facts, places, simulatorEntry: '/sim.js' }).spec.env.CUDA_VISIBLE_DEVICES ?? 'all';
    });
  };

  it.each<[string, Facts, readonly string[], readonly string[]]>([
    ['one GPU is for all', factsWith(toIdleGpus('L4')), [], ['all', 'all', 'all', 'all']],
    ['several take turns', factsWith(toIdleGpus('3x L4')), [], ['0', '1', '2', '0']],
    ['pairs take turns', factsWith(toIdleGpus('5x L4')), ['resources.gpus=2'], ['0,1', '2,3', '0,1', '2,3']],
    ['a list is shared out', factsWith(toIdleGpus('4x L4')), ['resources.gpus=[1, 3]'], ['1', '3', '1', '3']],
    ['what the environment allows is shared out', { ...factsWith(toIdleGpus('4x L4')), visibleGpus: '2,3' }, [], ['2', '3', '2', '3']],
    [
      'a small one beside a large one is left alone',
      factsWith([...toIdleGpus('RTX 4090'), ...toIdleGpus('RTX 3050 8GB').map((gpu) => ({ ...gpu, index: 1 }))]),
      [],
      ['0', '0', '0', '0'],
    ],
  ])('%s', async (_, facts, sets, expected) => {
    expect(await see(facts, ...sets)).toEqual(expected);
  });
});

describe('checkReplicas', () => {
  const check = async (gpus: string, ...sets: string[]) => {
    const profile = await load('multi-instance', ...sets);
    const error = checkReplicas(profile, factsWith(toIdleGpus(gpus)));
    return error && `${error.code}: ${toErrorText(error).message} ${toErrorText(error).hint}`;
  };

  it.each<[string, readonly string[], RegExp | undefined]>([
    ['L4', [], undefined],
    ['L4', ['vllm.gpu-memory-utilization=0.3'], /^host\/gpu-replicas: 4 replicas share GPU 0 \(L4\).*0\.3: 1\.2 of 1.*=0\.23\)/],
    ['2x L4', ['vllm.gpu-memory-utilization=0.3'], undefined],
    ['4x L4', ['vllm.gpu-memory-utilization=0.9'], undefined],
    ['L4', ['vllm.gpu-memory-utilization=', 'vllm.kv-cache-memory-bytes=2G'], undefined],
    [
      'L4',
      ['vllm.gpu-memory-utilization=', 'vllm.kv-cache-memory-bytes=8G'],
      /^host\/gpu-replicas-memory: 4 replicas.*need 40\.\d GiB.*22\.5 GiB/,
    ],
  ])('M8 %s %j', async (gpus, sets, expected) => {
    const said = await check(gpus, ...sets);
    if (expected === undefined) expect(said).toBeUndefined();
    else expect(said).toMatch(expected);
  });

  it('has nothing to say of one alone, or without a GPU', async () => {
    expect(checkReplicas(await load('int4'), machine)).toBeUndefined();
    expect(checkReplicas(await load('cpu', 'replicas=4'), machine)).toBeUndefined();
  });
});

describe('sharesGpu', () => {
  it.each([
    ['L4', true],
    ['4x L4', false],
    ['3x L4', true],
  ])('four replicas on %s: %s', async (gpus, expected) => {
    expect(sharesGpu(await load('multi-instance'), factsWith(toIdleGpus(gpus)))).toBe(expected);
  });
});
