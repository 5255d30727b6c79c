// What came after flags that are gone: nobody can read this out of a parser. Name → what to use instead (names of
// today, or nothing), and for flags older than the oldest dump, the last version that had them.
// Sources: vLLM's pull requests that removed them (numbers beside).
export const successors = {
  'calculate-kv-scales': {}, // #49389
  'cuda-graph-sizes': { use: ['cudagraph-capture-sizes'] }, // #30396
  device: { last: '0.9.2' }, // #21349: the engine's variant decides
  'disable-async-output-proc': {}, // #25334
  'disable-frontend-multiprocessing': {}, // #37612
  'disable-log-requests': { use: ['enable-log-requests'] }, // #29402
  'disable-mm-preprocessor-cache': { use: ['mm-processor-cache-gb'] },
  'enable-bf16x3-router-gemm': { use: ['kernel-config'] },
  'enable-lora-bias': {},
  'enable-mamba-fine-grained-prefix-cache': { use: ['enable-mamba-shared-prefix-checkpoint'] },
  'enable-multimodal-encoder-data-parallel': { use: ['mm-encoder-tp-mode'] },
  'enable-prompt-adapter': { last: '0.9.2' },
  'enable-reasoning': { last: '0.9.2', use: ['reasoning-parser'] }, // #20979
  'eplb-log-balancedness': { use: ['eplb-config'] },
  'eplb-step-interval': { use: ['eplb-config'] },
  'eplb-window-size': { use: ['eplb-config'] },
  'guided-decoding-backend': { use: ['structured-outputs-config'] }, // #29326
  'guided-decoding-disable-additional-properties': { use: ['structured-outputs-config'] },
  'guided-decoding-disable-any-whitespace': { use: ['structured-outputs-config'] },
  'guided-decoding-disable-fallback': { use: ['structured-outputs-config'] },
  'logits-processor-pattern': { use: ['logits-processors'] },
  'long-lora-scaling-factors': { last: '0.8.5' },
  'lora-extra-vocab-size': {},
  'max-long-partial-prefills': {}, // #49244
  'max-num-partial-prefills': {}, // #49244
  'max-seq-len-to-capture': { use: ['max-cudagraph-capture-size'] }, // #25543
  'multi-step-stream-outputs': { last: '0.10.0' }, // #22138
  'num-lookahead-slots': { use: ['speculative-config'] },
  'num-redundant-experts': { use: ['eplb-config'] },
  'num-scheduler-steps': { last: '0.10.0', use: ['async-scheduling'] }, // #22138
  'num-speculative-tokens': { last: '0.8.5', use: ['speculative-config'] },
  'override-attention-dtype': {},
  'override-pooler-config': { use: ['pooler-config'] },
  'preemption-mode': {}, // #25334
  'rope-scaling': { use: ['hf-overrides'] }, // #28006
  'rope-theta': { use: ['hf-overrides'] }, // #28006
  'scheduler-delay-factor': {}, // #25334
  'speculative-model': { last: '0.8.5', use: ['speculative-config'] },
  'swap-space': { use: ['kv-offloading-size'] }, // #36216
  task: { use: ['runner', 'convert'] }, // #30397
  'tokenizer-pool-size': { last: '0.9.2' },
  'use-v2-block-manager': { last: '0.9.2' }, // #21349
  'worker-use-ray': { last: '0.7.0', use: ['distributed-executor-backend'] }, // #12383
};
