/** Every cause a diagnosis may name. Titles and meanings are sentences `cause.ID` and `cause.ID.meaning`. */
export interface Cause {
  readonly phase: 'preflight' | 'startup' | 'runtime' | 'shutdown';
  /**
   * `permanent`: the same launch fails again until somebody changes something. What the log decides differently
   * stands at the signature. In doubt transient: a wrong "permanent" leaves a server down.
   */
  readonly verdict: 'permanent' | 'transient';
  /** Comes and goes with the world outside: the same twice in a row proves nothing. */
  readonly passes?: true;
}

export type CauseId = keyof typeof causes;

export const causes = {
  attention_backend_unsupported: { phase: 'startup', verdict: 'permanent' },
  container_entrypoint_invalid: { phase: 'preflight', verdict: 'permanent' },
  corrupted_checkpoint: { phase: 'startup', verdict: 'permanent' },
  cpu_backend_failure: { phase: 'startup', verdict: 'permanent' },
  cuda_oom_runtime: { phase: 'runtime', verdict: 'transient' },
  cuda_oom_warmup: { phase: 'startup', verdict: 'transient' },
  cuda_oom_weights: { phase: 'startup', verdict: 'transient' },
  disk_full: { phase: 'startup', verdict: 'permanent' },
  docker_no_gpu_runtime: { phase: 'preflight', verdict: 'permanent' },
  driver_library_mismatch: { phase: 'startup', verdict: 'permanent' },
  driver_too_old: { phase: 'startup', verdict: 'permanent' },
  dtype_unsupported_gpu: { phase: 'startup', verdict: 'permanent' },
  engine_dead_runtime: { phase: 'runtime', verdict: 'transient', passes: true },
  fabric_not_ready: { phase: 'startup', verdict: 'transient', passes: true },
  flashinfer_jit_failure: { phase: 'startup', verdict: 'permanent' },
  free_memory_below_utilization: { phase: 'startup', verdict: 'transient' },
  gpu_lost_xid: { phase: 'runtime', verdict: 'transient' },
  host_oom_killed: { phase: 'runtime', verdict: 'transient', passes: true },
  hub_unreachable: { phase: 'startup', verdict: 'transient', passes: true },
  image_pull_failure: { phase: 'preflight', verdict: 'transient' },
  invalid_argument_value: { phase: 'startup', verdict: 'permanent' },
  ipc_zmq_failure: { phase: 'startup', verdict: 'permanent' },
  kernel_image_missing: { phase: 'startup', verdict: 'permanent' },
  killed_by_operator: { phase: 'runtime', verdict: 'transient', passes: true },
  kv_cache_too_small: { phase: 'startup', verdict: 'permanent' },
  lora_failure: { phase: 'startup', verdict: 'permanent' },
  max_model_len_exceeds_model: { phase: 'startup', verdict: 'permanent' },
  memory_profiling_race: { phase: 'startup', verdict: 'transient', passes: true },
  model_gated_or_auth: { phase: 'startup', verdict: 'permanent' },
  model_not_found: { phase: 'startup', verdict: 'permanent' },
  nccl_failure: { phase: 'startup', verdict: 'transient' },
  no_gpu_visible: { phase: 'startup', verdict: 'permanent' },
  not_enough_gpus: { phase: 'startup', verdict: 'permanent' },
  permission_denied: { phase: 'startup', verdict: 'permanent' },
  port_in_use: { phase: 'startup', verdict: 'transient', passes: true },
  python_dependency_conflict: { phase: 'startup', verdict: 'permanent' },
  quantization_mismatch: { phase: 'startup', verdict: 'permanent' },
  quantization_unsupported_gpu: { phase: 'startup', verdict: 'permanent' },
  reasoning_or_tool_parser_invalid: { phase: 'startup', verdict: 'permanent' },
  request_timeout_hang: { phase: 'runtime', verdict: 'transient', passes: true },
  shm_too_small: { phase: 'startup', verdict: 'permanent' },
  shutdown_zombie: { phase: 'shutdown', verdict: 'transient', passes: true },
  tensor_parallel_indivisible: { phase: 'startup', verdict: 'permanent' },
  tokenizer_or_chat_template: { phase: 'startup', verdict: 'permanent' },
  torch_compile_or_triton_failure: { phase: 'startup', verdict: 'permanent' },
  undetermined_only_generic_tail: { phase: 'startup', verdict: 'transient' },
  undetermined_only_teardown_noise: { phase: 'shutdown', verdict: 'transient' },
  unknown_argument: { phase: 'startup', verdict: 'permanent' },
  unsupported_architecture: { phase: 'startup', verdict: 'permanent' },
  unknown: { phase: 'startup', verdict: 'transient' },
} as const satisfies Readonly<Record<string, Cause>>;
