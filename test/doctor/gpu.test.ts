import { describe, expect, it } from 'vitest';
import type { Finding } from '../../src/core/finding.ts';
import { type Message, say } from '../../src/core/message.ts';
import { checks } from '../../src/doctor/checks/index.ts';
import type { GpuObservation } from '../../src/gpu/gpu.ts';
import { messages } from '../../src/text/en/index.ts';
import { l4, toEngine, toGpu } from '../plan/stand-ins.ts';
import { allGpuChecks, askGpu, like, type Question, tableOf } from './ask-gpu.ts';

const gib = 2 ** 30;
const absent: GpuObservation = { is: 'absent', evidence: say('gpu.no-smi') };
const problem = (severity: 'error' | 'warning', message: Message): Finding => ({ code: 'gpu/x', severity, message });
const silent = (said: string): GpuObservation => ({ is: 'silent', signs: ['/dev/nvidia0'], evidence: say('gpu.smi-said', { said }) });
const t4 = toGpu(0, 'Tesla T4', { gibibytes: 15, capability: '7.5' });
const v100 = toGpu(0, 'Tesla V100', { gibibytes: 32, capability: '7.0' });
const rtx5090 = toGpu(0, 'NVIDIA GeForce RTX 5090', { gibibytes: 31.8, capability: '12.0' });
const second = { ...l4, index: 1, uuid: 'GPU-1' };

describe('the checks of GPUs', () => {
  it('are registered, each once, and explained', () => {
    const ids = allGpuChecks.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(checks.filter(({ group }) => group === 'gpu').map(({ id }) => id)).toEqual(expect.arrayContaining(ids));
    for (const id of ids) {
      for (const part of ['meaning', 'mend']) expect(messages).toHaveProperty([`check.${id}.${part}`]);
    }
  });

  it.each(allGpuChecks.filter(({ id }) => id !== 'gpu.foreign-smi').map(({ id }) => id))(
    '%s has nothing to say without a GPU',
    async (id) => {
      expect((await askGpu(id, { gpus: absent })).status).toBe('skip');
    },
  );
});

tableOf('gpu.present', [
  ['one that answers', {}, 'pass', /^NVIDIA L4, 22\.5 GiB, 8\.9$/],
  [
    'with its driver',
    { gpus: { is: 'present', gpus: [l4, second], driverVersion: '580.95.05', cudaVersion: '13.0' } },
    'pass',
    /^2x NVIDIA L4, .*; driver 580\.95\.05, CUDA up to 13\.0$/,
  ],
  ['none', { gpus: absent }, 'skip', /nvidia-smi is not installed/],
  ['none, and a profile that needs one', { gpus: absent, profile: 'int4' }, 'fail', /no NVIDIA GPU/, /--profile cpu/],
  ['none, and a profile that needs none', { gpus: absent, profile: 'cpu' }, 'skip', /no NVIDIA GPU/],
  [
    'no module',
    { gpus: silent("NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.") },
    'fail',
    /does not answer/,
    /kernel module.*Secure Boot/,
  ],
  ['mismatch', { gpus: silent('Failed to initialize NVML: Driver/library version mismatch') }, 'fail', /mismatch/, /reboot/],
  ['no library', { gpus: silent("NVIDIA-SMI couldn't find libnvidia-ml.so library in your system.") }, 'fail', /libnvidia-ml/, /libraries/],
  ['taken from a container', { gpus: silent('Failed to initialize NVML: Unknown Error') }, 'fail', /Unknown Error/, /In a container/],
  ['lost', { gpus: silent('GPU is lost.  Reboot the system to recover this GPU') }, 'fail', /lost/, /Only a restart/],
  ['not passed through', { gpus: silent('No devices were found') }, 'fail', /No devices/, /passed through/],
  [
    'hangs',
    { gpus: { is: 'silent', signs: ['nvidia-smi'], evidence: say('gpu.smi-hangs', { seconds: 10 }) } },
    'fail',
    /within 10 s/,
    /gpu\.xid/,
  ],
  ['no tools', { gpus: { is: 'silent', signs: ['/dev/nvidia0'], evidence: say('gpu.no-smi') } }, 'fail', /not installed/, /nvidia-utils/],
  ['words that nobody knows', { gpus: silent('Boing') }, 'fail', /Boing/, /by hand/],
  [
    'one of two needs a reset',
    { gpus: [l4, { ...second, problems: [problem('error', say('gpu.requires-reset', { index: 1 }))] }] },
    'fail',
    /GPU 1 needs a reset/,
    /Stop everything/,
  ],
  [
    'one of two is lost',
    { gpus: [l4, { ...second, problems: [problem('error', say('gpu.lost', { index: 1 }))] }] },
    'fail',
    /GPU 1 is lost/,
    /restart/,
  ],
  [
    'one of two is not even listed',
    {
      gpus: {
        is: 'present',
        gpus: [l4],
        problems: [problem('error', say('gpu.unreachable', { said: 'Unable to determine the device handle for GPU1' }))],
      },
    },
    'fail',
    /does not reach a GPU/,
    /missing from the list/,
  ],
  [
    'it stopped answering',
    {
      gpus: {
        is: 'present',
        gpus: [l4],
        problems: [problem('warning', say('gpu.smi-stopped', { why: say('gpu.smi-hangs', { seconds: 10 }) }))],
      },
    },
    'warn',
    /no more/,
  ],
  [
    'not to be run',
    { gpus: { is: 'silent', signs: ['nvidia-smi'], evidence: say('gpu.smi-not-executable', { path: '/x' }) } },
    'fail',
    /\/x/,
    /chmod/,
  ],
]);

it('gpu.present keeps a profile for GPUs from running, and no other one', async () => {
  expect((await askGpu('gpu.present', { gpus: absent, profile: 'int4' })).needed).toBe(true);
  expect((await askGpu('gpu.present', { gpus: silent('x'), profile: 'cpu' })).needed).toBe(false);
  expect((await askGpu('gpu.present', { gpus: silent('x'), profile: 'demo' })).needed).toBe(false);
});

const visible = (names: string): Question => ({ gpus: [l4, second], env: { CUDA_VISIBLE_DEVICES: names } });

tableOf('gpu.visible', [
  ['not set', { gpus: [l4, second] }, 'pass', /all 2/],
  ['one of two', visible('1'), 'pass', /leaves GPU 1 of 2/],
  ['the beginning of a UUID', visible('GPU-1'), 'pass', /leaves GPU 1/],
  ['a slice', visible('MIG-aaaa'), 'pass', /slice: MIG-aaaa/],
  ['nothing', visible(''), 'fail', /hides every GPU/, /unset.*0,1/],
  ['none by number', visible('-1'), 'fail', /hides every GPU/],
  ['one that is not there', visible('7'), 'fail', /"7" hides/],
  ['cut at one that is not there', visible('0,7,1'), 'warn', /names 7.*only the 1 before/],
  ['a profile that names its own', { ...visible('7'), profile: 'int4', sets: ['resources.gpus=[1]'] }, 'pass', /itself: 1/],
  ['GPUs of another machine', { ...visible('7'), gpusFromFile: true }, 'skip', /another machine/],
]);

const smi = (mode: number): Question => ({ files: { '/usr/bin/nvidia-smi': { text: '#!/bin/sh\n', mode } } });

tableOf('gpu.foreign-smi', [
  ['its owner alone may change it', smi(0o755), 'pass', /^\/usr\/bin\/nvidia-smi/],
  ['everybody may change it', smi(0o777), 'warn', /can be changed/, /first on PATH/],
  ['not there', {}, 'skip', /no nvidia-smi/],
  ['not to be run', smi(0o666), 'skip', /no nvidia-smi/],
  ['found where PATH says first', { ...smi(0o777), env: { PATH: '/opt/none:/usr/bin' } }, 'warn', /\/usr\/bin\/nvidia-smi/],
  ['a directory of PATH that depends on where we are', { ...smi(0o777), env: { PATH: 'bin' } }, 'skip', /no nvidia-smi/],
  ['GPUs of another machine', { ...smi(0o777), gpusFromFile: true }, 'skip', /another machine/],
]);

tableOf('gpu.capability', [
  ['native', { profile: 'fp8' }, 'pass', /8\.9: weights fp8/],
  ['without a profile', {}, 'pass', /8\.9/],
  ['too old, without a profile', { gpus: [v100] }, 'warn', /7\.0, and vLLM/],
  ['too old', { gpus: [v100], profile: 'fp16' }, 'fail', /built for 7\.5/, /another GPU/],
  ['weight-only', { gpus: [t4], profile: 'fp8' }, 'pass', /computes in 16 bits/],
  ['bfloat16 on Turing', { gpus: [t4], profile: 'fp16', sets: ['vllm.dtype=bfloat16'] }, 'fail', /needs 8\.0/, /half/],
  ['FP8 cache on Turing', { gpus: [t4], profile: 'fp16', sets: ['vllm.kv-cache-dtype=fp8'] }, 'fail', /kv-cache-dtype fp8/],
  [
    'integers on Blackwell',
    { gpus: [rtx5090], profile: 'fp16', sets: ['model=RedHatAI/Qwen3-8B-quantized.w8a8'] },
    'fail',
    /W8A8/,
    /FP8 checkpoint/,
  ],
  ['not told', { gpus: [{ index: 0, name: 'GPU' }], profile: 'fp8' }, 'skip', /does not say/],
]);

const driver = (version: string, torch = '2.13.0'): Question => ({
  profile: 'int4',
  gpus: { is: 'present', gpus: [like({ driverVersion: version })], driverVersion: version },
  facts: { engines: [{ ...toEngine('gpu'), torch }] },
});

tableOf('gpu.driver-cuda', [
  ['new enough', driver('580.95.05'), 'pass', /580\.95\.05 runs CUDA 13\.0 of vLLM 0\.32\.0/],
  ['too old for the installed engine', driver('570.124.06'), 'fail', /CUDA 13\.0, which needs driver 580/, /driver 580/],
  ['old, with the older build', driver('570.124.06', '2.13.0+cu129'), 'pass', /CUDA 12\.9/],
  ['old, and nothing installed', { ...driver('570.124.06'), facts: { engines: [] } }, 'pass', /CUDA 12\.9/],
  ['too old for all of them', { ...driver('470.256.02'), facts: { engines: [] } }, 'fail', /needs driver 525/],
  ['without a profile', { gpus: { is: 'present', gpus: [l4], driverVersion: '580.1', cudaVersion: '13.0' } }, 'pass', /up to 13\.0/],
  ["somebody's own engine", { profile: 'int4', sets: ['engine.executable=/x/vllm'] }, 'pass', /^driver 580/],
  ['not told', { gpus: [{ index: 0, name: 'GPU' }], profile: 'int4' }, 'skip', /does not say/],
]);

const open = 'NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.95.05  Release Build\n';
const closed = 'NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.95.05  Tue Sep 23\n';
const kernelModule = (text: string) => ({ files: { '/proc/driver/nvidia/version': text } });

tableOf('gpu.open-module', [
  ['open', { ...kernelModule(open), gpus: [rtx5090] }, 'pass', /open kernel module is loaded/],
  ['proprietary on Ada', kernelModule(closed), 'pass', /proprietary/],
  ['proprietary on Blackwell', { ...kernelModule(closed), gpus: [rtx5090] }, 'fail', /needs the open/, /open variant/],
  [
    'proprietary, and nothing is seen',
    { ...kernelModule(closed), gpus: silent('No devices were found') },
    'warn',
    /does not see Blackwell/,
  ],
  ['none', {}, 'skip', /no \/proc\/driver/],
  ['unreadable', { files: { '/proc/driver/nvidia/version': { directory: true } } }, 'skip', /could not read/],
  ['GPUs of another machine', { ...kernelModule(closed), gpus: [rtx5090], gpusFromFile: true }, 'skip', /another machine/],
]);

const slices = [
  { uuid: 'MIG-a', profile: '1g.10gb', memoryTotalBytes: 9.5 * gib },
  { uuid: 'MIG-b', profile: '3g.40gb', memoryTotalBytes: 39 * gib },
];
const cut = (devices: typeof slices = slices) => [like({ mig: { enabled: true, devices } })];

function used(memoryUsedBytes: number) {
  const { memoryFreeBytes: _, ...gpu } = l4;
  return { ...gpu, memoryUsedBytes };
}

const memory = (parts: object = {}) => ({
  profile: 'int4',
  memory: {
    gpus: 1,
    totalBytes: 22 * gib,
    budgetBytes: 18.7 * gib,
    weightsBytes: 2.5 * gib,
    activationBytes: gib,
    graphBytes: 0.3 * gib,
    overheadBytes: 0.3 * gib,
    kvBytes: 14.6 * gib,
    fits: 'yes',
    source: 'formula',
    ...parts,
  } as const,
});
const suggestion = { message: say('plan.sentence', { text: 'shorter requests' }), set: { 'vllm.max-model-len': 4096 } };

tableOf('gpu.memory', [
  ['fits', memory(), 'pass', /int4 needs 4\.1 GiB besides its cache, of 18\.7 GiB/],
  ['tight', memory({ fits: 'tight', suggestion }), 'warn', /tight/, /shorter/],
  ['does not fit', memory({ fits: 'no', kvBytes: -2 * gib, suggestion }), 'fail', /does not fit: 20\.7 GiB/, /shorter/],
  ['does not fit, and nothing helps', memory({ fits: 'no', kvBytes: -2 * gib }), 'fail', /does not fit/, /smaller profile/],
  ['a GPU that is cut', { ...memory(), gpus: cut() }, 'skip', /slices/],
  ['no profile', {}, 'skip', /no profile/],
]);

it('gpu.memory offers its suggestion as a change of the profile', async () => {
  const { fix } = await askGpu('gpu.memory', memory({ fits: 'no', suggestion }));
  expect(fix).toEqual({ is: 'profile', set: { 'vllm.max-model-len': 4096 } });
});

tableOf('gpu.memory-free', [
  ['enough', memory({ fitsNow: 'yes', freeBytes: 21 * gib }), 'pass', /21\.0 GiB are free, and int4 takes 18\.7 GiB/],
  ['tight', memory({ fitsNow: 'tight', freeBytes: 19 * gib }), 'warn', /tight/],
  ['not enough', memory({ fitsNow: 'no', freeBytes: 5 * gib }), 'fail', /only 5\.0 GiB/, /gpu\.processes/],
  ['taken by itself', { ...memory({ fitsNow: 'no', freeBytes: gib }), running: true }, 'pass', /int4 itself, which is up/],
  ['enough, by a driver that only tells what is used', { ...memory(), gpus: [used(gib)] }, 'pass', /21\.5 GiB are free, and int4/],
  ['not enough, by such a driver', { ...memory(), gpus: [used(20 * gib)] }, 'fail', /only 2\.5 GiB/],
  ['a GPU that is cut', { ...memory(), gpus: cut() }, 'skip', /slices/],
  ['no profile', {}, 'pass', /22\.1 GiB are free/],
  ['not told', { gpus: [{ index: 0, name: 'GPU' }] }, 'skip', /does not say/],
]);

const engine = { pid: 4242, name: 'VLLM::EngineCore', type: 'C', memoryUsedBytes: 9 * gib };
const desktop = { pid: 1, name: '/usr/lib/xorg/Xorg', type: 'G', memoryUsedBytes: gib / 2 };

tableOf('gpu.processes', [
  ['nobody', { gpus: [like({ processes: [], memoryUsedBytes: 4 * 2 ** 20 })] }, 'pass', /nobody else/],
  ['somebody', { gpus: [like({ processes: [engine] })], profile: 'int4' }, 'warn', /VLLM::EngineCore \(4242\) 9\.0 GiB/, /resources\.gpus/],
  ['itself', { gpus: [like({ processes: [engine] })], profile: 'int4', running: true }, 'pass', /int4 is up/],
  ['a path', { gpus: [like({ processes: [{ pid: 7, name: '/opt/x/bin/python3 -m train' }] })] }, 'warn', /python3 \(7\)/],
  ['only a desktop', { gpus: [like({ processes: [desktop], memoryUsedBytes: 2 * gib })] }, 'pass', /nobody else/],
  ['many', { gpus: [like({ processes: [1, 2, 3, 4].map((pid) => ({ ...engine, pid })) })] }, 'warn', /\(3\).*, …$/],
  ['other containers', { gpus: [like({ processes: [], memoryUsedBytes: 8 * gib })] }, 'warn', /8\.0 GiB.*no process is listed/, /host/],
  ['not told', { gpus: [{ index: 0, name: 'GPU' }] }, 'skip', /does not say/],
]);

tableOf('gpu.mig', [
  ['off', { gpus: [like({ mig: { enabled: false } })] }, 'pass', /not cut/],
  ['on, no slice named', { gpus: cut(), profile: 'int4' }, 'fail', /2 slices/, /CUDA_VISIBLE_DEVICES=MIG-b/],
  ['on, without a profile', { gpus: cut() }, 'warn', /2 slices/],
  ['on, a slice named', { gpus: cut(), profile: 'int4', env: { CUDA_VISIBLE_DEVICES: 'MIG-a' } }, 'pass', /MIG-a/],
  ['on, without slices', { gpus: cut([]), profile: 'int4' }, 'fail', /no slices/, /mig -cgi/],
  ['for two GPUs', { gpus: cut(), profile: 'tp2', env: { CUDA_VISIBLE_DEVICES: 'MIG-a,MIG-b' } }, 'fail', /cannot work together/],
  ['a GPU that cannot', {}, 'skip', /cannot be cut/],
]);

tableOf('gpu.compute-mode', [
  ['shared', { gpus: [like({ computeMode: 'Default' })] }, 'pass', /several programs/],
  ['exclusive', { gpus: [like({ computeMode: 'Exclusive_Process' })], profile: 'int4' }, 'warn', /Exclusive/],
  ['exclusive and taken', { gpus: [like({ computeMode: 'Exclusive_Process', processes: [engine] })], profile: 'int4' }, 'fail', /already/],
  [
    'exclusive and its own',
    { gpus: [like({ computeMode: 'Exclusive_Process', processes: [engine] })], profile: 'int4', running: true },
    'warn',
    /Exclusive/,
  ],
  ['exclusive for several engines', { gpus: [like({ computeMode: 'Exclusive_Process' })], profile: 'multi-instance' }, 'fail', /4 engines/],
  ['prohibited', { gpus: [like({ computeMode: 'Prohibited' })] }, 'fail', /no program/],
  ['not told', {}, 'skip', /does not say/],
]);

it('gpu.compute-mode names the command', async () => {
  const { fix } = await askGpu('gpu.compute-mode', { gpus: [like({ computeMode: 'Prohibited', index: 3 })] });
  expect(fix).toEqual({ is: 'command', command: 'sudo nvidia-smi -i 3 -c DEFAULT' });
});

tableOf('gpu.mixed', [
  ['equal', { gpus: [l4, second], profile: 'tp2' }, 'pass', /2 GPUs of one kind/],
  ['different, together', { gpus: [l4, { ...t4, index: 1 }], profile: 'tp2' }, 'warn', /smaller and slower/, /one kind/],
  ['different, one of them', { gpus: [l4, { ...t4, index: 1 }], profile: 'int4' }, 'pass', /2 kinds.*GPU 0$/],
  ['one', {}, 'skip', /only one/],
]);

tableOf('gpu.display', [
  ['none', { gpus: [like({ displayActive: false })] }, 'pass', /no display/],
  [
    'an X server without a screen',
    { gpus: [like({ displayActive: false, processes: [{ ...desktop, memoryUsedBytes: 4 * 2 ** 20 }] })] },
    'pass',
    /no display/,
  ],
  ['one, and room for it', { gpus: [like({ displayActive: true, processes: [desktop] })], profile: 'int4' }, 'pass', /takes 512 MiB/],
  ['one, and a greedy profile', { gpus: [like({ displayActive: true })], profile: 'throughput' }, 'warn', /0\.92 of all/, /=0\.85/],
  ['not told', {}, 'skip', /does not say/],
]);
