import { describe, expect, it } from 'vitest';
import { say } from '../../../src/core/message.ts';
import type { Gpu } from '../../../src/gpu/gpu.ts';
import type { GpuDetails } from '../../../src/gpu/query.ts';
import { checkGpus, type GpuWants, toShare } from '../../../src/supervisor/gpu/check.ts';
import { chooseThrottle } from '../../../src/supervisor/gpu/throttle.ts';
import { toText } from '../../../src/text/render.ts';

const GiB = 2 ** 30;
const l4: Gpu = { index: 0, uuid: 'GPU-a', name: 'NVIDIA L4', memoryTotalBytes: 24 * GiB, memoryFreeBytes: 23 * GiB, memoryUsedBytes: 0 };
const wants: GpuWants = { gpus: ['GPU-a'], share: 0.85, before: new Map(), upForMs: 3_600_000, profile: 'fp16' };
const read = (...gpus: readonly Partial<Gpu>[]): GpuDetails => ({ is: 'read', gpus: gpus.map((gpu) => ({ ...l4, ...gpu })) });
const taken = { memoryFreeBytes: 10 * GiB, processes: [{ pid: 7, name: 'train', memoryUsedBytes: 13 * GiB }] };
const booting = { upForMs: 9 * 60_000 };

describe('checkGpus', () => {
  it.each<[string, GpuDetails, Partial<Omit<GpuWants, 'share'>> & { share?: number | undefined }, string, boolean?]>([
    ['all is well', read({}), {}, 'passed'],
    ['by index', read({}), { gpus: ['0'] }, 'passed'],
    ['I3 it hangs', { is: 'hangs', evidence: say('gpu.smi-unreadable') }, {}, 'passed'],
    ['I4 it says nothing that can be read', { is: 'unread', evidence: say('gpu.smi-unreadable') }, {}, 'passed'],
    ['I5 none, just after the boot', { is: 'none', evidence: say('gpu.no-smi') }, booting, 'host/gpu-gone', false],
    ['I5 none, ten minutes after the boot', { is: 'none', evidence: say('gpu.no-smi') }, { upForMs: 600_000 }, 'host/gpu-gone', true],
    ['not all of them yet, just after the boot', read({}), { gpus: ['GPU-a', 'GPU-b'], ...booting }, 'host/gpu-gone', false],
    ['I9 another UUID', read({ uuid: 'GPU-b' }), {}, 'host/gpu-gone', true],
    ['I9 the index means another GPU', read({ uuid: 'GPU-b' }), { gpus: ['0'], before: new Map([[0, 'GPU-a']]) }, 'host/gpu-changed', true],
    ['I9 another order, bound by UUID', read({ index: 1 }), { before: new Map([[0, 'GPU-a']]) }, 'passed'],
    ['I8 a reset', read({ recoveryAction: 'Reset' }), {}, 'host/gpu-needs-reset', true],
    ['I8 a drain and a reset', read({ recoveryAction: 'Drain and Reset' }), {}, 'host/gpu-needs-reset', true],
    ['I8 a reboot', read({ recoveryAction: 'Reboot' }), {}, 'host/gpu-needs-reboot', true],
    ['I8 of a GPU that is not ours', read({}, { index: 1, uuid: 'GPU-b', recoveryAction: 'Reset' }), {}, 'passed'],
    ['I8 lost', { is: 'read', gpus: [], lost: true }, {}, 'host/gpu-needs-reboot', true],
    ['I7 a stranger has the memory', read(taken), {}, 'host/gpu-taken', false],
    ['I7 a stranger leaves enough', read({ ...taken, memoryFreeBytes: 21 * GiB }), {}, 'passed'],
    ['I7 nobody to name: vLLM decides', read({ memoryFreeBytes: 10 * GiB }), {}, 'passed'],
    ['I7 the share is not known', read(taken), { share: undefined }, 'passed'],
    ['I7 memory of the machine itself', read({ ...taken, memoryKind: 'unified' }), {}, 'passed'],
    ['part of a GPU', read({}), { gpus: ['MIG-1'] }, 'passed'],
  ])('%s', (_, details, changes, code, permanent) => {
    const { share, ...rest } = { ...wants, ...changes };
    const check = checkGpus(details, { ...rest, ...(share === undefined ? {} : { share }) });
    expect(check.is === 'failed' ? [check.code, check.permanent, check.waits ?? false] : [check.is]).toEqual(
      permanent === undefined ? ['passed'] : [code, permanent, !permanent],
    );
  });

  it('keeps what each held', () => {
    const check = checkGpus(read({ busId: '00000000:01:00.0', memoryUsedBytes: GiB, processes: [{ pid: 7, name: 'Xorg' }] }), {
      ...wants,
      share: 0.1,
    });
    expect(check).toEqual({
      is: 'passed',
      gpuBaselines: [{ index: 0, uuid: 'GPU-a', busId: '00000000:01:00.0', usedBytes: GiB, owners: [{ pid: 7, name: 'Xorg' }] }],
    });
  });

  it('names the command and the owner', () => {
    const reset = checkGpus(read({ recoveryAction: 'Reset' }), wants);
    expect(reset.is === 'failed' && toText(reset.reason)).toBe(
      'GPU 0 needs a reset, with nothing running on it: sudo nvidia-smi --gpu-reset -i 0',
    );
    const full = checkGpus(read(taken), wants);
    expect(full.is === 'failed' && toText(full.reason)).toBe(
      'GPU 0 has 10.0 GiB free of the 20.4 GiB that it is started with; process 7 (train) holds 13.0 GiB',
    );
  });
});

it.each([
  [['serve', '--gpu-memory-utilization', '0.85'], 0.85],
  [['serve', '--gpu-memory-utilization=0.5', '--port', '1'], 0.5],
  [['serve', '--gpu-memory-utilization', 'x'], undefined],
  [['serve'], undefined],
])('reads the share of %j', (args, share) => {
  expect(toShare(args)).toBe(share);
});

it.each<[string, readonly string[], string | undefined]>([
  ['heat', ['hw_slowdown', 'hw_thermal_slowdown'], 'throttle-heat'],
  ['heat, by software', ['sw_thermal_slowdown'], 'throttle-heat'],
  ['too little power', ['hw_slowdown', 'hw_power_brake_slowdown'], 'throttle-power'],
  ['no cause is named', ['hw_slowdown'], 'throttle'],
  ['a cap and idling are normal', ['sw_power_cap', 'gpu_idle'], undefined],
])('I10 tells %s', (_, throttleReasons, reason) => {
  expect(chooseThrottle([{ ...l4, throttleReasons }], ['GPU-a'])).toBe(reason);
  expect(chooseThrottle([{ ...l4, throttleReasons }], ['GPU-b'])).toBeUndefined();
});
