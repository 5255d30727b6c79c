/** Lines that are no failure and tell how far a life has come. Each with the words that have to be in it. */
export type MarkerName = keyof typeof markers;

export interface Marker {
  readonly words: readonly string[];
  readonly pattern?: RegExp;
}

export const markers = {
  /** A server begins: what stands before may be of another run. */
  banner: { words: ['api server version', 'vllm server version', ' version '], pattern: /vLLM (?:API )?server version |█\s+version \d/ },
  version: {
    words: [' version ', 'llm engine (v'],
    pattern: /(?:vLLM (?:API )?server version |█\s+version |LLM engine \(v)v?(\d{1,3}\.\d{1,3}[\w.+]{0,30})/,
  },
  settings: { words: ['non-default args'] },
  ready: { words: ['application startup complete'] },
  /** What only a server that is up prints. */
  answer: { words: ['http/1.'], pattern: /HTTP\/1\.\d" \d{3}/ },
  figures: { words: ['avg prompt throughput: '] },
  /** A model has answered: not a probe of health, which a hanging engine answers too. */
  work: { words: ['post /v1/', 'post /invocations', 'post /generate'], pattern: /"POST \/\S{1,100} HTTP\/1\.\d" 200/ },
  stop: { words: ['api server: shutdown triggered', 'keyboardinterrupt: terminated'] },
  death: {
    words: ['engine core exited unexpectedly', 'died unexpectedly', 'encountered a fatal error', 'enginedeaderror'],
  },
  /** Where another engine writes to the same log, this is a death too. */
  failedStart: { words: ['engine core initialization failed', 'enginecore failed to start'] },
  killed: { words: ['killed process'], pattern: /Killed process \S{1,12} \((?:VLLM|vllm|python|ray|Engine|Worker)/i },
  chain: { words: ['the above exception was the direct cause', 'during handling of the above exception'] },
  place: { words: ['file "'], pattern: /^\s*File "[^"]{1,400}", line \d+/ },
  exception: {
    words: ['error', 'exception', 'interrupt', 'exit', 'notfound', 'unavailable', 'timeout'],
    pattern:
      /^(?:[A-Za-z_]\w{0,80}\.){0,12}[A-Z]\w{0,80}(?:Error|Exception|Interrupt|Exit|NotFound|Unavailable|Timeout|Exceeded|Refused)(?::|$)|^Exception: /,
  },
  milestone: {
    words: [
      'llm engine',
      'server version',
      'non-default args',
      'resolved architecture',
      'using max model len',
      'core engine proc',
      'fetching ',
      '.safetensors:',
      '.bin:',
      '.pt:',
      '.gguf:',
      'time spent downloading',
      'checkpoint shards',
      'loading weights took',
      'model loading took',
      'loading model weights took',
      'torch.compile',
      'dynamo bytecode',
      'compiling a graph',
      'directly load the',
      'aot compiled',
      'warming up model',
      'cuda graph',
      'profiling',
      'kv cache memory:',
      'gib for kv cache',
      'kv cache size:',
      'maximum concurrency',
      'auto-fit max_model_len',
      'graph capturing finished',
      'kernel warmup',
      'init engine',
      'supported tasks',
      'starting vllm',
      'available routes',
      'started server process',
      'application startup complete',
      'uvicorn running',
      'to load model',
      'loading model from scratch',
    ],
  },
} as const satisfies Readonly<Record<string, Marker>>;
