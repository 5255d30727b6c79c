/** What the weights are, and what is asked to be made of them. Whether a GPU can do it is asked in plan/rules. */
import { say } from '../../core/message.ts';
import type { CheckpointMethod } from '../../model/catalogue.ts';
import type { Profile } from '../profile.ts';
import { isCpu, isOn, isSince, isWritten, toModel, toWord } from './read.ts';
import type { ProfileRule, RuleHit, RuleKnowledge } from './rule.ts';

const verified = 'vllm/config/model.py _verify_quantization; asked of 0.32';

export const quantizationRules: readonly ProfileRule[] = [
  {
    code: 'profile/quantization-missing',
    severity: 'error',
    source: 'vllm/model_executor/model_loader/weight_utils.py get_quant_config; asked of 0.32',
    check: checkMissing,
  },
  { code: 'profile/quantization-mismatch', severity: 'error', source: verified, check: checkMismatch },
  {
    code: 'profile/quantization-dtype',
    severity: 'error',
    source: 'vllm/config/vllm.py: get_supported_act_dtypes of each method; asked of 0.32',
    check: checkDtype,
  },
  { code: 'profile/quantization-deprecated', severity: 'error', source: verified, check: checkDeprecated },
  {
    code: 'profile/quantization-renamed',
    severity: 'warning',
    source: 'vllm/model_executor/model_loader/weight_utils.py: deprecated for online quantization, 0.32',
    check: checkRenamed,
  },
  {
    code: 'profile/quantization-cpu',
    severity: 'warning',
    source: 'vllm/model_executor/kernels/linear/scaled_mm/cpu.py is_supported; without AMX it died in the worker; 0.32',
    check: checkCpu,
  },
  {
    code: 'profile/model-unpublished',
    severity: 'warning',
    source: 'survey of the repositories of Qwen, April 2026',
    check: checkPublished,
  },
  {
    code: 'profile/kv-cache-backend',
    severity: 'error',
    source: 'supported_kv_cache_dtypes of vllm/v1/attention/backends: no backend for such layers takes it, 0.32',
    check: checkCacheBackend,
  },
  {
    code: 'profile/kv-cache-cpu',
    severity: 'warning',
    source: 'vllm/v1/attention/backends/cpu_attn.py supported_kv_cache_dtypes, 0.32',
    check: checkCacheCpu,
  },
];

/** Methods that read scales from the checkpoint and cannot make them. */
const ofCheckpoints = [
  'awq',
  'awq_marlin',
  'auto_awq',
  'gptq',
  'gptq_marlin',
  'auto_gptq',
  'compressed-tensors',
  'modelopt',
  'modelopt_fp4',
  'inc',
  'moe_wna16',
  'quark',
];

const fix = { quantization: 'auto' };

function checkMissing(profile: Profile): readonly RuleHit[] {
  const model = toModel(profile);
  const { quantization: asked } = profile;
  if (model === undefined || model.method !== undefined || !ofCheckpoints.includes(asked)) return [];
  // Either of them may bring what the checkpoint lacks.
  if (isWritten(profile, 'hf-overrides') || isWritten(profile, 'quantization-config')) return [];
  const hint = say(isCpu(profile) ? 'rule.leave-out' : 'rule.quantization-missing.hint');
  return [{ path: 'quantization', message: say('rule.quantization-missing', { asked, model: model.id }), hint, fix }];
}

/** What may be asked of a checkpoint besides nothing. */
const accepted: Readonly<Record<CheckpointMethod, readonly string[]>> = {
  awq: ['awq', 'awq_marlin', 'auto_awq', 'marlin', 'moe_wna16', 'humming'],
  gptq: ['gptq', 'gptq_marlin', 'auto_gptq', 'marlin', 'moe_wna16', 'humming'],
  fp8: ['fp8', 'humming', 'deepseek_v4_fp8'],
};
/** On a CPU nothing takes the other names of it for the same. */
const acceptedOnCpu = ['awq', 'humming'];

function checkMismatch(profile: Profile, { catalogue }: RuleKnowledge): readonly RuleHit[] {
  const method = toModel(profile)?.method;
  const { quantization: asked } = profile;
  if (method === undefined || asked === 'auto') return [];
  const good = isCpu(profile) && method === 'awq' ? acceptedOnCpu : accepted[method];
  // What the version does not know may be a plug-in's, and do what it likes.
  if (good.includes(asked) || !catalogue?.flags.quantization?.known?.includes(asked)) return [];
  const message = say('rule.quantization-mismatch', { asked, method, model: profile.model.id });
  return [{ path: 'quantization', message, hint: say('rule.quantization-mismatch.hint'), fix }];
}

const online = ['fp8', 'fp8_per_tensor', 'fp8_per_block', 'fp8_per_channel', 'int8_per_channel_weight_only', 'experts_int8'];

function checkDtype(profile: Profile): readonly RuleHit[] {
  const dtype = toWord(profile, 'dtype');
  const method = toModel(profile)?.method ?? (online.includes(profile.quantization) ? profile.quantization : undefined);
  if (method === undefined || (dtype !== 'float32' && dtype !== 'float')) return [];
  const message = say('rule.quantization-dtype', { dtype, method });
  return [{ path: 'vllm.dtype', message, hint: say('rule.leave-out'), fix: { 'vllm.dtype': null } }];
}

function checkDeprecated(profile: Profile): readonly RuleHit[] {
  const { quantization: asked } = profile;
  const allowed = isOn(profile, 'allow-deprecated-quantization');
  if (!['fbgemm_fp8', 'fp_quant'].includes(asked) || allowed || !isSince(profile, '0.16')) return [];
  const change = { 'vllm.allow-deprecated-quantization': true };
  return [{ path: 'quantization', message: say('rule.quantization-deprecated', { asked }), fix: change }];
}

function checkRenamed(profile: Profile): readonly RuleHit[] {
  const model = toModel(profile);
  if (profile.quantization !== 'fp8' || model === undefined || model.method !== undefined || !isSince(profile, '0.32')) return [];
  const message = say('rule.quantization-renamed', { model: model.id });
  return [{ path: 'quantization', message, hint: say('rule.quantization-renamed.hint'), fix: { quantization: 'fp8_per_tensor' } }];
}

function checkCpu(profile: Profile): readonly RuleHit[] {
  const asked = profile.quantization === 'auto' ? toModel(profile)?.method : profile.quantization;
  if (!isCpu(profile) || !asked?.startsWith('fp8')) return [];
  const path = profile.quantization === 'auto' ? 'model' : 'quantization';
  return [{ path, message: say('rule.quantization-cpu', { asked }), hint: say('rule.quantization-cpu.hint') }];
}

function checkPublished(profile: Profile): readonly RuleHit[] {
  const model = toModel(profile);
  if (model === undefined || model.published) return [];
  return [{ path: 'model', message: say('rule.model-unpublished', { model: model.id }), hint: say('rule.model-unpublished.hint') }];
}

const cacheSetting = 'kv-cache-dtype';

/** Layouts of attention that Qwen does not have, and of other makers' processors. */
const unfit = ['fp8_ds_mla', 'nvfp4_ds_mla', 'fp8_inc'];

function checkCacheBackend(profile: Profile): readonly RuleHit[] {
  const dtype = toWord(profile, cacheSetting);
  if (isCpu(profile) || toModel(profile) === undefined || dtype === undefined || !unfit.includes(dtype)) return [];
  const message = say('rule.kv-cache-backend', { dtype, model: profile.model.id });
  return [{ path: `vllm.${cacheSetting}`, message, hint: say('rule.leave-out'), fix: { [`vllm.${cacheSetting}`]: null } }];
}

const onCpu = ['auto', 'float16', 'bfloat16', 'fp8', 'fp8_e4m3', 'fp8_e5m2'];

function checkCacheCpu(profile: Profile): readonly RuleHit[] {
  const dtype = toWord(profile, cacheSetting);
  if (!isCpu(profile) || dtype === undefined || onCpu.includes(dtype)) return [];
  const message = say('rule.kv-cache-cpu', { dtype });
  return [{ path: `vllm.${cacheSetting}`, message, hint: say('rule.leave-out'), fix: { [`vllm.${cacheSetting}`]: null } }];
}
