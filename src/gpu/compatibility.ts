/** What a GPU's compute capability decides, as data: each line with the place in vLLM 0.32 that says so. */

export interface MethodNeed {
  /** As `quantization` names it, or the checkpoint itself. */
  readonly methods: readonly string[];
  /** Below it vLLM refuses to start. */
  readonly least: number;
  readonly source: string;
}

const layers = 'vllm/model_executor/layers/quantization';

/** Kinds of quantization and the least capability that vLLM starts them on (`get_min_capability`). */
export const methodNeeds: readonly MethodNeed[] = [
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

/** Undefined: nothing is known to be needed. */
export function toLeastCapability(method: string): number | undefined {
  return methodNeeds.find(({ methods }) => methods.includes(method))?.least;
}

/** From here on there is arithmetic for FP8; below, such weights are unpacked to 16 bits (docs/features/quantization). */
export const fp8Arithmetic = 8.9;

/** vllm/platforms/cuda.py check_if_supports_dtype. */
export const bfloat16Least = 8.0;

export interface CacheNeed {
  readonly dtypes: readonly string[];
  /** Below it no attention backend takes it. */
  readonly least: number;
  /** From here on every backend that is chosen takes it; between the two only FlashInfer does. */
  readonly everywhere: number;
  readonly source: string;
}

/** KV cache types and capability. */
export const cacheNeeds: readonly CacheNeed[] = [
  {
    dtypes: ['fp8', 'fp8_e4m3', 'fp8_e5m2'],
    least: 8.0,
    everywhere: 8.9,
    source: 'vllm/v1/attention/backends/triton_attn.py and flashinfer.py supports_compute_capability, 0.24 to 0.32',
  },
  { dtypes: ['bfloat16'], least: 8.0, everywhere: 8.0, source: 'vllm/v1/attention/backends/triton_attn.py, 0.32' },
];
