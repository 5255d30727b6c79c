import { describe, expect, it } from 'vitest';
import type { CauseId } from '../../../src/vllm/failures/causes.ts';
import { explain } from './logs.ts';

/** The same thing in the words of other versions and programs than those of the logs. */
const wordings: Readonly<Partial<Record<CauseId, readonly string[]>>> = {
  unknown_argument: [
    'vllm serve: error: unrecognized arguments: --use-v2-block-manager --num-lookahead-slots 2',
    'api_server.py: error: ambiguous option: --max could match --max-model-len, --max-num-seqs',
    "TypeError: EngineArgs.__init__() got an unexpected keyword argument 'swap_space'",
  ],
  invalid_argument_value: [
    "vllm serve: error: argument --kv-cache-dtype: invalid choice: 'fp4' (choose from 'auto', 'fp8')",
    "api_server.py: error: argument --max-model-len: invalid human_readable_int value: '8q'",
    'vllm: error: argument --hf-overrides: Value {rope cannot be converted to <function loads at 0x7f>.',
    'ValueError: GPU memory utilization must be less than 1.0. Got 1.2.',
    'ValueError: max_num_batched_tokens (128) must be greater than or equal to max_num_seqs (256).',
    "  Input should be 'auto', 'half' or 'float16' [type=literal_error, input_value='fp9', input_type=str]",
    'ValueError: Unknown quantization method: marlin8. Must be one of [awq].',
    'ValueError: tensor_parallel_size must be greater than 0',
    'OSError: [Errno 99] Cannot assign requested address',
  ],
  reasoning_or_tool_parser_invalid: [
    'KeyError: "reasoning helper: \'qwen\' not found in reasoning_parsers"',
    'KeyError: "Tool parser \'qwen\' not found. Available parsers: hermes, qwen3_coder"',
    "KeyError: 'invalid reasoning parser: think (chose from { deepseek_r1,qwen3 })'",
  ],
  max_model_len_exceeds_model: [
    "ValueError: User-specified max_model_len (65536) is greater than the derived max_model_len (max_position_embeddings=40960 or model_max_length=None in model's config.json).",
  ],
  not_enough_gpus: [
    'ValueError: The number of required GPUs exceeds the total number of available GPUs in the placement group.',
    'RuntimeError: CUDA error: invalid device ordinal',
    'AssertionError: please ensure that world_size (4) is less than than max local gpu count (2)',
  ],
  tensor_parallel_indivisible: [
    'ValueError: Total number of attention heads (14) must be divisible by tensor parallel size (4).',
    'AssertionError: 151937 is not divisible by 4',
    'ValueError: The input size is not aligned with the quantized weight shape. This can be caused by too large tensor parallel size.',
  ],
  lora_failure: [
    'ValueError: LoRA rank 64 is greater than max_lora_rank 16.',
    "ValueError: While loading /x, expected target modules in {'q_proj'} but received ['x']. Please verify",
    'RuntimeError: Call to add_lora method failed: x',
  ],
  free_memory_below_utilization: [
    'ValueError: Free memory on device (3.1/8.0 GiB) on startup is less than desired GPU memory utilization (0.92, 7.36 GiB). Decrease GPU memory utilization',
  ],
  kv_cache_too_small: [
    "ValueError: The model's max seq len (40960) is larger than the maximum number of tokens that can be stored in KV cache (9000). Try increasing `gpu_memory_utilization`",
    'ValueError: Cannot auto-fit max_model_len: not enough GPU memory available to serve even a single token.',
  ],
  cuda_oom_warmup: ['RuntimeError: CUDA out of memory occurred when warming up sampler with 256 dummy requests. Please try lowering'],
  cuda_oom_weights: [
    'torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 8.00 GiB of which 1.00 GiB is free.',
    'RuntimeError: CUDA error: out of memory',
    'torch.OutOfMemoryError: HIP out of memory. Tried to allocate 2.00 GiB.',
  ],
  memory_profiling_race: [
    'AssertionError: Error in memory profiling. Initial free memory 10.1 GiB, current free memory 12 GiB. This happens when the GPU memory was not properly cleaned up',
  ],
  host_oom_killed: [
    'slurmstepd: error: Detected 1 oom_kill event in StepId=1.batch. Some of the step tasks have been OOM Killed.',
    'ray.exceptions.OutOfMemoryError: Task was killed due to the node running low on memory.',
    'kernel: oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=x,mems_allowed=0,oom_memcg=/x,task_memcg=/x,task=VLLM::EngineCor,pid=7,uid=0',
    'kernel: Memory cgroup out of memory: Killed process 77 (python3) total-vm:1kB, anon-rss:1kB',
    'systemd[1]: vllm.service: A process of this unit has been killed by the OOM killer.',
    '"State": {"Status": "exited", "OOMKilled": true}',
    "RuntimeError: [enforce fail at alloc_cpu.cpp:117] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate 1207959552 bytes.",
  ],
  shm_too_small: [
    'NCCL WARN Call to posix_fallocate failed : No space left on device',
    'RuntimeError: unable to allocate shared memory(shm) for file </torch_77_1>: Success (0)',
    "OSError: [Errno 28] No space left on device: '/psm_1f2e'",
    'RuntimeError: unable to write to file </torch_1_2>: No space left on device (28)',
    "RuntimeError: DataLoader worker (pid 7) is killed by signal: Bus error. It is possible that dataloader's workers are out of shared memory. Please try to raise your shared memory limit.",
  ],
  disk_full: [
    'OSError: [Errno 28] No space left on device',
    'failed to register layer: write /usr/lib/x.so: no space left on device',
    'RuntimeError: Data processing error: I/O error: No space left on device (os error 28)',
    'OSError: [Errno 122] Disk quota exceeded',
  ],
  gpu_lost_xid: [
    'torch.AcceleratorError: CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasGemmEx`',
    'kernel: NVRM: Xid (PCI:0000:65:00): 79, pid=77, name=python, GPU has fallen off the bus.',
    'RuntimeError: CUDA error: an illegal memory access was encountered',
    'Unable to determine the device handle for GPU 0000:65:00.0: Unknown Error',
    'RuntimeError: CUDA error: uncorrectable ECC error encountered',
  ],
  kernel_image_missing: [
    'RuntimeError: CUDA error: no kernel image is available for execution on the device',
    'NotImplementedError: No compiled cutlass_scaled_mm for a compute capability less than CUDA device capability: 120',
  ],
  dtype_unsupported_gpu: [
    'ValueError: Bfloat16 is only supported on GPUs with compute capability of at least 8.0. Your Tesla T4 GPU has compute capability 7.5. You can use float16 instead',
  ],
  quantization_unsupported_gpu: [
    'ValueError: The quantization method fp8 is not supported for the current GPU. Minimum capability: 80. Current capability: 75.',
    'RuntimeError: Quantization scheme is not supported for the current GPU. Min capability: 89. Current capability: 86.',
    "ValueError: type fp8e4nv not supported in this architecture. The supported fp8 dtypes are ('fp8e4b15', 'fp8e5')",
  ],
  quantization_mismatch: [
    'ValueError: Quantization method specified in the model config (gptq) does not match the quantization method specified in the `quantization` argument (awq).',
    'ValueError: Cannot find the config file for gptq',
    "ValueError: Cannot find any of ['adapter_name_or_path'] in the model's quantization config.",
  ],
  attention_backend_unsupported: [
    'ValueError: FlashMLA is not supported on this device',
    'AssertionError: Sinks are only supported in FlashAttention 3',
    'ValueError: No valid attention backend found for cuda with AttentionSelectorConfig(head_size=80)',
    'ValueError: Head size 80 is not supported by FlashAttention. Supported head sizes are: [64, 128].',
    'NotImplementedError: FlashInfer backend currently does not support attention sinks',
  ],
  fabric_not_ready: [
    'RuntimeError: CUDA error: system not yet initialized',
    'CUDA initialization: Error 802: system not yet initialized (Triggered internally at c10/cuda/CUDAFunctions.cpp:108.)',
  ],
  no_gpu_visible: [
    'RuntimeError: Found no NVIDIA driver on your system. Please check that you have an NVIDIA GPU',
    'RuntimeError: No HIP GPUs are available',
    'RuntimeError: Device string must not be empty',
    'ImportError: libcuda.so.1: cannot open shared object file: No such file or directory',
    'AssertionError: Torch not compiled with CUDA enabled',
    'RuntimeError: CUDA error: no CUDA-capable device is detected',
  ],
  driver_too_old: [
    'RuntimeError: CUDA error: CUDA driver version is insufficient for CUDA runtime version',
    'nvidia-container-cli: requirement error: unsatisfied condition: cuda>=13.0, please update your driver to a newer version',
    'Error 804: forward compatibility was attempted on non supported HW',
  ],
  driver_library_mismatch: [
    'Failed to initialize NVML: Driver/library version mismatch',
    'Failed to initialize NVML: Unknown Error',
    'kernel: NVRM: API mismatch: the client has the version 580.1, but this kernel module has the version 570.2.',
    'nvidia-container-cli: initialization error: nvml error: driver/library version mismatch: unknown',
  ],
  docker_no_gpu_runtime: [
    'docker: Error response from daemon: unknown or invalid runtime name: nvidia.',
    'docker: Error response from daemon: failed to discover GPU vendor from CDI: no known GPU vendor found.',
    'nvidia-container-cli: initialization error: load library failed: libnvidia-ml.so.1: cannot open shared object file: no such file or directory: unknown.',
  ],
  image_pull_failure: [
    "Error response from daemon: pull access denied for vllm/vllm-openia, repository does not exist or may require 'docker login'",
    'Failed to pull image "vllm/vllm-openai:v9": ErrImagePull',
    'Error response from daemon: no matching manifest for linux/arm64/v8 in the manifest list entries',
  ],
  container_entrypoint_invalid: [
    'OCI runtime create failed: runc create failed: unable to start container process: exec: "vlm": executable file not found in $PATH: unknown',
    'exec /usr/bin/python3: exec format error',
    '/bin/sh: 1: vllm: not found',
  ],
  model_not_found: [
    "OSError: a/b is not a local folder and is not a valid model identifier listed on 'https://huggingface.co/models'",
    'huggingface_hub.errors.RepositoryNotFoundError: 404 Client Error. Repository Not Found for url: https://huggingface.co/api/models/a/b',
    'huggingface_hub.errors.RevisionNotFoundError: 404 Client Error. Revision Not Found for url: https://huggingface.co/a/b',
    'OSError: /models/x does not appear to have a file named config.json.',
  ],
  hub_unreachable: [
    "urllib3.exceptions.ProtocolError: ('Connection aborted.', RemoteDisconnected('Remote end closed connection without response'))",
    'huggingface_hub.errors.HfHubHTTPError: 429 Client Error: Too Many Requests for url: https://hub/x',
    'huggingface_hub.errors.HfHubHTTPError: 503 Server Error: Service Unavailable for url: https://hub/x',
    'requests.exceptions.ConnectionError: (MaxRetryError("HTTPSConnectionPool(host=\'huggingface.co\', port=443): Max retries exceeded with url: /x"))',
    'httpx.ConnectTimeout: timed out',
    'huggingface_hub.errors.OfflineModeIsEnabled: Cannot reach https://huggingface.co: offline mode is enabled.',
  ],
  model_gated_or_auth: [
    'huggingface_hub.errors.GatedRepoError: 403 Client Error. Access to model x/y is restricted and you are not in the authorized list.',
    'requests.exceptions.HTTPError: 401 Client Error: Unauthorized for url: https://huggingface.co/x',
  ],
  corrupted_checkpoint: [
    'OSError: Error no file named pytorch_model.bin, model.safetensors found in directory /models/x.',
    'safetensors_rust.SafetensorError: Error while deserializing header: HeaderTooLarge',
    "_pickle.UnpicklingError: invalid load key, 'v'.",
    'RuntimeError: PytorchStreamReader failed reading zip archive: failed finding central directory',
    "ValueError: Following weights were not initialized from checkpoint: {'lm_head.weight'}",
  ],
  tokenizer_or_chat_template: [
    "OSError: Can't load tokenizer for 'x/y'. If you were trying to load it from",
    'ValueError: Tokenizer class Qwen9Tokenizer does not exist or is not currently imported.',
    'Exception: data did not match any variant of untagged enum ModelWrapper at line 757449 column 3',
    "ValueError: Couldn't instantiate the backend tokenizer from one of:",
  ],
  unsupported_architecture: [
    "ValueError: Model architectures ['Qwen9ForCausalLM'] are not supported for now. Supported architectures: ['x']",
    'ValueError: Qwen9Model has no vLLM implementation and the Transformers implementation is not compatible with vLLM.',
    'ValueError: Unrecognized model in /models/x. Should have a `model_type` key in its config.json',
    'ValueError: The repository x contains custom code which must be executed to correctly load the model.',
  ],
  port_in_use: [
    "OSError: [Errno 98] error while attempting to bind on address ('0.0.0.0', 8000): address already in use",
    'docker: Error response from daemon: driver failed programming external connectivity: Bind for 0.0.0.0:8000 failed: port is already allocated',
    'listen tcp4 0.0.0.0:8000: bind: address already in use',
    "zmq.error.ZMQError: Address already in use (addr='tcp://127.0.0.1:5555')",
  ],
  permission_denied: [
    "PermissionError: [Errno 13] Permission denied: '/root/.cache/vllm'",
    "OSError: [Errno 30] Read-only file system: '/models/.cache'",
    "KeyError: 'getpwuid(): uid not found: 1000'",
  ],
  ipc_zmq_failure: ['OSError: AF_UNIX path too long', 'zmq.error.ZMQError: No such file or directory (addr="ipc:///x/y")'],
  python_dependency_conflict: [
    'ImportError: numpy.core.multiarray failed to import',
    "ModuleNotFoundError: No module named 'vllm._C'",
    "ImportError: cannot import name 'Qwen9' from 'transformers' (/x/__init__.py)",
    'RuntimeError: operator torchvision::nms does not exist',
    "ImportError: /lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.38' not found (required by x)",
    'ImportError: libcudart.so.13: cannot open shared object file: No such file or directory',
  ],
  torch_compile_or_triton_failure: [
    'RuntimeError: Failed to find C compiler. Please specify via CC environment variable.',
    "torch._inductor.exc.InvalidCxxCompiler: No working C++ compiler found in torch._inductor.config.cpp.cxx: (None, 'g++')",
    '/usr/bin/ld: cannot find -lcuda: No such file or directory',
    'triton.runtime.errors.PTXASError: PTXAS error: Internal Triton PTX codegen error',
  ],
  flashinfer_jit_failure: [
    'AssertionError: CUDA_HOME is not set',
    '/bin/sh: 1: /usr/local/cuda/bin/nvcc: not found',
    'RuntimeError: Ninja is required to load C++ extensions (pip install ninja to get it)',
    "nvcc fatal   : Unsupported gpu architecture 'compute_120a'",
  ],
  nccl_failure: [
    'torch.distributed.DistBackendError: NCCL error in: ../torch/csrc/distributed/c10d/NCCLUtils.hpp:268, internal error - please report this issue to the NCCL developers, NCCL version 2.20.5',
    '[rank0]:[E] [PG 0 Rank 0] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=7, OpType=ALLREDUCE)',
    'NCCL WARN Bootstrap : no socket interface found',
  ],
  request_timeout_hang: [
    'TimeoutError: No response from engine process within 300s',
    'RuntimeError: Engine process failed to start within 600 seconds',
    'TimeoutError: RPC call to execute_model timed out.',
    'TimeoutError: Timed out waiting for engine core processes to start.',
    'vllm.engine.async_llm_engine.AsyncEngineDeadError: Engine iteration timed out. This should never happen!',
  ],
  cpu_backend_failure: [
    'kernel: traps: VLLM::EngineCor[77] trap invalid opcode; Illegal instruction (core dumped)',
    'RuntimeError: This build of vLLM requires AVX-512',
  ],
  engine_dead_runtime: [
    'vllm.engine.async_llm_engine.AsyncEngineDeadError: Background loop has errored already.',
    'RuntimeError: Engine loop has died',
  ],
  shutdown_zombie: [
    '1234 ?  Zl  0:00 [vllm] <defunct>',
    'Error response from daemon: cannot kill container: x: tried to kill container, but did not receive an exit event',
  ],
};

/** Several lines of which one is the reason and others are what followed. */
const stories: readonly (readonly [CauseId, readonly string[]])[] = [
  [
    'driver_too_old',
    [
      '/x/torch/cuda/__init__.py:184: UserWarning: CUDA initialization: The NVIDIA driver on your system is too old (found version 11040). Please update',
      '(EngineCore pid=7) ERROR 08-02 10:11:15 [core.py:1402] RuntimeError: No CUDA GPUs are available',
    ],
  ],
  [
    'fabric_not_ready',
    [
      '/x/torch/cuda/__init__.py:184: UserWarning: CUDA initialization: Unexpected error from cudaGetDeviceCount(). Error 802: system not yet initialized',
      'RuntimeError: Failed to infer device type',
    ],
  ],
  ['driver_library_mismatch', ['Failed to initialize NVML: Driver/library version mismatch', 'RuntimeError: Failed to infer device type']],
  [
    'disk_full',
    [
      "OSError: [Errno 28] No space left on device: '/root/.cache/huggingface/hub/x'",
      'During handling of the above exception, another exception occurred:',
      "OSError: Can't load the model for 'a/b'.",
    ],
  ],
  [
    'docker_no_gpu_runtime',
    [
      'OCI runtime create failed: starting container process caused: error running hook: exit status 1, stderr: nvidia-container-cli: initialization error: nvml error: driver not loaded: unknown.',
    ],
  ],
  [
    'port_in_use',
    [
      'torch.distributed.DistNetworkError: The server socket has failed to listen on any local network address. port: 29500, EADDRINUSE (98, Address already in use).',
    ],
  ],
  [
    'permission_denied',
    ['torch._inductor.exc.InductorError: ImportError: /tmp/x/__triton_launcher.so: failed to map segment from shared object'],
  ],
  [
    'host_oom_killed',
    [
      'INFO:     Application startup complete.',
      'Aug 19 07:28:44 host kernel: Out of memory: Killed process 3652454 (VLLM::EngineCor) total-vm:160958068kB, anon-rss:6548368kB',
      '(APIServer pid=1) WARNING 08-02 10:31:09 [core_client.py:817] [shutdown] MPClient: engine core exited unexpectedly; starting cleanup',
    ],
  ],
  [
    'unknown',
    [
      "(EngineCore pid=7) INFO 08-02 10:11:10 [core.py:133] Initializing a V1 LLM engine (v0.31.0) with config: model='/m'",
      '(Worker pid=8) ERROR 08-02 10:11:15 [multiproc_executor.py:1063] WorkerProc hit an exception.',
      '(Worker pid=8) ERROR 08-02 10:11:15 [multiproc_executor.py:1063] IndexError: list index out of range',
    ],
  ],
];

describe('several lines', () => {
  it.each(stories)('%s', (cause, lines) => {
    expect(explain(lines.join('\n'))?.cause).toBe(cause);
  });
});

/** Looks like a failure and is none, or is one that says nothing of whether it lasts. */
const benign = [
  'The argument `trust_remote_code` is to be used with Auto classes. It has no effect here and is ignored.',
  "(APIServer pid=1) INFO 08-02 10:11:12 [api_utils.py:286] non-default args: {'trust_remote_code': True, 'port': 8100}",
  '(APIServer pid=1) WARNING 08-02 10:11:12 [system_utils.py:255] Found ulimit of 20000 and failed to automatically increase with error current limit exceeds maximum limit. This can cause fd limit errors like `OSError: [Errno 24] Too many open files`.',
  '(EngineCore pid=1) INFO 08-02 10:11:12 [cuda.py:300] Cannot use FlashAttention-2 backend for Volta and Turing GPUs.',
  "(APIServer pid=1) WARNING 08-02 10:11:12 [config.py:1] Your device 'Tesla T4' (with compute capability 7.5) doesn't support torch.bfloat16. Falling back to torch.float16 for compatibility.",
  '(EngineCore pid=1) WARNING 08-02 10:11:12 [custom_all_reduce.py:144] Custom allreduce is disabled because your platform lacks GPU P2P capability or P2P test failed.',
  "Triton is installed, but doesn't include CPU backend. Disabling Triton.",
  '(APIServer pid=1) WARNING 08-02 10:11:12 [utils.py:1] Port 8000 is already in use, trying port 8001',
];

describe('no failure', () => {
  it.each(benign)('%s', (text) => {
    expect(explain(text)).toBeUndefined();
  });

  it.each([
    'RuntimeError: Failed to load the model config. If the model is a custom model not yet available in the HuggingFace transformers library, consider setting `trust_remote_code=True`',
    "OSError: Can't load the configuration of 'a/b'. If you were trying to load it from 'https://huggingface.co/models', make sure",
    '_pickle.UnpicklingError: pickle data was truncated',
    'requests.exceptions.ReadTimeout: The read operation timed out',
    'torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.',
    "ValueError: Invalid repository ID or local directory specified: 'a/b'",
  ])('nothing that has to last: %s', (text) => {
    expect(explain(text)?.permanent).toBe(false);
  });
});

const all = Object.entries(wordings).flatMap(([cause, texts]) => texts.map((text) => [cause, text] as const));

describe('other wordings', () => {
  it.each(all)('%s: %s', (cause, text) => {
    expect(explain(text)?.cause).toBe(cause);
  });

  it.each(all)('%s by a worker: %s', (cause, text) => {
    const lines = [
      `(Worker_TP1 pid=311) ERROR 08-02 10:11:15 [multiproc_executor.py:953] ${text}`,
      '(EngineCore pid=301) ERROR 08-02 10:11:16 [core.py:1510] Exception: WorkerProc initialization failed due to an exception in a background process. See stack trace for root cause.',
      'RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}',
    ];
    expect(explain(lines.join('\n'))?.cause).toBe(cause);
  });
});
