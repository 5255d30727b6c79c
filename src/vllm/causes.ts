/**
 * Lines that leave no doubt about why an engine ended. Few and sure: a wrong "permanent" leaves a server down,
 * a missing one costs one more start. Every pattern comes from a captured log, or from the source of what writes it.
 */
export interface CauseRule {
  readonly pattern: RegExp;
  readonly cause: string;
  /** Starting again with nothing changed fails again. */
  readonly permanent: boolean;
  /** Comes and goes with the world outside: the same failure again is no proof that it lasts. */
  readonly passes?: true;
  /** The same words mean something else in the other half of a life. */
  readonly when?: 'starting' | 'serving';
}

const gone = { permanent: true } as const;
const passing = { permanent: false } as const;

/** First match wins. */
export const causes: readonly CauseRule[] = [
  { pattern: /: error: unrecognized arguments: /, cause: 'unknown_argument', ...gone },
  { pattern: /: error: argument --(?:tool-call|reasoning)-parser: invalid choice/, cause: 'reasoning_or_tool_parser_invalid', ...gone },
  { pattern: /: error: argument [^:]+: (?:invalid|expected|ignored explicit)/, cause: 'invalid_argument_value', ...gone },
  { pattern: /Input should be /, cause: 'invalid_argument_value', ...gone },
  { pattern: /max_num_batched_tokens \(\d+\) is smaller than max_model_len/, cause: 'invalid_argument_value', ...gone },
  { pattern: /Unknown quantization method: /, cause: 'invalid_argument_value', ...gone },
  { pattern: /No common block size for /, cause: 'invalid_argument_value', ...gone },
  { pattern: /VLLM_PORT '[^']*' appears to be a URI/, cause: 'invalid_argument_value', ...gone },
  { pattern: /bind\(\): port must be 0-65535/, cause: 'invalid_argument_value', ...gone },
  // An address can appear a moment later (an interface that comes up after us).
  { pattern: /\[Errno 99\]/, cause: 'invalid_argument_value', ...passing },
  { pattern: /\[Errno 98\]/, cause: 'port_in_use', ...passing, passes: true },
  // Before the disk's: of /dev/shm the same words. Who else fills it may let go of it, so that only the same again is proof.
  {
    pattern:
      /unable to (?:write to file|open shared memory object|resize file) <\/torch_|No space left on device: '\/(?:dev\/shm\/|psm_)|shared memory segment \/dev\/shm\/|failed to extend \/dev\/shm\//,
    cause: 'shm_too_small',
    ...passing,
  },
  { pattern: /\[Errno 28\] No space left on device/, cause: 'disk_full', ...gone },
  {
    pattern: /To serve at least one request with the model|No available memory for the cache blocks/,
    cause: 'kv_cache_too_small',
    ...gone,
  },
  { pattern: /User-specified max_model_len \(\d+\) is greater than the derived/, cause: 'max_model_len_exceeds_model', ...gone },
  { pattern: /Model architectures \[.*\] are not supported/, cause: 'unsupported_architecture', ...gone },
  { pattern: /Transformers does not recognize this architecture/, cause: 'unsupported_architecture', ...gone },
  // Only for paths: an id may be missing from the cache because the hub was out of reach.
  {
    pattern: /(?:Invalid repository ID or local directory specified|Repo id must be in the form .*): '\//,
    cause: 'model_not_found',
    ...gone,
  },
  { pattern: /LocalEntryNotFoundError|couldn't connect to 'https?:/, cause: 'hub_unreachable', ...passing, passes: true },
  // It answers, and is too busy for us.
  { pattern: /HfHubHTTPError: (?:429|5\d\d) |There was a specific connection error/, cause: 'hub_unreachable', ...passing, passes: true },
  // The hub has answered that it knows no such model, or shows it to others only.
  { pattern: /is not a valid model identifier listed on |RepositoryNotFoundError: /, cause: 'model_not_found', ...gone },
  { pattern: /trying to access a gated repo|GatedRepoError/, cause: 'model_gated_or_auth', ...gone },
  { pattern: /Cannot find any model weights with /, cause: 'corrupted_checkpoint', ...gone },
  { pattern: /SafetensorError: Error while deserializing header/, cause: 'corrupted_checkpoint', ...gone },
  { pattern: /the config file at '.*' is not a valid JSON file/, cause: 'corrupted_checkpoint', ...gone },
  { pattern: /Cannot find the config file for \w+/, cause: 'quantization_mismatch', ...gone },
  {
    pattern: /invalid tool call parser: |Reasoning parser '.*' not found|--enable-auto-tool-choice requires --tool-call-parser/,
    cause: 'reasoning_or_tool_parser_invalid',
    ...gone,
  },
  { pattern: /chat template string \(.*\) appears path-like, but doesn't exist/, cause: 'tokenizer_or_chat_template', ...gone },
  { pattern: /Loading lora .* failed: No adapter found/, cause: 'lora_failure', ...gone },
  { pattern: /on startup is less than desired (?:CPU|GPU) memory utilization/, cause: 'free_memory_below_utilization', ...passing },
  { pattern: /OutOfMemoryError|CUDA out of memory/, cause: 'cuda_oom_runtime', ...passing, when: 'serving' },
  {
    pattern: /engine core exited unexpectedly|Worker proc \S+ died unexpectedly/,
    cause: 'engine_dead_runtime',
    ...passing,
    // A request killed it, at the worst the first of all: the start itself was good.
    passes: true,
    when: 'serving',
  },
];
