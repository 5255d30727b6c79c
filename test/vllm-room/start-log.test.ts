import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { StartFacts, StartPhase } from '../../src/core/event.ts';
import { emptyStartLog, reduceStartLog, type StartNews } from '../../src/vllm/start-log.ts';

function follow(lines: readonly string[]): {
  readonly news: readonly StartNews[];
  readonly phases: readonly StartPhase[];
  readonly facts: StartFacts;
} {
  let state = emptyStartLog;
  const news: StartNews[] = [];
  for (const line of lines) {
    const step = reduceStartLog(state, line);
    state = step.state;
    if (step.news) news.push(step.news);
  }
  const phases = news.map(({ phase }) => phase).filter((phase, index, all) => phase !== all[index - 1]);
  return { news, phases, facts: state.facts };
}

function readLines(name: string): readonly string[] {
  return readFileSync(new URL(`../fixtures/logs/vllm-0.32.0-cpu/${name}.log`, import.meta.url), 'utf8').split('\n');
}

const eager: readonly StartPhase[] = ['importing', 'configuring', 'engine', 'loading', 'kv-cache', 'warming', 'listening'];

const captured: readonly (readonly [string, readonly StartPhase[], StartFacts])[] = [
  ['healthy', eager, { maxModelLen: 4096, kvBytes: 64424509, kvTokens: 262144, maxConcurrency: 64 }],
  ['works-json-logs', eager, { maxModelLen: 32768, kvBytes: 64424509, kvTokens: 262144, maxConcurrency: 8 }],
  ['works-api-server-count-2', eager, { maxModelLen: 32768, kvBytes: 64424509, kvTokens: 262144, maxConcurrency: 8 }],
  [
    'compile-first',
    ['importing', 'configuring', 'engine', 'loading', 'compiling', 'profiling', 'kv-cache', 'warming', 'listening'],
    { maxModelLen: 512, kvBytes: 64424509, kvTokens: 262144, maxConcurrency: 512 },
  ],
  ['kill-engine', eager, { maxModelLen: 32768, kvBytes: 64424509, kvTokens: 262144, maxConcurrency: 8 }],
  ['kill-worker', eager, { maxModelLen: 32768, kvBytes: 64424509, kvTokens: 262144, maxConcurrency: 8 }],
  ['launch-render', ['importing', 'configuring', 'listening'], { maxModelLen: 131072 }],
  ['bad-unknown-flag', ['importing'], {}],
  ['bad-port-in-use', ['importing', 'configuring'], {}],
  ['bad-weights-missing', ['importing', 'configuring', 'engine', 'loading'], { maxModelLen: 32768 }],
  ['start-kill-enginecore-during-start', ['importing', 'configuring', 'engine'], { maxModelLen: 32768 }],
];

describe('a real start, by its log', () => {
  it.each(captured)('%s', (name, phases, facts) => {
    const told = follow(readLines(name));
    expect(told.phases).toEqual(phases);
    expect(told.facts).toEqual(facts);
  });

  it('tells every number once', () => {
    const { news } = follow(readLines('healthy'));
    expect(news.flatMap(({ facts }) => Object.keys(facts ?? {})).toSorted()).toEqual([
      'kvBytes',
      'kvTokens',
      'maxConcurrency',
      'maxModelLen',
    ]);
  });
});

const engine = (model: string) =>
  `(EngineCore pid=1) INFO 11-21 05:55:36 [core.py:133] Initializing a V1 LLM engine (v0.32.0) with config: model='${model}', speculative_config=None`;

describe('wordings of other versions, and of GPUs', () => {
  const lines: readonly (readonly [string, StartPhase, StartFacts | undefined])[] = [
    ['INFO 03-01 01:02:03 [api_server.py:1] vLLM API server version 0.9.2', 'configuring', undefined],
    ['INFO 03-01 01:02:03 [llm_engine.py:1] Initializing an LLM engine (v0.6.0) with config: model=x', 'engine', undefined],
    ['Time spent downloading weights for Qwen/Qwen3-0.6B: 12.5 seconds', 'downloading', undefined],
    ['model.safetensors:  45%|████▌     | 676M/1.50G [00:10<00:12, 65MB/s]', 'downloading', { percent: 45 }],
    ['Loading safetensors checkpoint shards:  50% Completed | 1/2 [00:00<00:00,  3.1it/s]', 'loading', { percent: 50 }],
    ['Loading weights took 0.31 seconds', 'loading', { weightsSeconds: 0.31 }],
    ['Model loading took 1.12 GiB memory and 0.82 seconds', 'loading', { weightsBytes: 1202590843, weightsSeconds: 0.82 }],
    ['Model loading took 1.12 GiB and 0.82 seconds', 'loading', { weightsBytes: 1202590843, weightsSeconds: 0.82 }],
    ['Loading model weights took 14.98 GB', 'loading', { weightsBytes: 16084652524 }],
    ["[backbone] Using cache directory: /c for vLLM's torch.compile", 'compiling', undefined],
    ['Dynamo bytecode transform time: 5.1 s', 'compiling', undefined],
    ['Compiling a graph for compile range (1, 2048) takes 12 s', 'compiling', undefined],
    ['torch.compile takes 20.1 s in total', 'compiling', undefined],
    ['Profiling CUDA graph memory: PIECEWISE=19 (largest=512)', 'profiling', undefined],
    ['Estimated CUDA graph memory: 0.43 GiB total', 'profiling', { graphBytes: 461708984 }],
    ['Available KV cache memory: 17.5 GiB', 'kv-cache', { kvBytes: 18790481920 }],
    ['GPU KV cache size: 163,840 tokens', 'kv-cache', { kvTokens: 163840 }],
    ['Maximum concurrency for 40,960 tokens per request: 4.00x', 'kv-cache', { maxModelLen: 40960, maxConcurrency: 4 }],
    ['Auto-fit max_model_len: reduced from 40960 to 8192', 'kv-cache', { maxModelLen: 8192 }],
    ['Capturing CUDA graphs (mixed prefill-decode, PIECEWISE):  25%|██▌   | 5/20', 'capturing', { percent: 25 }],
    ['Capturing CUDA graph shapes: 100%|██████| 35/35', 'capturing', { percent: 100 }],
    ['Graph capturing finished in 2 secs, took 0.43 GiB', 'capturing', { graphBytes: 461708984 }],
    ['init engine (profile, create kv cache, warmup model) took 20.11 seconds', 'warming', undefined],
    ['Starting vLLM API server 0 on http://0.0.0.0:8000', 'listening', undefined],
  ];
  it.each(lines)('%s', (line, phase, facts) => {
    expect(reduceStartLog(emptyStartLog, line).news).toEqual({ phase, ...(facts ? { facts } : {}) });
  });
});

describe('order', () => {
  it('never goes back', () => {
    const { phases } = follow([
      'GPU KV cache size: 16 tokens',
      'Loading weights took 0.31 seconds',
      'non-default args: {}',
      'what is this',
    ]);
    expect(phases).toEqual(['kv-cache']);
  });

  it('keeps a number that comes late, but not the percentage of a phase that is over', () => {
    const { news } = follow([
      'GPU KV cache size: 16 tokens',
      'Loading safetensors checkpoint shards:  50% Completed | 1/2',
      'Loading weights took 2 seconds',
    ]);
    expect(news).toEqual([
      { phase: 'kv-cache', facts: { kvTokens: 16 } },
      { phase: 'kv-cache', facts: { weightsSeconds: 2 } },
    ]);
  });

  it('drops the percentage with its phase, and says the same thing only once', () => {
    const bar = 'Loading safetensors checkpoint shards:  50% Completed | 1/2';
    const { news, facts } = follow([bar, bar, 'Available KV cache memory: 1.0 GiB']);
    expect(news).toHaveLength(2);
    expect(facts).toEqual({ kvBytes: 2 ** 30 });
  });

  it('says nothing after the server listens', () => {
    const { news } = follow(['INFO:     Application startup complete.', 'GPU KV cache size: 16 tokens', 'Loading weights took 2 seconds']);
    expect(news).toEqual([{ phase: 'listening' }]);
  });

  it('a model of the hub is not "loading" before its download', () => {
    const { phases } = follow([
      engine('Qwen/Qwen3-0.6B'),
      'Starting to load model Qwen/Qwen3-0.6B...',
      'model.safetensors:  45%|████▌     | 676M/1.50G',
      'Loading safetensors checkpoint shards: 100% Completed | 1/1',
    ]);
    expect(phases).toEqual(['engine', 'downloading', 'loading']);
  });

  it.each(['Starting to load model /models/tiny-qwen3...', 'Loading model from scratch...'])('a local one is: %s', (line) => {
    expect(follow([engine('/models/tiny-qwen3'), line]).phases).toEqual(['engine', 'loading']);
  });
});
