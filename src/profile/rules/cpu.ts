/** What is different where vLLM runs on a CPU. */
import { say } from '../../core/message.ts';
import { toParallel } from '../parallel.ts';
import type { Profile } from '../profile.ts';
import { isCpu, isOff, isOn, toModel, toWhole, toWord, toWritten } from './read.ts';
import type { ProfileRule, RuleHit } from './rule.ts';

export const cpuRules: readonly ProfileRule[] = [
  {
    code: 'profile/sleep-on-cpu',
    severity: 'error',
    source: 'vllm/config/model.py: Sleep mode is not supported on current platform; asked of 0.32',
    check: checkSleep,
  },
  {
    code: 'profile/block-on-cpu',
    severity: 'error',
    source: 'vllm/v1/attention/backends/cpu_attn.py MultipleOf(32); measured with 0.32',
    check: checkBlock,
  },
  {
    code: 'profile/cpu-binding',
    severity: 'warning',
    source: 'measured with 0.32: threads are bound to what the variable says, outside of the set, too',
    check: checkBinding,
  },
  {
    code: 'profile/cpu-binding-count',
    severity: 'error',
    source: 'vllm/utils/ompmultiprocessing.py _parse_omp_threads_bind_env, 0.32',
    check: checkBindingCount,
  },
  {
    code: 'profile/cpu-nodes',
    severity: 'warning',
    source: 'vllm/utils/ompmultiprocessing.py: Not enough allowed NUMA nodes; measured with 0.32',
    check: checkNodes,
  },
  { code: 'profile/idle-on-cpu', severity: 'warning', source: 'vllm/platforms/cpu.py check_and_update_config, 0.32', check: checkIdle },
  {
    code: 'profile/cpu-compiles',
    severity: 'info',
    source: 'measured with 0.32: 68 s of compiling at the first start, 27 s at the next; needs a C++ compiler',
    check: checkCompiler,
  },
];

function checkSleep(profile: Profile): readonly RuleHit[] {
  const path = 'vllm.enable-sleep-mode';
  if (!isCpu(profile) || !isOn(profile, 'enable-sleep-mode')) return [];
  return [{ path, message: say('rule.sleep-on-cpu'), hint: say('rule.leave-out'), fix: { [path]: null } }];
}

/** Hybrid models have blocks of their own making. */
function checkBlock(profile: Profile): readonly RuleHit[] {
  const size = toWhole(profile, 'block-size');
  const path = 'vllm.block-size';
  if (!isCpu(profile) || size === undefined || size % 32 === 0 || toModel(profile)?.hybrid) return [];
  return [{ path, message: say('rule.block-on-cpu', { size }), hint: say('rule.leave-out'), fix: { [path]: null } }];
}

const binding = 'VLLM_CPU_OMP_THREADS_BIND';

/** CPUs of each worker; undefined where vLLM chooses them. */
function toBound({ engine }: Profile): readonly string[] | undefined {
  const value = engine.env[binding] ?? 'auto';
  return value === 'auto' || value === 'nobind' ? undefined : value.split('|');
}

/** Pairs of first and last; what is no list of CPUs is left to vLLM. */
function toRanges(list: string): readonly (readonly [number, number])[] {
  return list.split(',').flatMap((part) => {
    const match = /^\s*(\d+)\s*(?:-\s*(\d+)\s*)?$/.exec(part);
    return match ? [[Number(match[1]), Number(match[2] ?? match[1])] as const] : [];
  });
}

function checkBinding(profile: Profile): readonly RuleHit[] {
  const bound = toBound(profile);
  const { cpus } = profile.resources;
  if (!isCpu(profile) || bound === undefined || cpus === 'all' || cpus === 'auto') return [];
  const allowed = toRanges(cpus);
  const isInside = (cpu: number) => allowed.some(([first, last]) => first <= cpu && cpu <= last);
  const outside = bound.flatMap(toRanges).some(([first, last]) => !isInside(first) || !isInside(last));
  if (!outside) return [];
  const path = `engine.env.${binding}`;
  return [{ path, message: say('rule.cpu-binding', { bound: bound.join('|'), cpus }), hint: say('rule.leave-out'), fix: { [path]: null } }];
}

function checkBindingCount(profile: Profile): readonly RuleHit[] {
  const bound = toBound(profile);
  const { tensor, pipeline, data } = toParallel(profile);
  const workers = tensor * pipeline;
  if (!isCpu(profile) || bound === undefined || data > 1 || bound.length === workers) return [];
  return [{ path: `engine.env.${binding}`, message: say('rule.cpu-binding-count', { lists: bound.length, workers }) }];
}

function checkNodes(profile: Profile): readonly RuleHit[] {
  const { tensor, pipeline } = toParallel(profile);
  if (!isCpu(profile) || tensor * pipeline === 1 || toBound(profile) !== undefined || profile.engine.env[binding] === 'nobind') return [];
  const path = tensor > 1 ? 'vllm.tensor-parallel-size' : 'vllm.pipeline-parallel-size';
  return [{ path, message: say('rule.cpu-nodes', { workers: tensor * pipeline }), hint: say('rule.cpu-nodes.hint') }];
}

const ofGpus = [
  'attention-backend',
  'cudagraph-capture-sizes',
  'max-cudagraph-capture-size',
  'cpu-offload-gb',
  'disable-custom-all-reduce',
  'enable-dbo',
  'async-scheduling',
];

function checkIdle(profile: Profile): readonly RuleHit[] {
  if (!isCpu(profile)) return [];
  const written = toWritten(profile, ofGpus).filter((name) => !isOff(profile, name) && toWord(profile, name) !== 'CPU_ATTN');
  return written.map((name) => ({
    path: `vllm.${name}`,
    message: say('rule.idle-on-cpu', { name }),
    hint: say('rule.leave-out'),
    fix: { [`vllm.${name}`]: null },
  }));
}

function checkCompiler(profile: Profile): readonly RuleHit[] {
  const eager = isOn(profile, 'enforce-eager') || (profile.engine.env.VLLM_CPU_CI_ENV ?? '0') !== '0';
  const level = toWhole(profile, 'optimization-level');
  if (!isCpu(profile) || eager || level === 0 || profile.engine.backend === 'simulator') return [];
  const path = 'vllm.enforce-eager';
  return [{ path, message: say('rule.cpu-compiles'), hint: say('rule.cpu-compiles.hint'), fix: { [path]: true } }];
}
