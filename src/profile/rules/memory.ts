/** Memory and other limits. What depends on how large a GPU is, is asked in plan/rules. */
import { say } from '../../core/message.ts';
import { toSizeText } from '../../core/units.ts';
import { toLoadBytes } from '../load-need.ts';
import { toParallel } from '../parallel.ts';
import type { Profile } from '../profile.ts';
import { isCpu, isWritten, toNumber, toWhole } from './read.ts';
import type { ProfileRule, RuleHit } from './rule.ts';

export const memoryRules: readonly ProfileRule[] = [
  {
    code: 'profile/share-beside-cache',
    severity: 'warning',
    source: 'vllm/v1/worker/gpu_worker.py determine_available_memory, utils.py request_memory; cpu_worker.py; 0.32',
    check: checkShareBesideCache,
  },
  {
    code: 'profile/cpu-share',
    severity: 'warning',
    source: 'vllm/v1/worker/cpu_worker.py: of the memory of the node, free at the start; measured with 0.32',
    check: checkCpuShare,
  },
  {
    code: 'profile/cache-set-twice',
    severity: 'warning',
    source: 'vllm/platforms/cpu.py check_and_update_config, 0.32',
    check: checkCacheSpace,
  },
  {
    code: 'profile/cache-space-number',
    severity: 'error',
    source: 'vllm/platforms/cpu.py: int(), 0.32',
    check: checkCacheNumber,
  },
  {
    code: 'profile/memory-cap-small',
    severity: 'error',
    source: 'measured with 0.32 on a CPU: under 1.5 GiB the kernel ends even a model without weights',
    check: checkMemoryCap,
  },
  {
    code: 'profile/replica-shares',
    severity: 'error',
    source: 'vllm/v1/worker/utils.py request_memory, 0.32: each start wants its share of the whole GPU free',
    check: checkReplicaShares,
  },
  {
    code: 'profile/ports-run-out',
    severity: 'error',
    source: 'TCP ports end at 65535',
    check: checkPorts,
  },
  {
    code: 'profile/shm-small',
    severity: 'warning',
    source: 'vLLM documentation, deployment/docker: --ipc=host or --shm-size for tensor parallel',
    check: checkSharedMemory,
  },
  {
    code: 'profile/nofile-small',
    severity: 'warning',
    source: 'measured with 0.32: "Too many open files" ends the engine; each connection is one file',
    check: checkOpenFiles,
  },
];

const share = 'gpu-memory-utilization';
const cache = 'kv-cache-memory-bytes';
const gib = 2 ** 30;

function checkShareBesideCache(profile: Profile): readonly RuleHit[] {
  if (!isWritten(profile, share) || !isWritten(profile, cache)) return [];
  const message = say(isCpu(profile) ? 'rule.share-beside-cache.cpu' : 'rule.share-beside-cache');
  return [{ path: `vllm.${share}`, message, hint: say('rule.share-beside-cache.hint'), fix: { [`vllm.${share}`]: null } }];
}

function checkCpuShare(profile: Profile): readonly RuleHit[] {
  const value = toNumber(profile.vllm[share]);
  const spaced = (profile.engine.env.VLLM_CPU_KVCACHE_SPACE ?? '') !== '';
  if (!isCpu(profile) || value === undefined || isWritten(profile, cache) || spaced) return [];
  return [
    { path: `vllm.${share}`, message: say('rule.cpu-share', { percent: Math.round(value * 100) }), hint: say('rule.cpu-share.hint') },
  ];
}

const space = 'VLLM_CPU_KVCACHE_SPACE';

function checkCacheSpace(profile: Profile): readonly RuleHit[] {
  const value = profile.engine.env[space] ?? '';
  if (value === '' || (isCpu(profile) && !isWritten(profile, cache))) return [];
  const path = `engine.env.${space}`;
  const message = isCpu(profile) ? say('rule.cache-set-twice', { value }) : say('rule.cache-space-idle');
  return [{ path, message, hint: say('rule.cache-set-twice.hint'), fix: { [path]: null } }];
}

function checkCacheNumber(profile: Profile): readonly RuleHit[] {
  const value = profile.engine.env[space] ?? '';
  if (!isCpu(profile) || value === '' || /^\s*[+-]?\d+(_\d+)*\s*$/.test(value)) return [];
  const path = `engine.env.${space}`;
  return [{ path, message: say('rule.cache-space-number', { value }), hint: say('rule.cache-set-twice.hint'), fix: { [path]: null } }];
}

function checkMemoryCap(profile: Profile): readonly RuleHit[] {
  const cap = profile.resources.memoryBytes;
  if (cap === undefined || profile.engine.backend === 'simulator') return [];
  const need = toLoadBytes(profile);
  if (cap >= need) return [];
  const message = say('rule.memory-cap-small', { cap: toSizeText(cap), need: toSizeText(need) });
  return [{ path: 'resources.memory', message, hint: say('rule.memory-cap-small.hint') }];
}

/** Of GPUs that are not named nobody knows the number here: then the plan asks. */
function checkReplicaShares(profile: Profile): readonly RuleHit[] {
  const { replicas, resources } = profile;
  const value = toNumber(profile.vllm[share]);
  if (replicas === 1 || typeof resources.gpus !== 'object' || value === undefined || isWritten(profile, cache)) return [];
  const turns = Math.max(Math.floor(resources.gpus.length / toParallel(profile).gpus), 1);
  const count = Math.ceil(replicas / turns);
  const sum = Math.round(count * value * 100) / 100;
  if (count === 1 || sum <= 1) return [];
  const fits = Math.floor((0.95 / count) * 100) / 100;
  return [
    {
      path: `vllm.${share}`,
      message: say('rule.replica-shares', { count, share: value, sum }),
      hint: say('rule.replica-shares.hint', { fits }),
      fix: { [`vllm.${share}`]: fits },
    },
  ];
}

const highestPort = 65_535;

function checkPorts({ server, replicas }: Profile): readonly RuleHit[] {
  const last = server.port + replicas - 1;
  if (last <= highestPort) return [];
  const most = highestPort - replicas + 1;
  const message = say('rule.ports-run-out', { replicas, first: server.port, last });
  return [{ path: 'server.port', message, hint: say('rule.ports-run-out.hint', { most }), fix: { 'server.port': most } }];
}

function checkSharedMemory(profile: Profile): readonly RuleHit[] {
  const { shmBytes } = profile.resources;
  const { gpus } = toParallel(profile);
  if (profile.engine.backend !== 'docker' || gpus === 1 || shmBytes === undefined || shmBytes >= gib) return [];
  const message = say('rule.shm-small', { have: toSizeText(shmBytes), gpus });
  return [{ path: 'resources.shm', message, hint: say('rule.shm-small.hint'), fix: { 'resources.shm': '2GiB' } }];
}

/** What an engine without requests holds open. */
const idleFiles = 512;

function checkOpenFiles(profile: Profile): readonly RuleHit[] {
  const { nofile } = profile.resources;
  const sequences = toWhole(profile, 'max-num-seqs') ?? 0;
  const connections = Math.max(sequences, toWhole(profile, 'max-num-queued-reqs') ?? 0);
  if (nofile === undefined || nofile >= connections + idleFiles) return [];
  const message = say('rule.nofile-small', { nofile, connections });
  return [{ path: 'resources.nofile', message, fix: { 'resources.nofile': 65_536 } }];
}
