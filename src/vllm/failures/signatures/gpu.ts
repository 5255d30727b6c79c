/** The card, its driver, and what was built for another card. */
import type { Signature } from '../signature.ts';

export const gpuSignatures: readonly Signature[] = [
  {
    cause: 'gpu_lost_xid',
    pattern:
      /(?:CUDA|HIP) error: (?:an illegal (?:memory access|instruction) was encountered|unspecified launch failure|uncorrectable ECC error|misaligned address|the launch timed out|hardware stack error|invalid program counter|device-side assert|unknown error|GPU is lost|operation not supported on global|uncorrectable NVLink|an? (?:exception|fault))/i,
  },
  {
    cause: 'gpu_lost_xid',
    pattern:
      /cudaError(?:IllegalAddress|IllegalInstruction|LaunchFailure|ECCUncorrectable|MisalignedAddress|HardwareStackError|InvalidPc|Assert|LaunchTimeout|NvlinkUncorrectable)|CUDA_ERROR_(?:ILLEGAL_ADDRESS|ILLEGAL_INSTRUCTION|LAUNCH_FAILED|ECC_UNCORRECTABLE|MISALIGNED_ADDRESS|HARDWARE_STACK_ERROR|INVALID_PC|LAUNCH_TIMEOUT)|hipError(?:IllegalAddress|LaunchFailure)/,
  },
  { cause: 'gpu_lost_xid', pattern: /Xid \(PCI:[\w:.]{1,20}\): (?<xid>\d{1,4})/, quiet: true },
  {
    cause: 'gpu_lost_xid',
    pattern: /fallen off the bus|GPU is lost|NVML_ERROR_GPU_IS_LOST|NVMLError_GpuIsLost|Unable to determine the device handle for/i,
    quiet: true,
  },
  {
    cause: 'gpu_lost_xid',
    pattern:
      /Memory access fault by GPU|HSA_STATUS_ERROR_(?:EXCEPTION|MEMORY|OUT_OF_RESOURCES)|GPU reset (?:is )?required|(?:CUDA|GPU) device.{0,20} (?:lost|hung)/i,
    quiet: true,
  },
  {
    cause: 'kernel_image_missing',
    pattern:
      /no kernel image is available for execution|cudaErrorNoKernelImageForDevice|CUDA_ERROR_NO_BINARY_FOR_GPU|hipErrorNoBinaryForGpu/,
  },
  {
    cause: 'kernel_image_missing',
    pattern: /PTX was compiled with an unsupported toolchain|cudaErrorUnsupportedPtxVersion|CUDA_ERROR_UNSUPPORTED_PTX_VERSION/,
  },
  {
    cause: 'kernel_image_missing',
    pattern:
      /device kernel image is invalid|cudaErrorInvalidKernelImage|CUDA_ERROR_INVALID_(?:IMAGE|PTX)|cudaErrorInvalidPtx|a PTX JIT compilation failed/,
  },
  { cause: 'kernel_image_missing', pattern: /(?<arch>sm_\d{2,3}a?) is not compatible with the current PyTorch installation/, quiet: true },
  { cause: 'kernel_image_missing', pattern: /is not compatible with the current PyTorch installation/, quiet: true },
  {
    cause: 'kernel_image_missing',
    pattern:
      /No compiled \w{1,60} for (?:a )?(?:compute|CUDA|this)|(?:kernel|cutlass\w{0,30}).{0,60}(?:not (?:compiled|built)) for (?:sm|compute|this|arch)/i,
  },
  {
    cause: 'kernel_image_missing',
    pattern: /Error Internal|cutlass error.{0,40}(?:arch|capability)|named symbol not found/i,
    role: 'symptom',
    confidence: 'unsure',
    verdict: 'transient',
  },
  { cause: 'dtype_unsupported_gpu', pattern: /Bfloat16 is only supported on (?:GPUs|\w{1,12})(?: with compute capability)?/i },
  { cause: 'dtype_unsupported_gpu', pattern: /of at least 8\.0\. Your .{1,80} GPU has compute/ },
  {
    cause: 'dtype_unsupported_gpu',
    pattern:
      /(?:bfloat16|bf16|float8\w{0,12}) (?:is not|isn't|not) supported (?:on|by) (?:this|your|the current) (?:device|GPU|hardware|card)/i,
  },
  {
    cause: 'quantization_unsupported_gpu',
    pattern:
      /quantization method (?<method>[\w.-]{1,60}) is not supported for the current GPU\.(?: Minimum capability: (?<minimum>\d{1,4})\. Current capability: (?<capability>\d{1,4}))?/i,
  },
  {
    cause: 'quantization_unsupported_gpu',
    pattern: /Quantization scheme is not supported for (?:the )?current GPU|Min(?:imum)? capability: ?\d{1,4}\. Current capability/i,
  },
  {
    cause: 'quantization_unsupported_gpu',
    pattern:
      /type fp8e4nv not supported in this architecture|(?:FP8|NVFP4|MXFP4|FP4|INT8|Marlin).{0,60}requires? (?:a )?(?:GPU|compute capability|CUDA capability|sm_?\d\d)/i,
  },
  {
    cause: 'quantization_unsupported_gpu',
    pattern: /(?:quantization|kernel|scheme).{0,60}(?:is )?only supported on (?:GPUs? with|Hopper|Ada|Blackwell|devices with|compute)/i,
  },
  {
    cause: 'quantization_mismatch',
    pattern:
      /model config \((?<configured>[^)]{1,60})\) does not match the quantization method specified in the [`']?quantization[`']? argument \((?<value>[^)]{1,60})\)/,
  },
  { cause: 'quantization_mismatch', pattern: /does not match the quantization (?:method|argument)/ },
  { cause: 'quantization_mismatch', pattern: /Cannot find the config file for (?<value>[\w.-]{1,60})/ },
  { cause: 'quantization_mismatch', pattern: /Cannot find any of \[.{1,300}\] in the model's quantization config/ },
  {
    cause: 'quantization_mismatch',
    pattern: /KeyError: '[\w.]{1,200}\.(?:qweight|qzeros|g_idx|scales|weight_scale\w{0,12}|weight_packed|input_scale|weight_zero_point)'/,
    role: 'hint',
    confidence: 'likely',
  },
  { cause: 'attention_backend_unsupported', pattern: /is not valid for this configuration\. *Reason/ },
  { cause: 'attention_backend_unsupported', pattern: /No valid attention backend|Selected backend.{1,80} is not (?:valid|supported)/ },
  {
    cause: 'attention_backend_unsupported',
    pattern:
      /(?:backend|FlashAttention|FlashInfer|FlashMLA|XFormers|Triton\w{0,12}|CUTLASS[_ ]MLA|ROCM\w{0,20}|FLASH\w{0,20}|TRITON\w{0,12}).{0,60}(?:does not|doesn't|not) support(?:ed)? (?:attention sinks?|head[_ ]size|kv[_ -]?cache|fp8|MLA|sparse|sliding|block[_ ]size|this|cascade|encoder|logits)/i,
  },
  {
    cause: 'attention_backend_unsupported',
    pattern: /Head size \d{1,5} is not supported by|FlashAttention only supports Ampere|Supported head sizes are/i,
  },
  {
    cause: 'attention_backend_unsupported',
    pattern: /attention backend.{0,80}(?:is not supported|cannot be used|not compatible|unsupported)/i,
  },
  { cause: 'fabric_not_ready', pattern: /system not yet initialized|cudaErrorSystemNotReady|CUDA_ERROR_SYSTEM_NOT_READY|\bError 802\b/ },
  {
    cause: 'fabric_not_ready',
    pattern:
      /fabric ?manager.{0,80}(?:not running|is not|failed|inactive|mismatch|not ready)|fabric state.{0,20}(?:In Progress|Not Started)|NVSwitch fabric/i,
    quiet: true,
  },
  {
    cause: 'no_gpu_visible',
    pattern:
      /No (?:CUDA|HIP|XPU) GPUs? (?:are|is) available|no CUDA-capable device is detected|cudaErrorNoDevice|CUDA_ERROR_NO_DEVICE|hipErrorNoDevice/,
  },
  {
    cause: 'no_gpu_visible',
    pattern:
      /Found no NVIDIA driver on your system|you might not have a CUDA gpu|Torch not compiled with CUDA enabled|libcuda\.so(?:\.1)?: cannot open shared object/i,
  },
  {
    cause: 'no_gpu_visible',
    pattern: /Failed to infer device type|Device string must not be empty|UnspecifiedPlatform.{0,60}(?:not|no |has no)/,
    role: 'hint',
  },
  {
    cause: 'no_gpu_visible',
    pattern:
      /NVML Shared Library Not Found|NVMLError_(?:LibraryNotFound|DriverNotLoaded|NotFound)|nvidia-smi: (?:command )?not found|couldn't communicate with the NVIDIA driver|No devices were found/i,
    role: 'hint',
  },
  {
    cause: 'no_gpu_visible',
    pattern: /Setting the available devices to be zero|no (?:GPU|accelerator|device)s? (?:was |were )?(?:found|detected|visible)/i,
    role: 'hint',
  },
  { cause: 'driver_too_old', pattern: /NVIDIA driver on your system is too old(?: \(found version (?<found>\d{4,6})\))?/ },
  { cause: 'driver_too_old', pattern: /unsatisfied condition: (?<condition>[\w<>=., ]{1,60})/ },
  {
    cause: 'driver_too_old',
    pattern:
      /CUDA driver version is insufficient|cudaErrorInsufficientDriver|CUDA_ERROR_(?:SYSTEM_DRIVER_MISMATCH|COMPAT_NOT_SUPPORTED_ON_DEVICE)|forward compatibility was attempted|cudaErrorCompatNotSupported/,
  },
  {
    cause: 'driver_too_old',
    pattern: /unsupported display driver ?\/ ?cuda driver combination|cudaErrorSystemDriverMismatch|\bError 80[34]\b/,
    role: 'hint',
  },
  {
    cause: 'driver_too_old',
    pattern: /driver (?:version )?.{0,40}(?:is )?too old|requires (?:an? )?NVIDIA driver (?:version |release )?(?:>=|\d|newer)/i,
    role: 'hint',
  },
  {
    cause: 'driver_library_mismatch',
    pattern: /driver\/library version mismatch|LibRmVersionMismatch|LIB_RM_VERSION_MISMATCH|NVRM: API mismatch/i,
    quiet: true,
  },
  {
    cause: 'driver_library_mismatch',
    pattern: /Failed to initialize NVML: (?:Unknown Error|Driver\/library)|NVMLError_Unknown|NVMLError_InsufficientPermissions/i,
  },
];
