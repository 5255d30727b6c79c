/** Remedies outside of the profile: driver, container engine, packages, network, what was left over. */
import type { Remedy } from '../../../core/finding.ts';
import { say } from '../../../core/message.ts';
import type { CauseId } from '../causes.ts';
import type { memoryRemedies } from './memory.ts';
import type { modelRemedies } from './model.ts';
import { type RemedyFacts, type RemedyMaker, toNumber, toRemedy } from './remedy.ts';
import type { settingRemedies } from './settings.ts';

type MachineCause = Exclude<CauseId, keyof typeof memoryRemedies | keyof typeof settingRemedies | keyof typeof modelRemedies>;

export const machineRemedies: Readonly<Record<MachineCause, RemedyMaker>> = {
  container_entrypoint_invalid: () => [toRemedy(say('cure.image.own'), { 'engine.image': null }), toRemedy(say('cure.entrypoint'))],
  disk_full: ({ facts, evidence }) => [
    toRemedy(say('cure.disk.free'), undefined, toDiskCommand(evidence.diskFull ?? facts['path'])),
    toRemedy(say('cure.disk.move')),
  ],
  docker_no_gpu_runtime: () => [
    toRemedy(say('cure.docker.toolkit'), undefined, 'sudo nvidia-ctk runtime configure --runtime=docker && sudo systemctl restart docker'),
  ],
  driver_library_mismatch: () => [toRemedy(say('cure.driver.reboot'), undefined, 'sudo reboot')],
  driver_too_old: toDriverRemedies,
  engine_dead_runtime: () => [toRemedy(say('cure.log.keep'))],
  fabric_not_ready: () => [toRemedy(say('cure.fabric'), undefined, 'sudo systemctl restart nvidia-fabricmanager')],
  flashinfer_jit_failure: () => [toRemedy(say('cure.flashinfer.other'), withoutFlashinfer), toRemedy(say('cure.flashinfer.install'))],
  gpu_lost_xid: () => [toRemedy(say('cure.gpu.look'), undefined, 'nvidia-smi -q')],
  image_pull_failure: toImageRemedies,
  ipc_zmq_failure: () => [toRemedy(say('cure.socket.short'), { 'engine.env.VLLM_RPC_BASE_PATH': '/tmp' })],
  kernel_image_missing: () => [toRemedy(say('cure.kernel.build')), toRemedy(say('cure.kernel.driver'))],
  killed_by_operator: () => [toRemedy(say('cure.killed'))],
  nccl_failure: () => [
    toRemedy(say('cure.nccl.tell'), { 'engine.env.NCCL_DEBUG': 'INFO' }),
    toRemedy(say('cure.nccl.network')),
    toRemedy(say('cure.nccl.reduce'), { 'vllm.disable-custom-all-reduce': true }),
  ],
  no_gpu_visible: () => [toRemedy(say('cure.gpu.visible'), undefined, 'nvidia-smi -L'), toRemedy(say('cure.gpu.build'))],
  permission_denied: ({ facts: { path } }) => [
    path === undefined ? toRemedy(say('cure.permission')) : toRemedy(say('cure.permission.path', { path })),
  ],
  python_dependency_conflict: toPackageRemedies,
  request_timeout_hang: () => [toRemedy(say('cure.hang'))],
  shutdown_zombie: () => [toRemedy(say('cure.zombie'), undefined, 'nvidia-smi')],
  torch_compile_or_triton_failure: ({ text }) => [
    toRemedy(say('cure.eager'), { 'vllm.enforce-eager': true }),
    toRemedy(/ptxas/i.test(text) ? say('cure.ptxas') : say('cure.compiler')),
  ],
  undetermined_only_generic_tail: () => [toRemedy(say('cure.log.more'))],
  undetermined_only_teardown_noise: () => [toRemedy(say('cure.log.more'))],
  unknown: () => [toRemedy(say('cure.unknown'))],
};

/** Only a plain path becomes part of a command. */
function toDiskCommand(path: string | undefined): string {
  return path !== undefined && /^\/[\w./-]{1,200}$/.test(path) ? `df -h ${path}` : 'df -h';
}

const withoutFlashinfer = { 'vllm.attention-backend': 'TRITON_ATTN', 'engine.env.VLLM_USE_FLASHINFER_SAMPLER': '0' };

/** The driver says 12070 for CUDA 12.7. */
function toDriverRemedies({ facts }: RemedyFacts): readonly Remedy[] {
  const found = toNumber(facts['found']);
  const cuda = found === undefined ? undefined : `${Math.floor(found / 1000)}.${Math.floor((found % 1000) / 10)}`;
  return [
    toRemedy(cuda === undefined ? say('cure.driver.update') : say('cure.driver.found', { cuda })),
    toRemedy(say('cure.engine.older')),
  ];
}

function toImageRemedies({ facts, permanent }: RemedyFacts): readonly Remedy[] {
  const image = facts['image'] ?? facts['missing'];
  const wait = toRemedy(say('cure.image.wait'));
  if (!permanent) return [wait];
  return [
    image === undefined
      ? toRemedy(say('cure.image.own'), { 'engine.image': null })
      : toRemedy(say('cure.image.name', { image }), { 'engine.image': null }),
    wait,
  ];
}

function toPackageRemedies({ facts: { module } }: RemedyFacts): readonly Remedy[] {
  const clean = toRemedy(say('cure.packages.clean'));
  return module === undefined ? [clean] : [toRemedy(say('cure.packages.module', { module })), clean];
}
