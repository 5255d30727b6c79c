/** Settings and the GPUs that were chosen. */
import { say } from '../../core/message.ts';
import { bfloat16Least, cacheNeeds, fp8Arithmetic, toLeastCapability } from '../../gpu/compatibility.ts';
import { type Gpu, toCapability } from '../../gpu/gpu.ts';
import type { Profile } from '../../profile/profile.ts';
import { isOff, isWritten, toModel, toWhole, toWord } from '../../profile/rules/read.ts';
import type { RuleHit } from '../../profile/rules/rule.ts';
import type { Facts } from '../facts.ts';
import { chooseGpus } from '../gpu-choice.ts';
import type { PlanRule } from './rule.ts';

export const gpuRules: readonly PlanRule[] = [
  {
    code: 'plan/quantization-capability',
    severity: 'error',
    source: 'vllm/config/vllm.py: not supported for the current GPU. Minimum capability, 0.32',
    facts: 'gpu',
    subject: say('rule.what.quantization'),
    check: checkMethod,
  },
  {
    code: 'plan/weight-only',
    severity: 'info',
    source: 'docs/features/quantization of vLLM: Marlin unpacks FP8 weights below 8.9',
    facts: 'gpu',
    subject: say('rule.what.quantization'),
    check: checkWeightOnly,
  },
  {
    code: 'plan/dtype-capability',
    severity: 'error',
    source: 'vllm/platforms/cuda.py check_if_supports_dtype, 0.32',
    facts: 'gpu',
    subject: say('rule.what.dtype'),
    check: checkDtype,
  },
  {
    code: 'plan/cache-capability',
    severity: 'error',
    source: 'vllm/v1/attention/backends/triton_attn.py and flashinfer.py, 0.24 to 0.32',
    facts: 'gpu',
    subject: say('rule.what.cache'),
    check: checkCache,
  },
  {
    code: 'plan/cache-backend',
    severity: 'info',
    source: 'vllm/v1/attention/backends/triton_attn.py: native FP8 requires SM89+, 0.24 to 0.32',
    facts: 'gpu',
    subject: say('rule.what.cache'),
    check: checkCacheBackend,
  },
  {
    code: 'plan/batch-default',
    severity: 'error',
    source: 'vllm/engine/arg_utils.py get_batch_defaults, vllm/config/scheduler.py; asked of 0.32',
    facts: 'gpu',
    subject: say('rule.what.batch'),
    check: checkBatch,
  },
];

interface Weak {
  readonly gpu: string;
  readonly has: string;
}

/** The weakest of the chosen ones, when it is below; what the driver does not say is not held against anybody. */
function findBelow(profile: Profile, facts: Facts, least: number): Weak | undefined {
  const known = chooseGpus(profile, facts).gpus.flatMap((gpu) => {
    const capability = toCapability(gpu);
    return capability === undefined ? [] : [{ gpu, capability }];
  });
  const weakest = known.toSorted((a, b) => a.capability - b.capability)[0];
  if (weakest === undefined || weakest.capability >= least) return undefined;
  return { gpu: toName(weakest.gpu), has: weakest.capability.toFixed(1) };
}

function toName(gpu: Gpu): string {
  return `GPU ${gpu.index} (${gpu.name})`;
}

function toMethod(profile: Profile): string | undefined {
  return profile.quantization === 'auto' ? toModel(profile)?.method : profile.quantization;
}

function toMethodPath({ quantization }: Profile): string {
  return quantization === 'auto' ? 'model' : 'quantization';
}

function checkMethod(profile: Profile, facts: Facts): readonly RuleHit[] {
  const method = toMethod(profile);
  const least = method === undefined ? undefined : toLeastCapability(method);
  const weak = least === undefined ? undefined : findBelow(profile, facts, least);
  if (method === undefined || least === undefined || weak === undefined) return [];
  const message = say('rule.quantization-capability', { ...weak, method, least: least.toFixed(1) });
  return [{ path: toMethodPath(profile), message, hint: say('rule.quantization-capability.hint') }];
}

function checkWeightOnly(profile: Profile, facts: Facts): readonly RuleHit[] {
  const weak = toMethod(profile)?.startsWith('fp8') ? findBelow(profile, facts, fp8Arithmetic) : undefined;
  return weak === undefined ? [] : [{ path: toMethodPath(profile), message: say('rule.weight-only', { ...weak }) }];
}

function checkDtype(profile: Profile, facts: Facts): readonly RuleHit[] {
  const weak = toWord(profile, 'dtype') === 'bfloat16' ? findBelow(profile, facts, bfloat16Least) : undefined;
  if (weak === undefined) return [];
  const message = say('rule.dtype-capability', { ...weak });
  return [{ path: 'vllm.dtype', message, hint: say('rule.dtype-capability.hint'), fix: { 'vllm.dtype': 'half' } }];
}

const cacheSetting = 'kv-cache-dtype';

function toCacheNeed(profile: Profile) {
  const dtype = toWord(profile, cacheSetting) ?? '';
  const need = cacheNeeds.find(({ dtypes }) => dtypes.includes(dtype));
  return need && { dtype, ...need };
}

function checkCache(profile: Profile, facts: Facts): readonly RuleHit[] {
  const need = toCacheNeed(profile);
  const weak = need && findBelow(profile, facts, need.least);
  if (need === undefined || weak === undefined) return [];
  const path = `vllm.${cacheSetting}`;
  return [
    { path, message: say('rule.cache-capability', { ...weak, dtype: need.dtype }), hint: say('rule.leave-out'), fix: { [path]: null } },
  ];
}

function checkCacheBackend(profile: Profile, facts: Facts): readonly RuleHit[] {
  const need = toCacheNeed(profile);
  const weak = need && findBelow(profile, facts, need.everywhere);
  if (need === undefined || weak === undefined || findBelow(profile, facts, need.least)) return [];
  return [{ path: `vllm.${cacheSetting}`, message: say('rule.cache-backend', { ...weak, dtype: need.dtype }) }];
}

const gib = 2 ** 30;

/**
 * What vLLM chooses for itself on such a GPU. It counts the memory that CUDA sees, up to 0.9 GiB less than the driver
 * says; in between the larger one is taken, so that nobody is refused in vain.
 */
function toBatch(gpu: Gpu): number | undefined {
  const bytes = gpu.memoryTotalBytes;
  if (bytes === undefined) return undefined;
  if (bytes >= 160 * gib) return 16_384;
  return bytes >= 70 * gib && !/a100/i.test(gpu.name) ? 8192 : 2048;
}

function checkBatch(profile: Profile, facts: Facts): readonly RuleHit[] {
  const sequences = toWhole(profile, 'max-num-seqs');
  const [gpu] = chooseGpus(profile, facts).gpus;
  const own = gpu && toBatch(gpu);
  const path = 'vllm.max-num-batched-tokens';
  const free = !isWritten(profile, 'max-num-batched-tokens') && !isOff(profile, 'enable-chunked-prefill');
  if (sequences === undefined || gpu === undefined || own === undefined || !free) return [];
  const tokens = own * (toWord(profile, 'performance-mode') === 'throughput' ? 2 : 1);
  if (tokens >= sequences) return [];
  const message = say('rule.batch-default', { sequences, tokens, gpu: toName(gpu) });
  const hint = say('rule.batch-below-sequences.hint', { sequences });
  return [{ path: 'vllm.max-num-seqs', message, hint, fix: { [path]: sequences } }];
}
