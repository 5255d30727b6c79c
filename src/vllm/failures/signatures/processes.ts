/** Processes that talk to each other and die: collectives, time-outs, deaths, and the last words that say nothing. */
import type { Signature } from '../signature.ts';

export const processSignatures: readonly Signature[] = [
  {
    cause: 'nccl_failure',
    pattern:
      /(?:NCCL|RCCL) WARN (?:Call to ibv_|NET\/|Bootstrap|Connect to|socket|Net |Cuda failure|Failed to|Could not|Duplicate GPU|Mismatch|Timeout)/i,
    quiet: true,
  },
  {
    cause: 'nccl_failure',
    pattern:
      /no socket interface found|Duplicate GPU detected|Watchdog caught collective operation timeout|NCCL watchdog thread terminated|ncclRemoteError/i,
  },
  {
    cause: 'nccl_failure',
    pattern: /(?:NCCL|RCCL) error|nccl(?:SystemError|InternalError|UnhandledCudaError|InvalidUsage)|DistBackendError|HCCL error/,
    role: 'hint',
  },
  {
    cause: 'nccl_failure',
    pattern:
      /connectFullMesh failed|DistStoreError|DistNetworkError|(?:NCCL|RCCL) WARN|\[c10d\].{0,80}(?:failed|timed out|timeout)|Gloo .{0,60}(?:failed|timed out)|gloo\/transport\/.{0,120}(?:Connection (?:closed|refused|reset)|timed out)/i,
    role: 'hint',
  },
  { cause: 'request_timeout_hang', pattern: /RPC call to (?<call>\w{1,60}) timed out/ },
  { cause: 'request_timeout_hang', pattern: /Did not receive (?:a )?(?:response|ready|hello).{0,60}within/i },
  {
    cause: 'request_timeout_hang',
    pattern:
      /Timed out waiting for (?:\d{1,6} )?.{0,60}(?:engine|core|worker)|Timeout waiting for (?:engine|worker|core)|Engine iteration timed out|Server didn't reply within|did not become ready within/i,
  },
  { cause: 'request_timeout_hang', pattern: /No available shared memory broadcast block/, role: 'hint', quiet: true, confidence: 'likely' },
  {
    cause: 'killed_by_operator',
    pattern: /died unexpectedly \(exit code: -(?:15|2)\)|status=15\/TERM|killed by signal 15/i,
    role: 'hint',
    confidence: 'likely',
  },
  {
    cause: 'killed_by_operator',
    pattern: /code=killed, status=9\/KILL|received signal 9\b|Exited \(137\)/i,
    role: 'symptom',
    confidence: 'unsure',
  },
  {
    cause: 'engine_dead_runtime',
    pattern: /Worker proc .{0,60}died unexpectedly|died unexpectedly(?: \(exit code: (?<code>-?\w{1,6})\))?, shutting down/,
    role: 'symptom',
  },
  {
    cause: 'engine_dead_runtime',
    pattern:
      /engine core exited unexpectedly|EngineCore encountered a fatal error|EngineCore encountered an issue|EngineCore died unexpectedly/i,
    role: 'symptom',
  },
  {
    cause: 'engine_dead_runtime',
    pattern:
      /EngineDeadError|Background loop has errored already|Background loop is stopped|Engine loop (?:is not running|has died)|Task finished unexpectedly\. This should never happen/,
    role: 'symptom',
  },
  {
    cause: 'engine_dead_runtime',
    pattern: /Worker failed with error '(?<error>[^\n]{1,300})|Engine background task failed|WorkerProc hit an exception/,
    role: 'symptom',
  },
  {
    cause: 'shutdown_zombie',
    pattern:
      /(?:EngineCor|vllm|VLLM|python|Worker)\S{0,20}\]? <defunct>|(?:is|as) (?:a )?zombie (?:and can not be killed|process)|did not receive an exit event|cannot kill container|could not kill (?:running )?container/i,
    quiet: true,
  },
  {
    cause: 'shutdown_zombie',
    pattern:
      /(?:orphan|leftover|left-over|stale|zombie)(?:ed)? (?:vllm|engine|worker|VLLM)\S{0,20} ?process|process(?:es)? (?:still|keeps?) hold(?:s|ing)? (?:the )?GPU memory/i,
    role: 'hint',
  },
  { cause: 'undetermined_only_generic_tail', pattern: /Engine core initialization failed|Failed core proc\(s\)/, role: 'generic' },
  {
    cause: 'undetermined_only_generic_tail',
    pattern: /initialization failed due to an exception in a background process|due to an exception in a background process/,
    role: 'generic',
  },
  {
    cause: 'undetermined_only_generic_tail',
    pattern: /(?:EngineCore|WorkerProc|Engine process|Engine core) failed to start/,
    role: 'generic',
  },
  {
    cause: 'undetermined_only_generic_tail',
    pattern:
      /See (?:the )?(?:root cause|stack trace) (?:above|for root cause)|RuntimeError: (?:cancelled|Executor failed)|Exception in ASGI/i,
    role: 'generic',
  },
  {
    cause: 'undetermined_only_teardown_noise',
    pattern:
      /resource_tracker: (?:There appear to be|process died)|leaked (?:shared_memory|semaphore) objects|destroy_process_group\(\) was not called/,
    role: 'noise',
    quiet: true,
  },
];
