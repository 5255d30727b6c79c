// What came after flags that are gone: nobody can read this out of a parser. Name → what to use instead:
//   use   settings of today that do what it did, or come nearest
//   to    the setting that takes the same value
//   when  value → the settings that mean the same today
//   drop  there is nothing to do: what it asked for is the default now, or it had no effect any more
// Without any of them it is gone without a successor. `last`: the last version that had it, where no dump reaches so
// far back (read in the wheels of 0.4.3, 0.5.5, 0.6.6, 0.7.0, 0.7.3, 0.8.5, 0.9.2, 0.10.0 and 0.10.1); `never`: no version of
// vLLM had it, though people write it. Sources: vLLM's pull requests that removed them (numbers beside).
const speculative = (field) => ({ last: '0.7.3', use: [`speculative-config.${field}`], to: `speculative-config.${field}` });
const moved = (key) => ({ use: [key], to: key });

export const successors = {
  'awq-ckpt': { never: true },
  'calculate-kv-scales': {}, // #49389
  // One number was the end of a list that vLLM made, several were the list (#30396).
  'cuda-graph-sizes': { use: ['cudagraph-capture-sizes', 'max-cudagraph-capture-size'] },
  device: { last: '0.9.2' }, // #21349: the engine's variant decides
  'disable-async-output-proc': {}, // #25334
  'disable-frontend-multiprocessing': {}, // #37612
  'disable-log-requests': { use: ['enable-log-requests'], when: { true: {}, false: { 'enable-log-requests': true } } }, // #29402
  'disable-logprobs-during-spec-decoding': { last: '0.7.3' },
  'disable-mm-preprocessor-cache': { use: ['mm-processor-cache-gb'], when: { true: { 'mm-processor-cache-gb': 0 }, false: {} } },
  'enable-bf16x3-router-gemm': {},
  'enable-lora-bias': {},
  'enable-mamba-fine-grained-prefix-cache': moved('enable-mamba-shared-prefix-checkpoint'),
  'enable-multimodal-encoder-data-parallel': { use: ['mm-encoder-tp-mode'], when: { true: { 'mm-encoder-tp-mode': 'data' }, false: {} } },
  'enable-prompt-adapter': { last: '0.10.1' },
  'enable-reasoning': { last: '0.9.2', use: ['reasoning-parser'] }, // #20979
  'enable-thought-token': { never: true, use: ['reasoning-parser'] },
  'engine-use-ray': { last: '0.5.5', use: ['distributed-executor-backend'] },
  'eplb-log-balancedness': moved('eplb-config.log_balancedness'),
  'eplb-step-interval': moved('eplb-config.step_interval'),
  'eplb-window-size': moved('eplb-config.window_size'),
  'expand-tools-even-if-tool-choice-none': { last: '0.9.2' },
  'guided-decoding-backend': moved('structured-outputs-config.backend'), // #29326
  // Today these need a backend that has them.
  'guided-decoding-disable-additional-properties': { use: ['structured-outputs-config.disable_additional_properties'] },
  'guided-decoding-disable-any-whitespace': { use: ['structured-outputs-config.disable_any_whitespace'] },
  'guided-decoding-disable-fallback': {},
  'image-feature-size': { last: '0.4.3' },
  'image-input-shape': { last: '0.4.3' },
  'image-input-type': { last: '0.4.3' },
  'image-token-id': { last: '0.4.3' },
  'logits-processor-pattern': { use: ['logits-processors'] },
  'long-lora-scaling-factors': { last: '0.9.2' },
  'lora-extra-vocab-size': {},
  'max-context-len-to-capture': { last: '0.5.5', use: ['max-cudagraph-capture-size'] },
  'max-long-partial-prefills': {}, // #49244
  'max-num-partial-prefills': {}, // #49244
  'max-prompt-adapter-token': { last: '0.9.2' },
  'max-prompt-adapters': { last: '0.9.2' },
  'max-seq-len-to-capture': { use: ['max-cudagraph-capture-size'] }, // #25543: a length then, a batch size now
  'multi-step-stream-outputs': { last: '0.10.0', drop: true }, // #22138
  'ngram-prompt-lookup-max': speculative('prompt_lookup_max'),
  'ngram-prompt-lookup-min': speculative('prompt_lookup_min'),
  'num-lookahead-slots': { use: ['speculative-config.num_speculative_tokens'] },
  'num-redundant-experts': moved('eplb-config.num_redundant_experts'),
  'num-scheduler-steps': { last: '0.10.0', use: ['async-scheduling'], drop: true }, // #22138
  'num-speculative-tokens': speculative('num_speculative_tokens'),
  'override-attention-dtype': {},
  'override-neuron-config': { last: '0.10.1' },
  'override-pooler-config': moved('pooler-config'),
  'preemption-mode': {}, // #25334
  'prompt-adapters': { last: '0.9.2' },
  'qlora-adapter-name-or-path': { last: '0.9.2' },
  'quantization-param-path': { last: '0.6.6' },
  'rope-scaling': { use: ['hf-overrides.rope_parameters'] }, // #28006
  'rope-theta': { use: ['hf-overrides.rope_parameters.rope_theta'] }, // #28006
  'scheduler-delay-factor': {}, // #25334
  'spec-decoding-acceptance-method': { last: '0.7.3', use: ['speculative-config.rejection_sample_method'] },
  'speculative-disable-by-batch-size': { last: '0.7.3', use: ['speculative-config'] },
  'speculative-disable-mqa-scorer': { last: '0.7.3' },
  'speculative-draft-tensor-parallel-size': speculative('draft_tensor_parallel_size'),
  'speculative-max-model-len': speculative('max_model_len'),
  'speculative-model': speculative('model'),
  'speculative-model-quantization': speculative('quantization'),
  'swap-space': { use: ['kv-offloading-size'], drop: true }, // #36216: it had no effect any more
  task: {
    use: ['runner', 'convert'], // #30397
    when: {
      auto: {},
      generate: { runner: 'generate' },
      embed: { runner: 'pooling', convert: 'embed' },
      embedding: { runner: 'pooling', convert: 'embed' },
      classify: { runner: 'pooling', convert: 'classify' },
      score: { runner: 'pooling', convert: 'classify' },
    },
  },
  'tokenizer-pool-extra-config': { last: '0.9.2' },
  'tokenizer-pool-size': { last: '0.9.2' },
  'tokenizer-pool-type': { last: '0.9.2' },
  'typical-acceptance-sampler-posterior-alpha': { last: '0.7.3' },
  'typical-acceptance-sampler-posterior-threshold': { last: '0.7.3' },
  'use-v2-block-manager': { last: '0.9.2', drop: true }, // #21349: it was the only one long before
  'worker-use-ray': {
    last: '0.6.6', // #12383
    use: ['distributed-executor-backend'],
    when: { true: { 'distributed-executor-backend': 'ray' }, false: {} },
  },
};
