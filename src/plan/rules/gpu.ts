/** Settings and the GPUs that were chosen. What only has to do with the kind of GPU is data of gpu/compatibility-rules.ts. */
import type { Severity } from '../../core/finding.ts';
import { say } from '../../core/message.ts';
import type { CompatibilityHit } from '../../gpu/compatibility.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import type { Profile } from '../../profile/profile.ts';
import { isOff, isWritten, toWhole, toWord } from '../../profile/rules/read.ts';
import type { RuleHit } from '../../profile/rules/rule.ts';
import type { Facts } from '../facts.ts';
import { checkFitness } from '../fitness.ts';
import { chooseGpus } from '../gpu-choice.ts';
import type { PlanRule } from './rule.ts';

const quantization = say('rule.what.quantization');

export const gpuRules: readonly PlanRule[] = [
  toRule('plan/quantization-capability', 'error', {
    source: 'vllm/config/vllm.py: not supported for the current GPU. Minimum capability, 0.32',
    subject: quantization,
  }),
  toRule('plan/weight-only', 'info', {
    source: 'docs/features/quantization of vLLM: Marlin unpacks FP8 weights below 8.9',
    subject: quantization,
  }),
  toRule('plan/int8-kernel', 'error', { source: 'csrc/quantization/w8a8/cutlass of vLLM, 0.32', subject: quantization }),
  toRule('plan/dtype-capability', 'error', {
    source: 'vllm/platforms/cuda.py check_if_supports_dtype, 0.32',
    subject: say('rule.what.dtype'),
  }),
  toRule('plan/cache-capability', 'error', {
    source: 'vllm/v1/attention/backends/triton_attn.py and flashinfer.py, 0.24 to 0.32',
    subject: say('rule.what.cache'),
  }),
  toRule('plan/cache-backend', 'info', {
    source: 'vllm/v1/attention/backends/triton_attn.py: native FP8 requires SM89+, 0.24 to 0.32',
    subject: say('rule.what.cache'),
  }),
  toRule('plan/driver-cuda', 'error', { source: 'CUDA compatibility guide of NVIDIA' }),
  toRule('plan/cuda-capability', 'error', { source: 'CMakeLists.txt CUDA_SUPPORTED_ARCHS of vLLM' }),
  {
    code: 'plan/batch-default',
    severity: 'error',
    source: 'vllm/engine/arg_utils.py get_batch_defaults, vllm/config/scheduler.py; asked of 0.32',
    facts: 'gpu',
    subject: say('rule.what.batch'),
    check: checkBatch,
  },
];

/** The hits of one code of the rules of compatibility. */
function toRule(code: string, severity: Severity, about: Pick<PlanRule, 'source' | 'subject'>): PlanRule {
  const check = (profile: Profile, facts: Facts): readonly RuleHit[] =>
    checkFitness(profile, facts)
      .filter((hit) => hit.code === code)
      .map((hit) => ({
        path: toPath(profile, hit),
        message: hit.message,
        ...(hit.hint ? { hint: hit.hint } : {}),
        ...(hit.cure ? { fix: hit.cure } : {}),
      }));
  return { code, severity, facts: 'gpu', ...about, check };
}

/** Which of a profile's settings a hit is about. */
function toPath(profile: Profile, { about }: CompatibilityHit): string {
  if (about === 'dtype') return 'vllm.dtype';
  if (about === 'cache') return 'vllm.kv-cache-dtype';
  if (about === 'quantization') return profile.quantization === 'auto' ? 'model' : 'quantization';
  return 'engine.version';
}

function toName(gpu: Gpu): string {
  return `GPU ${gpu.index} (${gpu.name})`;
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
