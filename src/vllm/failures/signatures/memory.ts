/** Memory of the GPU and of the machine, the KV cache, /dev/shm and disks. */
import type { Facts } from '../evidence.ts';
import type { Signature } from '../signature.ts';

export const memorySignatures: readonly Signature[] = [
  {
    cause: 'free_memory_below_utilization',
    pattern:
      /(?:Free memory on device(?: [\w:]{1,20})?|Available memory on (?<node>node \d{1,4})) \((?<freeGiB>[\d.]{1,12})\/(?<totalGiB>[\d.]{1,12}) GiB\) on startup is less than desired (?:GPU|CPU|\w{1,8}) memory utilization \((?<utilization>[\d.]{1,8}), (?<wantedGiB>[\d.]{1,12}) GiB\)/,
    judge: toShareVerdict,
  },
  { cause: 'free_memory_below_utilization', pattern: /on startup is less than desired (?:GPU|CPU|\w{1,8}) memory utilization/ },
  {
    cause: 'kv_cache_too_small',
    pattern:
      /To serve at least one request with the models?(?:'s)? max seq len \((?<wantedLen>\d{1,12})\),? \(?(?<neededGiB>[\d.]{1,12}) GiB KV cache is needed, which is larger than the available KV cache memory \((?<freeGiB>-?[\d.]{1,12}) GiB\)\.(?: Based on the available memory, the estimated maximum model length is (?<estimatedMaxLen>\d{1,12}))?/,
  },
  { cause: 'kv_cache_too_small', pattern: /To serve at least one request with the model/ },
  {
    cause: 'kv_cache_too_small',
    pattern:
      /max seq len \((?<wantedLen>\d{1,12})\) is larger than the maximum number of tokens that can be stored in KV cache \((?<estimatedMaxLen>\d{1,12})\)/,
  },
  { cause: 'kv_cache_too_small', pattern: /estimated maximum model length is (?<estimatedMaxLen>\d{1,12})/ },
  {
    cause: 'kv_cache_too_small',
    pattern: /is larger than the (?:available KV cache memory|maximum number of tokens that can be stored in KV cache)/,
  },
  { cause: 'kv_cache_too_small', pattern: /No available memory for the cache blocks/ },
  {
    cause: 'kv_cache_too_small',
    pattern:
      /Cannot auto-fit max_model_len|not enough (?:GPU )?(?:memory|KV cache space).{0,60}(?:single token|single request|one sequence)/i,
  },
  { cause: 'kv_cache_too_small', pattern: /KV cache (?:is|memory is) (?:too small|not enough)/i },
  {
    cause: 'cuda_oom_warmup',
    pattern: /(?:CUDA|HIP|XPU) out of memory occurred when (?:warming up|capturing|profiling|compiling)/,
    judge: toOomVerdict,
  },
  // Of which kind it is tell the phase and the traceback: chooseOutOfMemory.
  {
    cause: 'cuda_oom_weights',
    pattern:
      /(?:CUDA|HIP|XPU|NPU) out of memory\.(?: Tried to allocate (?<triedSize>[\d.]{1,12}) (?<triedUnit>[KMG]iB))?(?:\. GPU (?<gpu>\d{1,3}) has a total capacity of (?<totalGiB>[\d.]{1,12}) GiB of which (?<freeSize>[\d.]{1,12}) (?<freeUnit>[KMG]iB) is free\.(?<holders>(?: (?:Including non-PyTorch memory, this process|Process \d{1,9}) has [\d.]{1,12} [KMG]iB memory in use\.){0,40})(?: Of the allocated memory (?<torchSize>[\d.]{1,12}) (?<torchUnit>[KMG]iB) is allocated by PyTorch)?(?<pools>, with [\d.]{1,12} [KMG]iB allocated in private pools)?)?/,
    judge: toOomVerdict,
  },
  {
    cause: 'cuda_oom_weights',
    pattern:
      /torch\.(?:cuda\.)?OutOfMemoryError|CUDA error: out of memory|(?:CUDA|HIP|XPU) out of memory|CUDA_ERROR_OUT_OF_MEMORY|cudaErrorMemoryAllocation|hipErrorOutOfMemory|CUBLAS_STATUS_ALLOC_FAILED|NVML_SUCCESS == r INTERNAL ASSERT FAILED|Failed to allocate .{0,40} (?:GPU|device) memory/,
  },
  {
    cause: 'cuda_oom_weights',
    pattern:
      /in (?:load_model|load_weights|create_weights|initialize_model|_?init_model|process_weights_after_loading|weight_loader|get_model)\b|model_loader\//,
    role: 'context',
  },
  {
    cause: 'cuda_oom_warmup',
    pattern:
      /in (?:determine_available_memory|determine_num_available_blocks|profile_run|_dummy_run|_dummy_sampler_run|compile_or_warm_up_model|capture_model|_capture_cudagraphs|_initialize_kv_caches|initialize_from_config|_?allocate_kv_cache\w{0,20}|kernel_warmup|profile_cudagraph_memory|warming_up_model|_warmup\w{0,20})\b|torch\/_inductor\//,
    role: 'context',
  },
  {
    cause: 'cuda_oom_runtime',
    pattern:
      /in (?:run_busy_loop|_process_engine_step|step_with_batch_queue|execute_model|sample_tokens|engine_step|run_engine_loop|_run_engine)\b|EngineCore encountered a fatal error/,
    role: 'context',
  },
  { cause: 'memory_profiling_race', pattern: /Error in memory profiling\. Initial (?:free|used) memory/ },
  {
    cause: 'memory_profiling_race',
    pattern: /This happens when (?:other processes sharing the same|the GPU memory was not properly cleaned up)/,
  },
  { cause: 'memory_profiling_race', pattern: /release GPU memory while vLLM is profiling/ },
  {
    cause: 'host_oom_killed',
    pattern: /Out of memory: Killed process|Memory cgroup out of memory|oom-kill:constraint|oom_reaper: reaped process|invoked oom-killer/i,
    quiet: true,
  },
  { cause: 'host_oom_killed', pattern: /Killed process \S{1,12} \((?<process>[^)\n]{1,40})\) {1,20}total-vm/, quiet: true },
  {
    cause: 'host_oom_killed',
    pattern:
      /OOMKilled"?:? ?(?:true)?\b|killed by the OOM killer|Failed with result 'oom-kill'|killed due to (?:memory pressure|the node running low on memory)/,
    quiet: true,
  },
  {
    cause: 'host_oom_killed',
    pattern:
      /can't allocate memory: you tried to allocate (?<bytes>\d{1,20}) bytes|\[Errno 12\] Cannot allocate memory|^MemoryError\b|std::bad_alloc/,
    confidence: 'likely',
  },
  {
    cause: 'host_oom_killed',
    pattern: /^(?:.{0,80}: line \d{1,6}: +\d{1,9} )?Killed(?: {2,}.{0,200})?$/,
    role: 'hint',
    confidence: 'unsure',
  },
  {
    cause: 'shm_too_small',
    pattern:
      /(?:unable to (?:write to file|open shared memory object|resize file|mmap \d{1,20} bytes from file)|could not (?:open|resize)) <\/?torch_/,
  },
  { cause: 'shm_too_small', pattern: /No space left on device(?: \(\d{1,4}\))?: '?\/(?:dev\/shm|psm_|nccl|torch_|sem\.)/ },
  { cause: 'shm_too_small', pattern: /Error while creatin/, quiet: true },
  {
    cause: 'shm_too_small',
    pattern:
      /(?:failed to extend|shared memory segment|unable to allocate shared memory|posix_fallocate.{0,80}|ftruncate.{0,80}|open.{0,40}) \/dev\/shm\//i,
    quiet: true,
  },
  {
    cause: 'shm_too_small',
    pattern:
      /insufficient shared memory|Unexpected bus error encountered|not enough (?:space|shared memory).{0,40}(?:\/dev\/shm|shm)|\/dev\/shm.{0,60}(?:too small|is full|No space left)|increase.{0,30}shm[-_ ]size/i,
  },
  { cause: 'shm_too_small', pattern: /\bBus error\b|\bSIGBUS\b|status=7\/BUS/, role: 'hint', confidence: 'likely', verdict: 'transient' },
  { cause: 'disk_full', pattern: /\[Errno 28\](?: No space left on device)?(?:: '(?<path>[^']{1,400})')?/, role: 'hint' },
  { cause: 'disk_full', pattern: /No space left on device|\(os error 28\)|\bENOSPC\b/i, role: 'hint' },
  { cause: 'disk_full', pattern: /Not enough free disk space to download|only has [\d.]{1,12} ?[KMGT]i?B free disk space/, quiet: true },
  { cause: 'disk_full', pattern: /\[Errno 122\]|Disk quota exceeded|quota exceeded.{0,40}(?:disk|block)/i },
];

/** Whoever has all of the card to himself, and asks for more than its free memory, will ask for it again. */
function toShareVerdict({ freeGiB, totalGiB, node }: Facts): 'permanent' | 'transient' {
  return node === undefined && Number(freeGiB) >= 0.97 * Number(totalGiB) ? 'permanent' : 'transient';
}

/** Permanent only where this process holds the whole card; a bare process number may be anybody's. */
function toOomVerdict({ totalGiB, freeSize, freeUnit, holders }: Facts): 'permanent' | 'transient' {
  const own = /this process has ([\d.]+) ([KMG])iB/.exec(holders ?? '');
  const total = Number(totalGiB);
  if (own === null || !(total > 0) || (holders ?? '').includes('Process ')) return 'transient';
  const known = toGiB(own[1], own[2]) + toGiB(freeSize, freeUnit);
  return known >= 0.97 * total ? 'permanent' : 'transient';
}

function toGiB(size: string | undefined, unit: string | undefined): number {
  const value = Number(size);
  return unit?.startsWith('G') ? value : value / (unit?.startsWith('M') ? 1024 : 1024 ** 2);
}
