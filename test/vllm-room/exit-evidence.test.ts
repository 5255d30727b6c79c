import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { toExitEvidence, toSignature } from '../../src/vllm/exit-evidence.ts';

const directory = new URL('../fixtures/logs/vllm-0.32.0-cpu/', import.meta.url);
const cases = readdirSync(directory).map((file) => file.replace('.log', ''));

function readLines(name: string): readonly string[] {
  return readFileSync(new URL(`${name}.log`, directory), 'utf8').split('\n');
}

/** Captured log, cause, verdict, and how the most telling line begins. */
const failures: readonly (readonly [string, string | undefined, 'permanent' | 'passing', string])[] = [
  [
    'bad-architecture-unsupported',
    'unsupported_architecture',
    'permanent',
    "Value error, Model architectures ['FooForCausalLM'] are not supported for now. Supported a",
  ],
  [
    'bad-auto-tool-choice-without-parser',
    'reasoning_or_tool_parser_invalid',
    'permanent',
    'TypeError: Error: --enable-auto-tool-choice requires --tool-call-parser',
  ],
  [
    'bad-batched-tokens-below-max-len-no-chunked-prefill',
    'invalid_argument_value',
    'permanent',
    'Value error, max_num_batched_tokens (64) is smaller than max_model_len (512). This effecti',
  ],
  ['bad-block-size-7', 'invalid_argument_value', 'permanent', 'ValueError: No common block size for 7 (CPU_ATTN: [MultipleOf(32)]).'],
  ['bad-bool-with-value', 'unknown_argument', 'permanent', 'vllm: error: unrecognized arguments: False'],
  [
    'bad-chat-template-missing',
    'tokenizer_or_chat_template',
    'permanent',
    'vllm.exceptions.VLLMValidationError: The supplied chat template string (/models/no.jinja)',
  ],
  [
    'bad-choice-dtype',
    'invalid_argument_value',
    'permanent',
    "vllm serve: error: argument --dtype: invalid choice: 'fp9' (choose from 'auto', 'bfloat16'",
  ],
  ['bad-config-file-missing', undefined, 'passing', "FileNotFoundError: [Errno 2] No such file or directory: '/models/no.yaml'"],
  [
    'bad-config-json-missing',
    'model_not_found',
    'permanent',
    "Value error, Invalid repository ID or local directory specified: '/models/no-config'.",
  ],
  [
    'bad-config-json-truncated',
    'corrupted_checkpoint',
    'permanent',
    "OSError: It looks like the config file at '/models/broken-config/config.json' is not a val",
  ],
  [
    'bad-env-VLLM_PORT-uri',
    'invalid_argument_value',
    'permanent',
    "ValueError: VLLM_PORT 'tcp://10.0.0.1:8000' appears to be a URI. This may be caused by a K",
  ],
  [
    'bad-gpu-memory-utilization-1.5',
    'invalid_argument_value',
    'permanent',
    'gpu_memory_utilization: Input should be less than or equal to 1 [type=less_than_equal, inp',
  ],
  ['bad-host-not-local', 'invalid_argument_value', 'passing', 'OSError: [Errno 99] Cannot assign requested address'],
  [
    'bad-kv-cache-larger-than-ram',
    undefined,
    'passing',
    'ValueError: Available memory on node 0 (16.63/23.54 GiB) on kv cache allocation is less th',
  ],
  [
    'bad-kv-cache-too-small',
    'kv_cache_too_small',
    'permanent',
    "ValueError: To serve at least one request with the model's max seq len (32768), (0.01 GiB",
  ],
  [
    'bad-lora-adapter-missing',
    'lora_failure',
    'permanent',
    'vllm.exceptions.LoRAAdapterNotFoundError: Loading lora a failed: No adapter found for /mod',
  ],
  [
    'bad-max-model-len-too-large',
    'max_model_len_exceeds_model',
    'permanent',
    'Value error, User-specified max_model_len (200000) is greater than the derived max_model_l',
  ],
  [
    'bad-model-id-no-network',
    'hub_unreachable',
    'passing',
    "OSError: We couldn't connect to 'https://huggingface.co' to load the files, and couldn't f",
  ],
  [
    'bad-model-id-offline',
    'hub_unreachable',
    'passing',
    'huggingface_hub.errors.LocalEntryNotFoundError: Cannot find an appropriate cached snapshot',
  ],
  [
    'bad-model-path-missing',
    'model_not_found',
    'permanent',
    "huggingface_hub.errors.HFValidationError: Repo id must be in the form 'repo_name' or 'name",
  ],
  [
    'bad-model-type-unknown',
    'unsupported_architecture',
    'permanent',
    'Value error, The checkpoint you are trying to load has model type `foo9` but Transformers',
  ],
  ['bad-port-in-use', 'port_in_use', 'passing', 'OSError: [Errno 98] Address already in use'],
  ['bad-port-out-of-range', 'invalid_argument_value', 'permanent', 'OverflowError: bind(): port must be 0-65535.'],
  [
    'bad-quantization-awq-on-unquantised',
    'quantization_mismatch',
    'permanent',
    'Value error, Cannot find the config file for awq [type=value_error, input_value=ArgsKwargs',
  ],
  [
    'bad-quantization-fp8',
    undefined,
    'passing',
    'RuntimeError: _C::static_scaled_fp8_quant() expected at most 0 argument(s) but received 4',
  ],
  [
    'bad-quantization-unknown',
    'invalid_argument_value',
    'permanent',
    "Value error, Unknown quantization method: squeezellm. Must be one of ['awq', 'auto_awq', '",
  ],
  [
    'bad-reasoning-parser',
    'reasoning_or_tool_parser_invalid',
    'permanent',
    "KeyError: \"Reasoning parser 'nope' not found. Available parsers: cohere_command3, cohere_c",
  ],
  [
    'bad-served-model-name-empty',
    'invalid_argument_value',
    'permanent',
    'Input should be a valid string [type=string_type, input_value=None, input_type=NoneType]',
  ],
  [
    'bad-served-model-name-no-value',
    'invalid_argument_value',
    'permanent',
    'vllm serve: error: argument --served-model-name: expected at least one argument',
  ],
  ['bad-ssl-keyfile-missing', undefined, 'passing', 'FileNotFoundError: [Errno 2] No such file or directory'],
  [
    'bad-tensor-parallel-0',
    'invalid_argument_value',
    'permanent',
    'tensor_parallel_size: Input should be greater than or equal to 1 [type=greater_than_equal,',
  ],
  [
    'bad-tensor-parallel-2',
    undefined,
    'passing',
    'AssertionError: Not enough allowed NUMA nodes to bind threads of 2 local CPUWorkers. Allow',
  ],
  [
    'bad-tool-call-parser',
    'reasoning_or_tool_parser_invalid',
    'permanent',
    "KeyError: 'invalid tool call parser: nope (chose from { apertus,cohere_command3,cohere_com",
  ],
  ['bad-type-int', 'invalid_argument_value', 'permanent', "vllm serve: error: argument --max-num-seqs: invalid int value: 'abc'"],
  ['bad-unknown-flag', 'unknown_argument', 'permanent', 'vllm: error: unrecognized arguments: --no-such-flag'],
  ['bad-weights-missing', 'corrupted_checkpoint', 'permanent', 'RuntimeError: Cannot find any model weights with `/models/tiny-qwen3`'],
  [
    'bad-weights-truncated',
    'corrupted_checkpoint',
    'permanent',
    'safetensors._safetensors_rust.SafetensorError: Error while deserializing header: incomplet',
  ],
  ['cap-address-space-3G', undefined, 'passing', 'SystemError: error return without exception set'],
  ['cap-nofile-64', undefined, 'passing', 'zmq.error.ZMQError: Too many open files'],
  [
    'cpu-gpu-memory-utilization-0.9',
    'free_memory_below_utilization',
    'passing',
    'ValueError: Available memory on node 0 (17.59/23.54 GiB) on startup is less than desired C',
  ],
  [
    'cpu-gpu-memory-utilization-default',
    'free_memory_below_utilization',
    'passing',
    'ValueError: Available memory on node 0 (16.9/23.54 GiB) on startup is less than desired CP',
  ],
  [
    'kill-engine-idle-untouched',
    'engine_dead_runtime',
    'passing',
    '[shutdown] MPClient: engine core exited unexpectedly; starting cleanup',
  ],
  ['kill-engine-idle', 'engine_dead_runtime', 'passing', '[shutdown] MPClient: engine core exited unexpectedly; starting cleanup'],
  ['kill-engine', 'engine_dead_runtime', 'passing', '[shutdown] MPClient: engine core exited unexpectedly; starting cleanup'],
  [
    'kill-worker-idle-untouched',
    'engine_dead_runtime',
    'passing',
    'Worker proc VllmWorker-0 died unexpectedly (exit code: None), shutting down executor.',
  ],
  [
    'kill-worker-idle',
    'engine_dead_runtime',
    'passing',
    'Worker proc VllmWorker-0 died unexpectedly (exit code: None), shutting down executor.',
  ],
  [
    'kill-worker',
    'engine_dead_runtime',
    'passing',
    'Worker proc VllmWorker-0 died unexpectedly (exit code: None), shutting down executor.',
  ],
  [
    'pin-omp-bind-no-such-core',
    undefined,
    'passing',
    'Exception: WorkerProc initialization failed due to an exception in a background process. S',
  ],
  [
    'start-kill-enginecore-during-start',
    undefined,
    'passing',
    'RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s)',
  ],
  [
    'start-kill-worker-during-start',
    undefined,
    'passing',
    'Exception: WorkerProc initialization failed due to an exception in a background process. S',
  ],
];

/** Ended because somebody asked for it: nothing of the tear-down's noise is a cause. */
const stopped = [
  'compile-first',
  'hang-worker',
  'healthy',
  'launch-render',
  'start-sigterm-repeated',
  'stop-sigterm-group-streaming',
  'stop-timeout0-streaming',
  'works-api-server-count-2',
  'works-json-logs',
];
/** Killed from outside or still alive: the log is silent. */
const silent = ['cap-cgroup-memory-1500M', 'kill-api'];

describe('what the log of a real engine says about its end', () => {
  it('has an expectation for every captured log', () => {
    expect([...failures.map(([name]) => name), ...stopped, ...silent].toSorted()).toEqual(cases.toSorted());
  });

  it.each(failures)('%s', (name, cause, verdict, line) => {
    const evidence = toExitEvidence(readLines(name));
    expect(evidence.line?.startsWith(line), evidence.line ?? 'no line').toBe(true);
    expect(evidence.cause).toBe(cause);
    expect(evidence.permanent).toBe(verdict === 'permanent');
    expect(evidence.wanted).toBe(false);
  });

  it.each(stopped)('%s was wanted', (name) => {
    expect(toExitEvidence(readLines(name))).toEqual({ wanted: true, permanent: false });
  });

  it.each(silent)('%s tells nothing', (name) => {
    expect(toExitEvidence(readLines(name))).toEqual({ wanted: false, permanent: false });
  });
});

describe('lines that were not captured as a whole run', () => {
  it('of an empty log', () => {
    expect(toExitEvidence([])).toEqual({ wanted: false, permanent: false });
  });

  it('an engine that died before it was told to stop died', () => {
    const lines = [
      ...readLines('kill-worker'),
      '(APIServer pid=18072) INFO 11-21 06:07:27 [launcher.py:254] [shutdown] API server: shutdown triggered',
    ];
    const evidence = toExitEvidence(lines);
    expect(evidence).toMatchObject({ wanted: true, cause: 'engine_dead_runtime', permanent: false });
    expect(evidence.line).toContain('died unexpectedly');
  });

  it.each(['kill-engine', 'kill-worker-idle', 'kill-engine-idle-untouched'])(
    'of a tail of %s that does not reach back to its start',
    (name) => {
      const lines = readLines(name);
      const tail = lines.slice(lines.findIndex((line) => line.includes('Application startup complete')) + 2);
      expect(toExitEvidence(tail).cause).toBe('engine_dead_runtime');
    },
  );

  it('out of memory while serving is told by the worker, not by the wrappers after it', () => {
    const lines = [
      'INFO:     Application startup complete.',
      '(Worker_TP0 pid=2) ERROR 11-21 06:07:25 [multiproc_executor.py:1063] WorkerProc hit an exception.',
      '(Worker_TP0 pid=2) ERROR 11-21 06:07:25 [multiproc_executor.py:1063] Traceback (most recent call last):',
      '(Worker_TP0 pid=2) ERROR 11-21 06:07:25 [multiproc_executor.py:1063] torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB.',
      '(EngineCore pid=1) ERROR 11-21 06:07:25 [core.py:1512] EngineCore encountered a fatal error.',
      '(APIServer pid=0) WARNING 11-21 06:07:25 [core_client.py:817] [shutdown] MPClient: engine core exited unexpectedly; starting cleanup',
    ];
    expect(toExitEvidence(lines)).toEqual({
      cause: 'cuda_oom_runtime',
      line: 'torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB.',
      wanted: false,
      permanent: false,
    });
  });

  it('the same words during the start are no certain cause', () => {
    const lines = ['(Worker pid=2) ERROR 11-21 06:07:25 [x.py:1] torch.OutOfMemoryError: CUDA out of memory.'];
    expect(toExitEvidence(lines)).toMatchObject({ line: 'torch.OutOfMemoryError: CUDA out of memory.', permanent: false });
    expect(toExitEvidence(lines).cause).toBeUndefined();
  });

  it('a survived error of long ago is not the cause of a death', () => {
    const old = '(Worker pid=2) ERROR 11-21 06:07:25 [x.py:1] ValueError: adapter not found';
    const quiet = Array.from({ length: 400 }, () => 'INFO:     127.0.0.1:1 - "GET /health HTTP/1.1" 200 OK');
    const death =
      '(EngineCore pid=1) ERROR 11-21 07:07:25 [m.py:315] Worker proc VllmWorker-0 died unexpectedly (exit code: -9), shutting down';
    const evidence = toExitEvidence(['INFO:     Application startup complete.', old, ...quiet, death]);
    expect(evidence.line).toContain('died unexpectedly');
  });

  it.each([
    ["OSError: [Errno 28] No space left on device: '/psm_1f2e'", 'shm_too_small', false],
    ['RuntimeError: unable to write to file </torch_1_2>: No space left on device (28)', 'shm_too_small', false],
    ['OSError: [Errno 28] No space left on device', 'disk_full', true],
    ['huggingface_hub.errors.HfHubHTTPError: 429 Client Error: Too Many Requests for url: https://hub/x', 'hub_unreachable', false],
    ['huggingface_hub.errors.HfHubHTTPError: 503 Server Error: Service Unavailable for url: https://hub/x', 'hub_unreachable', false],
    ["OSError: a/b is not a local folder and is not a valid model identifier listed on 'https://hub/models'", 'model_not_found', true],
  ])('%s', (line, cause, permanent) => {
    expect(toExitEvidence([line])).toMatchObject({ cause, permanent, line });
  });

  it('NCCL’s exception does not say what its warning does', () => {
    const warning =
      'node-0:168:168 [0] misc/shmutils.cc:113 NCCL WARN Error while creating shared memory segment /dev/shm/nccl-U (size 9637888)';
    const error = '(Worker pid=120) ERROR 11-21 06:07:25 [x.py:1] RuntimeError: NCCL error: unhandled system error';
    expect(toExitEvidence([warning, error])).toMatchObject({ cause: 'shm_too_small', line: expect.stringContaining('/dev/shm/nccl-U') });
    expect(toExitEvidence([error]).cause).toBeUndefined();
  });

  it('a traceback inside a JSON record', () => {
    const record = {
      levelname: 'ERROR',
      process: 7,
      vllm_process_name: 'EngineCore',
      message: 'EngineCore failed to start.',
      exc_info: 'Traceback (most recent call last):\n  File "x.py", line 1, in f\nValueError: No available memory for the cache blocks.',
    };
    expect(toExitEvidence([JSON.stringify(record)])).toMatchObject({ cause: 'kv_cache_too_small', permanent: true });
  });
});

describe('signature of a failure', () => {
  const same: readonly (readonly [string, string])[] = [
    [
      '(Worker pid=1) ERROR 11-21 06:23:25 [a.py:1] ValueError: Free memory on device cuda:0 (52.81/95.01 GiB) is less',
      '(Worker pid=20) ERROR 11-22 16:03:05 [a.py:12] ValueError: Free memory on device cuda:1 (2.5/95.01 GiB) is less',
    ],
    ["OSError: no file '/tmp/launch-1/a.sock'", "OSError: no file '/tmp/launch-22/b.sock'"],
    ['Error at 0x7f3a2b at ff48d6102772bf70418d122a', 'Error at 0x11 at 0048d6102772bf70418d122b'],
    ['request 24de28d4-33a8-46a3-8b6e-7989353db325 failed', 'request 53f5ed45-ecc6-4dea-9f5d-b854fd0db1fb failed'],
  ];
  it.each(same)('%s', (one, other) => {
    expect(toSignature(one)).toBe(toSignature(other));
  });

  it('keeps what was wrong', () => {
    expect(toSignature('ValueError: No common block size for 7')).not.toBe(toSignature('ValueError: no available memory for 7'));
    expect(toSignature('OSError: [Errno 98] Address already in use')).toBe('OSError: [Errno <n>] Address already in use');
  });
});
