/** What more settings of vLLM do, in a sentence or two; those that matter most for Qwen3 are in explain.ts. */
export const advice = {
  'advice.api-server-count':
    'Processes that take requests and split them into tokens. More help where many short requests keep one core busy; the engine stays one.',
  'advice.async-scheduling': 'Plans the next step while the GPU works on this one. On by default on GPUs; leave it on.',
  'advice.attention-backend': 'The kernels of attention. vLLM chooses by GPU; name one only to work around a fault.',
  'advice.block-size': 'Tokens of one block of KV cache: 16 on GPUs, multiples of 32 on CPUs. Smaller wastes less, larger is read faster.',
  'advice.chat-template': 'Replaces the chat template of the checkpoint; a path, or the template itself.',
  'advice.compilation-config': 'What is compiled and captured as CUDA graphs. More starts slower and answers faster.',
  'advice.cpu-offload-gb': 'GiB of weights of each GPU that stay in main memory. It makes room, and every token waits for the bus.',
  'advice.cudagraph-capture-sizes':
    'Batch sizes that get a CUDA graph. Fewer start faster and leave more memory; sizes in between run as the next larger one.',
  'advice.data-parallel-size':
    'Copies of the engine behind one address. For a dense model such as Qwen3-0.6B, replicas do the same and fail apart.',
  'advice.disable-access-log-for-endpoints': 'Addresses whose requests are not logged, for example /health,/metrics.',
  'advice.disable-custom-all-reduce': 'A way around hangs between GPUs that cannot reach each other directly; slower.',
  'advice.distributed-executor-backend': 'How the processes of several GPUs are run: mp on one machine, ray across machines.',
  'advice.enable-expert-parallel':
    'Spreads whole experts of a mixture-of-experts model over the GPUs instead of cutting each; of no use to dense models.',
  'advice.enable-log-requests': 'Logs each request, prompts included: large, and perhaps private.',
  'advice.enable-lora': 'Serves LoRA adapters beside the model; naming adapters under lora switches it on.',
  'advice.enable-prompt-tokens-details': 'Answers tell how many tokens of the prompt came from the cache.',
  'advice.enable-server-load-tracking': 'Makes /load count the requests at work; switched on where the version has it.',
  'advice.enable-sleep-mode': 'Lets the engine give its GPU memory back without ending.',
  'advice.generation-config':
    "Where sampling comes from when a request names none: auto is the checkpoint's own file (right for Qwen3), vllm is vLLM's own defaults.",
  'advice.kv-offloading-size': 'GiB of main memory that hold KV cache which the GPU has no room for.',
  'advice.load-format': 'How weights are read. auto is right; dummy makes random ones, for tests.',
  'advice.long-prefill-token-threshold': 'A prompt longer than this counts as long, and long ones do not fill the whole step.',
  'advice.max-loras': 'Different adapters in one step; each keeps memory free for max-lora-rank.',
  'advice.max-lora-rank': 'Largest rank of an adapter; memory is kept free for it, so no larger than the adapters have.',
  'advice.max-logprobs': 'Most log probabilities that a request may ask for, for each token.',
  'advice.num-gpu-blocks-override': 'Blocks of KV cache, whatever memory there is; for tests.',
  'advice.performance-mode': 'throughput doubles the sizes of batches that vLLM would choose; interactivity keeps them small.',
  'advice.pipeline-parallel-size':
    'Cuts the layers over GPUs, for models that fit no other way; each request waits for all of them in turn.',
  'advice.safetensors-load-strategy': 'How the files of the weights are read; prefetch helps on network drives.',
  'advice.scheduling-policy': 'fcfs serves in the order of arrival; priority serves lower numbers first, and requests may carry one.',
  'advice.seed': 'Start of the random numbers of sampling; the same seed alone does not make answers repeatable.',
  'advice.stream-interval': 'Tokens of one piece of a stream. More pieces at once cost less work and arrive less smoothly.',
  'advice.structured-outputs-config': 'The engine behind JSON schemas and grammars, and how strict it is; auto is right.',
  'advice.trust-remote-code': 'Runs Python code that comes with the checkpoint. Qwen3 needs none: leave it off.',
  'advice.uvicorn-log-level': 'How much the web server itself logs.',
} as const;
