/**
 * What fits together and what does not, as data: GPU × quantization × number format × KV cache × version × CUDA × driver.
 * Each line names the place that says so. A line hits when all that it asks for is known and true.
 */
import type { Message, MessageId } from '../core/message.ts';

/** `from` counts as inside, `below` as outside. */
export interface Range {
  readonly from?: number;
  readonly below?: number;
}

/** Ways of quantizing that a method (`compressed-tensors`) does not tell apart. */
export type Scheme = 'int8-w8a8' | 'w4a8' | 'nvfp4';

export interface Condition {
  /** Compute capability. */
  readonly capability?: Range;
  /** As `quantization` names it, or the checkpoint itself. */
  readonly methods?: readonly string[];
  readonly schemes?: readonly Scheme[];
  readonly dtypes?: readonly string[];
  readonly cacheDtypes?: readonly string[];
  /** CUDA that the engine was built with. */
  readonly cuda?: Range;
  /** Major number of the driver. */
  readonly driver?: Range;
  readonly kernelModule?: 'open' | 'proprietary';
}

export interface CompatibilityRule {
  /** `plan/…` is a finding of plans, too; `gpu/…` only counts for the ranking and the doctor. */
  readonly code: string;
  /** `note`: worth a line in a ranking, and no reason to speak up in each plan. */
  readonly severity: 'error' | 'info' | 'note';
  readonly about: 'quantization' | 'dtype' | 'cache' | 'gpu' | 'driver';
  readonly when: Condition;
  /** Versions of vLLM: from this one on, and before that one. */
  readonly since?: string;
  readonly until?: string;
  readonly words: MessageId;
  /** The same in a few words, where the GPU is known from elsewhere. */
  readonly short: MessageId;
  readonly hint?: Message;
  /** What it takes, for the words. */
  readonly least?: string;
  /** The setting that is to go, or its better value. */
  readonly cure?: Readonly<Record<string, unknown>>;
  readonly source: string;
}

const layers = 'vllm/model_executor/layers/quantization';

interface MethodNeed {
  readonly methods: readonly string[];
  /** Below it vLLM refuses to start (`get_min_capability`). */
  readonly least: number;
  readonly source: string;
}

const methodNeeds: readonly MethodNeed[] = [
  { methods: ['awq', 'awq_marlin', 'auto_awq'], least: 7.5, source: `${layers}/auto_awq.py` },
  { methods: ['gptq', 'gptq_marlin', 'auto_gptq', 'inc'], least: 6.0, source: `${layers}/auto_gptq.py, inc/inc.py` },
  { methods: ['fp8'], least: 7.5, source: `${layers}/fp8.py` },
  {
    methods: ['online', 'fp8_per_tensor', 'fp8_per_block', 'fp8_per_channel', 'int8_per_channel_weight_only', 'nvfp4_per_token'],
    least: 7.5,
    source: `${layers}/online/base.py`,
  },
  { methods: ['compressed-tensors', 'moe_wna16'], least: 7.0, source: `${layers}/compressed_tensors/compressed_tensors.py, moe_wna16.py` },
  { methods: ['modelopt_fp4', 'modelopt_mixed', 'torchao'], least: 7.5, source: `${layers}/modelopt.py, torchao.py` },
  { methods: ['modelopt', 'modelopt_mxfp8'], least: 8.0, source: `${layers}/modelopt.py` },
  { methods: ['experts_int8', 'fbgemm_fp8', 'mxfp4'], least: 8.0, source: `${layers}/experts_int8.py, fbgemm_fp8.py, mxfp4.py` },
  { methods: ['fp_quant'], least: 10.0, source: `${layers}/fp_quant.py` },
];

const methodHint: Message = { id: 'rule.quantization-capability.hint', params: {} };
const leaveOut: Message = { id: 'rule.leave-out', params: {} };

const byMethod = methodNeeds.map(
  ({ methods, least, source }): CompatibilityRule => ({
    code: 'plan/quantization-capability',
    severity: 'error',
    about: 'quantization',
    when: { methods, capability: { below: least } },
    words: 'rule.quantization-capability',
    short: 'rank.method',
    hint: methodHint,
    least: least.toFixed(1),
    source,
  }),
);

/** From here on there is arithmetic for FP8, and from there for FP4. */
const fp8Arithmetic = 8.9;
const fp4Arithmetic = 10.0;

const quantizationRules: readonly CompatibilityRule[] = [
  ...byMethod,
  {
    code: 'plan/quantization-capability',
    severity: 'error',
    about: 'quantization',
    when: { schemes: ['w4a8'], capability: { below: 9.0 } },
    words: 'rule.quantization-capability',
    short: 'rank.method',
    hint: methodHint,
    least: '9.0',
    source: `${layers}/compressed_tensors/schemes/compressed_tensors_w4a8_fp8.py, 0.32`,
  },
  {
    code: 'plan/weight-only',
    severity: 'info',
    about: 'quantization',
    when: { methods: ['fp8', 'fp8_per_tensor', 'fp8_per_block', 'fp8_per_channel'], capability: { below: fp8Arithmetic } },
    words: 'rule.weight-only',
    short: 'rank.weight-only',
    source: 'docs/features/quantization of vLLM: Marlin unpacks FP8 weights below 8.9',
  },
  ...([{ schemes: ['nvfp4'] }, { methods: ['modelopt_fp4', 'modelopt_mixed', 'nvfp4_per_token'] }] as const).map(
    (what): CompatibilityRule => ({
      code: 'plan/weight-only',
      severity: 'info',
      about: 'quantization',
      when: { ...what, capability: { below: fp4Arithmetic } },
      words: 'rule.weight-only-fp4',
      short: 'rank.weight-only',
      source: `${layers}/compressed_tensors/compressed_tensors.py: W4A4 NVFP4 falls back to weight-only, 0.32`,
    }),
  ),
  {
    code: 'plan/int8-kernel',
    severity: 'error',
    about: 'quantization',
    when: { schemes: ['int8-w8a8'], capability: { from: 10.0 } },
    words: 'rule.int8-kernel',
    short: 'rank.int8-kernel',
    hint: { id: 'rule.int8-kernel.hint', params: {} },
    source: 'csrc/quantization/w8a8/cutlass: int8 not supported on SM100 and on SM120, 0.32',
  },
];

const formatRules: readonly CompatibilityRule[] = [
  {
    code: 'plan/dtype-capability',
    severity: 'error',
    about: 'dtype',
    when: { dtypes: ['bfloat16'], capability: { below: 8.0 } },
    words: 'rule.dtype-capability',
    short: 'rank.dtype',
    hint: { id: 'rule.dtype-capability.hint', params: {} },
    cure: { 'vllm.dtype': 'half' },
    source: 'vllm/platforms/cuda.py check_if_supports_dtype, 0.32',
  },
  {
    code: 'plan/cache-capability',
    severity: 'error',
    about: 'cache',
    when: { cacheDtypes: ['fp8', 'fp8_e4m3', 'fp8_e5m2', 'bfloat16'], capability: { below: 8.0 } },
    words: 'rule.cache-capability',
    short: 'rank.cache',
    hint: leaveOut,
    cure: { 'vllm.kv-cache-dtype': null },
    source: 'vllm/v1/attention/backends/triton_attn.py and flashinfer.py supports_compute_capability, 0.24 to 0.32',
  },
  {
    code: 'plan/cache-backend',
    severity: 'info',
    about: 'cache',
    when: { cacheDtypes: ['fp8', 'fp8_e4m3', 'fp8_e5m2'], capability: { from: 8.0, below: fp8Arithmetic } },
    words: 'rule.cache-backend',
    short: 'rank.cache-backend',
    source: 'vllm/v1/attention/backends/triton_attn.py: native FP8 requires SM89+, 0.24 to 0.32',
  },
];

const gpuRules: readonly CompatibilityRule[] = [
  {
    code: 'gpu/unsupported',
    severity: 'error',
    about: 'gpu',
    when: { capability: { below: 7.0 } },
    words: 'rule.gpu-unsupported',
    short: 'rank.unsupported',
    least: '7.0',
    source: 'CMakeLists.txt CUDA_SUPPORTED_ARCHS of vLLM',
  },
  {
    code: 'gpu/unsupported',
    severity: 'error',
    about: 'gpu',
    when: { capability: { from: 7.0, below: 7.5 } },
    since: '0.20',
    words: 'rule.gpu-unsupported',
    short: 'rank.unsupported',
    least: '7.5',
    source: 'docker/Dockerfile torch_cuda_arch_list: wheels and images with CUDA 13 begin at 7.5, since 0.20',
  },
  {
    code: 'gpu/turing',
    severity: 'note',
    about: 'gpu',
    when: { capability: { from: 7.5, below: 8.0 } },
    words: 'rule.turing',
    short: 'rank.turing',
    source: 'vllm/platforms/cuda.py: FLASH_ATTN needs 8.0; vllm/config/model.py: auto falls back to float16, 0.32',
  },
  {
    code: 'gpu/kernels-missing',
    severity: 'note',
    about: 'gpu',
    when: { capability: { from: 12.1 } },
    words: 'rule.kernels-missing',
    short: 'rank.kernels-missing',
    source: 'failures of cutlass on sm121 and "no kernel image", reported for 0.2x',
  },
  {
    code: 'gpu/open-module',
    severity: 'error',
    about: 'gpu',
    when: { capability: { from: 10.0 }, kernelModule: 'proprietary' },
    words: 'rule.open-module',
    short: 'rank.open-module',
    hint: { id: 'rule.open-module.hint', params: {} },
    source: 'NVIDIA driver installation guide: Blackwell needs the open kernel modules',
  },
];

/** CUDA → the least driver of its family (minor-version compatibility), and the least CUDA of each new kind of GPU. */
const driverRules: readonly CompatibilityRule[] = [
  ...[
    { cuda: { from: 13, below: 14 }, least: 580 },
    { cuda: { from: 12, below: 13 }, least: 525 },
    { cuda: { from: 11, below: 12 }, least: 450 },
  ].map(
    ({ cuda, least }): CompatibilityRule => ({
      code: 'plan/driver-cuda',
      severity: 'error',
      about: 'driver',
      when: { cuda, driver: { below: least } },
      words: 'rule.driver-cuda',
      short: 'rank.driver-cuda',
      hint: { id: 'rule.driver-cuda.hint', params: { least } },
      least: String(least),
      source: 'CUDA compatibility guide of NVIDIA, minor-version compatibility',
    }),
  ),
  ...[
    { capability: { from: 10.0, below: 10.1 }, least: 12.8 },
    { capability: { from: 10.1, below: 11 }, least: 12.9 },
    { capability: { from: 11, below: 12 }, least: 13.0 },
    { capability: { from: 12, below: 12.1 }, least: 12.8 },
    { capability: { from: 12.1 }, least: 12.9 },
  ].map(
    ({ capability, least }): CompatibilityRule => ({
      code: 'plan/cuda-capability',
      severity: 'error',
      about: 'driver',
      when: { capability, cuda: { below: least } },
      words: 'rule.cuda-capability',
      short: 'rank.cuda-capability',
      hint: { id: 'rule.cuda-capability.hint', params: {} },
      least: least.toFixed(1),
      source: 'CMakeLists.txt CUDA_SUPPORTED_ARCHS: 10.0 and 12.0 since CUDA 12.8, 10.3 and 12.1 since 12.9, 11.0 since 13.0',
    }),
  ),
];

export const compatibilityRules: readonly CompatibilityRule[] = [...quantizationRules, ...formatRules, ...gpuRules, ...driverRules];
