/** Variables of the engine that say the same as settings, or nothing any more. */
import { say } from '../../core/message.ts';
import { isNewer } from '../../vllm/flag-version.ts';
import type { Profile } from '../profile.ts';
import { isCpu, isOn } from './read.ts';
import type { ProfileRule, RuleHit } from './rule.ts';

export const environmentRules: readonly ProfileRule[] = [
  {
    code: 'profile/variable-removed',
    severity: 'warning',
    source: 'vllm/envs.py of 0.10 to 0.33; unknown ones are read by nobody',
    check: checkRemoved,
  },
  {
    code: 'profile/variable-refused',
    severity: 'error',
    source: 'vllm/platforms/interface.py validate_environ: Unknown vLLM environment variable; asked of 0.32',
    check: checkRefused,
  },
  {
    code: 'profile/gpus-by-variable',
    severity: 'warning',
    source: 'every setting has one place: resources.gpus gives CUDA_VISIBLE_DEVICES',
    check: checkGpus,
  },
  {
    code: 'profile/log-muted',
    severity: 'warning',
    source: 'vllm/envs.py and logger.py, 0.32: progress and causes are told by lines of level INFO and ERROR',
    check: checkLog,
  },
  {
    code: 'profile/variable-device',
    severity: 'warning',
    source: 'vllm/platforms: VLLM_TARGET_DEVICE chooses the platform since 0.29',
    check: checkDevice,
  },
  {
    code: 'profile/variable-asserts',
    severity: 'error',
    source: 'CVE-2026-41523: guards of vLLM against models that run code are asserts, which PYTHONOPTIMIZE takes out',
    check: checkAsserts,
  },
  {
    code: 'profile/variable-code',
    severity: 'warning',
    source: 'docs.python.org/3/using/cmdline and ld.so(8): these load code into the engine before vLLM has begun',
    check: checkCode,
  },
];

interface Removed {
  /** The last version that is known to have it. */
  readonly last: string;
  /** The setting that does it now. */
  readonly use?: string;
}

/** Those that guides still name. */
const removed: Readonly<Record<string, Removed>> = {
  VLLM_USE_V1: { last: '0.10' },
  VLLM_USE_TRITON_FLASH_ATTN: { last: '0.10', use: 'attention-backend' },
  VLLM_CPU_MOE_PREPACK: { last: '0.11' },
  VLLM_ATTENTION_BACKEND: { last: '0.12', use: 'attention-backend' },
  VLLM_FLASH_ATTN_VERSION: { last: '0.12', use: 'attention-config' },
  VLLM_USE_TRTLLM_ATTENTION: { last: '0.12', use: 'attention-config' },
  VLLM_ALL2ALL_BACKEND: { last: '0.12', use: 'all2all-backend' },
  VLLM_TORCH_PROFILER_DIR: { last: '0.12', use: 'profiler-config' },
  VLLM_MM_INPUT_CACHE_GIB: { last: '0.12', use: 'mm-processor-cache-gb' },
  VLLM_SLEEP_WHEN_IDLE: { last: '0.16' },
  VLLM_RPC_TIMEOUT: { last: '0.20' },
  VLLM_USE_FLASHINFER_MOE_FP8: { last: '0.20', use: 'moe-backend' },
  VLLM_USE_FLASHINFER_MOE_FP4: { last: '0.20', use: 'moe-backend' },
  VLLM_USE_FLASHINFER_MOE_FP16: { last: '0.20', use: 'moe-backend' },
  VLLM_CPU_SGL_KERNEL: { last: '0.27' },
  VLLM_TEST_FORCE_FP8_MARLIN: { last: '0.28', use: 'linear-backend' },
  VLLM_MM_HASHER_ALGORITHM: { last: '0.29', use: 'mm-hasher-algorithm' },
  VLLM_PREFIX_CACHE_RETENTION_INTERVAL: { last: '0.29', use: 'prefix-cache-retention-interval' },
  VLLM_ENGINE_ITERATION_TIMEOUT_S: { last: '0.31' },
};

interface Gone extends Removed {
  readonly name: string;
}

function toGone({ engine }: Profile): readonly Gone[] {
  const minor = engine.version.split('.').slice(0, 2).join('.');
  return Object.entries(removed)
    .filter(([name, { last }]) => Object.hasOwn(engine.env, name) && isNewer(minor, last))
    .map(([name, facts]) => ({ name, ...facts }));
}

function checkRemoved(profile: Profile): readonly RuleHit[] {
  return toGone(profile).map(({ name, last, use }) => {
    const path = `engine.env.${name}`;
    const message = say('rule.variable-removed', { name, version: profile.engine.version, last });
    const hint = use === undefined ? say('rule.leave-out') : say('rule.variable-removed.hint', { name: use });
    return { path, message, hint, fix: { [path]: null } };
  });
}

function checkRefused(profile: Profile): readonly RuleHit[] {
  if (!isOn(profile, 'fail-on-environ-validation')) return [];
  return toGone(profile).map(({ name }) => {
    const path = `engine.env.${name}`;
    return { path, message: say('rule.variable-refused', { name }), hint: say('rule.leave-out'), fix: { [path]: null } };
  });
}

function checkGpus({ engine }: Profile): readonly RuleHit[] {
  const name = 'CUDA_VISIBLE_DEVICES';
  if (engine.variant !== 'gpu' || !Object.hasOwn(engine.env, name)) return [];
  const path = `engine.env.${name}`;
  return [{ path, message: say('rule.gpus-by-variable', { name }), hint: say('rule.gpus-by-variable.hint'), fix: { [path]: null } }];
}

/** From the level on at which the phases of a start are no longer told. */
const quiet = ['WARNING', 'WARN', 'ERROR', 'CRITICAL', 'FATAL'];

function checkLog({ engine, vllm }: Profile): readonly RuleHit[] {
  const level = engine.env.VLLM_LOGGING_LEVEL;
  const flag = vllm['log-level'];
  const muted = [
    { path: 'engine.env.VLLM_LOGGING_LEVEL', value: level, is: quiet.includes((level ?? '').toUpperCase()) },
    { path: 'engine.env.VLLM_CONFIGURE_LOGGING', value: '0', is: engine.env.VLLM_CONFIGURE_LOGGING === '0' },
    { path: 'vllm.log-level', value: flag, is: typeof flag === 'string' && quiet.includes(flag.toUpperCase()) },
  ];
  return muted
    .filter(({ is }) => is)
    .map(({ path, value }) => ({
      path,
      message: say('rule.log-muted', { path, value: String(value) }),
      hint: say('rule.leave-out'),
      fix: { [path]: null },
    }));
}

function checkDevice(profile: Profile): readonly RuleHit[] {
  const name = 'VLLM_TARGET_DEVICE';
  const device = profile.engine.env[name];
  const right = isCpu(profile) ? 'cpu' : 'cuda';
  if (device === undefined || device === right || device === '') return [];
  const path = `engine.env.${name}`;
  return [{ path, message: say('rule.variable-device', { device, variant: profile.engine.variant }), fix: { [path]: null } }];
}

function checkAsserts({ engine }: Profile): readonly RuleHit[] {
  const value = engine.env.PYTHONOPTIMIZE;
  if (value === undefined || ['', '0'].includes(value)) return [];
  const path = 'engine.env.PYTHONOPTIMIZE';
  return [{ path, message: say('rule.variable-asserts'), hint: say('rule.leave-out'), fix: { [path]: null } }];
}

const loading = ['PYTHONPATH', 'PYTHONHOME', 'PYTHONSTARTUP', 'LD_AUDIT', 'LD_PRELOAD'];

function checkCode({ engine }: Profile): readonly RuleHit[] {
  return loading
    .filter((name) => (engine.env[name] ?? '') !== '' && !isNamedLibrary(name, engine.env[name] ?? ''))
    .map((name) => ({
      path: `engine.env.${name}`,
      message: say('rule.variable-code', { name }),
      hint: say(name === 'LD_PRELOAD' ? 'rule.variable-code.library' : 'rule.leave-out'),
    }));
}

/** vLLM's documentation has a faster malloc loaded so on a CPU: by its whole path it can be no other. */
function isNamedLibrary(name: string, value: string): boolean {
  return name === 'LD_PRELOAD' && value.split(/[\s:]+/).every((part) => part === '' || part.startsWith('/'));
}
