import { describe, expect, it } from 'vitest';
import { DeployError } from '../../src/core/error.ts';
import { say } from '../../src/core/message.ts';
import { type AutoFacts, type Availability, chooseAuto, gpuProfiles } from '../../src/plan/auto.ts';
import { toText } from '../../src/text/render.ts';
import { load, toGpu } from './stand-ins.ts';

const installed: Availability = { is: 'installed' };
const impossible: Availability = { is: 'impossible', why: say('auto.no-python') };
const absent: AutoFacts['gpus'] = { is: 'absent', evidence: say('gpu.no-smi') };
const profiles = await Promise.all(gpuProfiles.map((name) => load(name)));
const plain: AutoFacts = {
  gpus: absent,
  gpuEngine: impossible,
  cpuEngine: { is: 'installable' },
  cached: false,
  hubReachable: false,
  profiles,
};
const gpu = (gibibytes: number, capability: string): Partial<AutoFacts> => ({
  gpus: { is: 'present', gpus: [toGpu(0, 'Some GPU', { gibibytes, capability })] },
  gpuEngine: { is: 'installable' },
});

const l4 = toGpu(0, 'NVIDIA L4', { gibibytes: 22.5, capability: '8.9' });
const taken: Partial<AutoFacts> = { ...gpu(24, '8.9'), gpus: { is: 'present', gpus: [{ ...l4, memoryFreeBytes: 2 ** 30 }] } };
const a10 = toGpu(1, 'NVIDIA A10', { gibibytes: 22.5, capability: '8.6' });
const two: Partial<AutoFacts> = { ...gpu(24, '8.9'), gpus: { is: 'present', gpus: [l4, a10] } };
const oldDriver: AutoFacts['gpus'] = { is: 'present', gpus: [{ ...l4, driverVersion: '470.256.02' }], driverVersion: '470.256.02' };

function choose(facts: Partial<AutoFacts>): string {
  const choice = chooseAuto({ ...plain, ...facts });
  return choice instanceof DeployError ? choice.code : choice.profile;
}

describe('chooseAuto', () => {
  it.each<[string, Partial<AutoFacts>, string]>([
    ['Ada with room', gpu(24, '8.9'), 'fp8'],
    ['Blackwell with room', gpu(32, '12.0'), 'fp8'],
    ['Ada with little room', gpu(7, '8.9'), 'int4'],
    ['Ada with less', gpu(6, '8.9'), 'low-memory'],
    ['Ampere', gpu(80, '8.0'), 'int4'],
    ['Turing with 8 GiB', gpu(8, '7.5'), 'int4'],
    ['Turing with 6 GiB', gpu(6, '7.5'), 'low-memory'],
    ['Turing with 5 GiB', gpu(5, '7.5'), 'fp16'],
    ['Turing with 4 GiB', gpu(4, '7.5'), 'int8'],
    ['a GPU that is too small', gpu(2, '7.5'), 'tiny'],
    ['a GPU that is too old', gpu(32, '7.0'), 'tiny'],
    [
      'an old GPU beside a good one',
      {
        ...gpu(1, '1.0'),
        gpus: {
          is: 'present',
          gpus: [toGpu(0, 'V100', { gibibytes: 32, capability: '7.0' }), toGpu(1, 'L4', { gibibytes: 22.5, capability: '8.9' })],
        },
      },
      'fp8',
    ],
    [
      "a GPU that shares the machine's memory",
      { gpus: { is: 'present', gpus: [{ index: 0, name: 'NVIDIA GB10', computeCapability: '12.1' }] }, gpuEngine: installed },
      'fp8',
    ],
    [
      'a GPU whose capability an old driver does not tell',
      { gpus: { is: 'present', gpus: [{ index: 0, name: 'Tesla T4', memoryTotalBytes: 15 * 2 ** 30 }] }, gpuEngine: installed },
      'int4',
    ],
    ['the same, whatever of it is taken now', taken, 'fp8'],
    ['a GPU that the environment hides', { ...gpu(24, '8.9'), visibleGpus: '' }, 'tiny'],
    ['the GPU that the environment leaves', { ...two, visibleGpus: '1' }, 'int4'],
    ['the better one of two', two, 'fp8'],
    ['a driver that is too old for every build', { ...gpu(24, '8.9'), gpus: oldDriver }, 'tiny'],
    ['a GPU, but no engine for it', { ...gpu(24, '8.9'), gpuEngine: impossible }, 'demo'],
    ['a GPU, but only the CPU engine', { ...gpu(24, '8.9'), gpuEngine: impossible, cpuEngine: installed, cached: true }, 'cpu'],
    [
      'a GPU that does not answer',
      { gpus: { is: 'silent', signs: ['/dev/nvidia0'], evidence: say('gpu.no-smi') }, cached: true },
      'host/gpu-silent',
    ],
    ['no GPU, weights here', { cached: true }, 'cpu'],
    ['no GPU, weights within reach', { hubReachable: true }, 'cpu'],
    ['no GPU, no weights', {}, 'tiny'],
    ['no GPU, no engine', { cpuEngine: impossible, cached: true }, 'demo'],
  ])('%s', (_, facts, expected) => {
    expect(choose(facts)).toBe(expected);
  });

  it('says why, and what is not real', () => {
    const words = (facts: Partial<AutoFacts>) => {
      const choice = chooseAuto({ ...plain, ...facts });
      return choice instanceof DeployError ? '' : toText(choice.reason);
    };
    expect(words({ cpuEngine: impossible })).toMatch(/no Python.*Nothing below is a real model/);
    expect(words({})).toMatch(/nvidia-smi is not installed.*its text is noise/);
    expect(words({ ...gpu(24, '8.9'), gpus: oldDriver })).toMatch(/needs driver 525; here is 470\.256\.02/);
    expect(words(gpu(32, '7.0'))).toMatch(/7\.0; vLLM 0\.32\.0 begins at 7\.5/);
    expect(words(gpu(2, '7.5'))).toMatch(/its share of the GPU is/);
    expect(words({ ...gpu(24, '8.9'), visibleGpus: '-1' })).toMatch(/CUDA_VISIBLE_DEVICES "-1"/);
    expect(words(gpu(24, '8.9'))).toMatch(/Some GPU, 24\.0 GiB, 8\.9 .*\(7\.3 GiB\)/);
  });
});
