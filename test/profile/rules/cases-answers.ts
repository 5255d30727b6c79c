import type { RuleCase } from './judge.ts';

const draft = (line: string) => `model: Qwen/Qwen3-8B\nvllm:\n  ${line}\n`;

export const answersCases: readonly RuleCase[] = [
  {
    code: 'profile/draft-twice',
    bad: 'model: Qwen/Qwen3-8B\nvllm:\n  spec-method: ngram # <-\n  speculative-config: {method: ngram, num_speculative_tokens: 4}\n',
    good: 'model: Qwen/Qwen3-8B\nvllm:\n  spec-method: ngram\n  speculative-config: {num_speculative_tokens: 4}\n',
  },
  {
    code: 'profile/draft-count',
    bad: draft('speculative-config: {method: ngram, prompt_lookup_max: 4} # <-'),
    good: draft('speculative-config: {method: ngram, num_speculative_tokens: 4}'),
  },
  { code: 'profile/draft-count', bad: draft('spec-method: ngram # <-'), good: draft('spec-method: suffix') },
  {
    code: 'profile/draft-source',
    bad: draft('speculative-config: {method: eagle3, num_speculative_tokens: 4} # <-'),
    good: draft('speculative-config: {method: eagle3, model: some/eagle, num_speculative_tokens: 4}'),
  },
  {
    code: 'profile/draft-source',
    bad: draft('spec-tokens: 3 # <-'),
    good: draft('speculative-config: {method: ngram, num_speculative_tokens: 3}'),
  },
  {
    code: 'profile/draft-window',
    bad: draft('speculative-config: {method: ngram, num_speculative_tokens: 4, prompt_lookup_min: 4, prompt_lookup_max: 2} # <-'),
    good: draft('speculative-config: {method: ngram, num_speculative_tokens: 4, prompt_lookup_min: 2, prompt_lookup_max: 4}'),
  },
  {
    code: 'profile/draft-layers',
    bad: draft('speculative-config: {method: mtp, num_speculative_tokens: 1} # <-'),
    good: 'model: Qwen/Qwen3.5-9B\nvllm:\n  speculative-config: {method: mtp, num_speculative_tokens: 1}\n',
  },
  {
    code: 'profile/draft-parallel',
    bad: draft('speculative-config: {method: ngram, num_speculative_tokens: 4, tensor_parallel_size: 1} # <-'),
    good: draft('speculative-config: {method: ngram, num_speculative_tokens: 4, draft_tensor_parallel_size: 1}'),
  },
  {
    code: 'profile/draft-parallel',
    bad: `${draft('tensor-parallel-size: 4')}  speculative-config: {model: Qwen/Qwen3-0.6B, num_speculative_tokens: 4, draft_tensor_parallel_size: 2} # <-\n`,
    good: `${draft('tensor-parallel-size: 4')}  speculative-config: {model: Qwen/Qwen3-0.6B, num_speculative_tokens: 4, draft_tensor_parallel_size: 4}\n`,
  },
  {
    code: 'profile/draft-vocabulary',
    bad: draft('speculative-config: {method: draft_model, model: Qwen/Qwen3.5-0.8B, num_speculative_tokens: 4} # <-'),
    good: draft('speculative-config: {method: draft_model, model: Qwen/Qwen3-0.6B, num_speculative_tokens: 4}'),
  },
  {
    code: 'profile/draft-async',
    bad: `${draft('async-scheduling: true # <-')}  speculative-config: {method: ngram, num_speculative_tokens: 4}\n`,
    good: `${draft('async-scheduling: true')}  speculative-config: {method: ngram_gpu, num_speculative_tokens: 4}\n`,
  },
  {
    code: 'profile/draft-package',
    bad: draft('speculative-config: {method: suffix} # <-'),
    good: draft('speculative-config: {method: ngram, num_speculative_tokens: 4}'),
  },
  {
    code: 'profile/draft-metrics',
    bad: draft('per-request-spec-decode-metrics: summary # <-'),
    good: `${draft('per-request-spec-decode-metrics: summary')}  speculative-config: {method: ngram, num_speculative_tokens: 4}\n`,
  },
  {
    code: 'profile/tools-without-parser',
    bad: draft('enable-auto-tool-choice: true # <-'),
    good: `${draft('enable-auto-tool-choice: true')}  tool-call-parser: hermes\n`,
  },
  {
    code: 'profile/tools-not-chosen',
    bad: draft('tool-call-parser: hermes # <-'),
    good: `${draft('enable-auto-tool-choice: true')}  tool-call-parser: hermes\n`,
  },
  {
    code: 'profile/tool-parser-family',
    bad: `${draft('enable-auto-tool-choice: true')}  tool-call-parser: qwen3_coder # <-\n`,
    good: `${draft('enable-auto-tool-choice: true')}  tool-call-parser: hermes\n`,
  },
  {
    code: 'profile/tool-parser-family',
    bad: 'model: Qwen/Qwen3-Coder-30B-A3B-Instruct\nvllm:\n  tool-call-parser: hermes # <-\n',
    good: 'model: Qwen/Qwen3-Coder-30B-A3B-Instruct-FP8\nvllm:\n  tool-call-parser: qwen3_xml\n',
  },
  {
    code: 'profile/reasoning-parser-family',
    bad: draft('reasoning-parser: deepseek_r1 # <-'),
    good: 'model: Qwen/Qwen3-4B-Thinking-2507\nvllm:\n  reasoning-parser: deepseek_r1\n',
  },
  {
    code: 'profile/reasoning-parser-idle',
    bad: 'model: Qwen/Qwen3-4B-Instruct-2507\nvllm:\n  reasoning-parser: qwen3 # <-\n',
    good: 'model: Qwen/Qwen3-4B-Instruct-2507\nthinking: "off"\nvllm:\n  reasoning-parser: qwen3\n',
  },
  {
    code: 'profile/reasoning-in-text',
    bad: 'model: Qwen/Qwen3-8B # <-\n',
    good: 'model: Qwen/Qwen3-8B\nthinking: off\n',
  },
  {
    code: 'profile/thinking-impossible',
    bad: 'model: Qwen/Qwen3-4B-Instruct-2507\nthinking: "on" # <-\n',
    good: 'model: Qwen/Qwen3-4B-Instruct-2507\nthinking: "off"\n',
  },
  {
    code: 'profile/thinking-impossible',
    bad: 'model: Qwen/Qwen3-30B-A3B-Thinking-2507-FP8\nthinking: off # <-\n',
    good: 'model: Qwen/Qwen3-30B-A3B\nthinking: off\n',
  },
  {
    code: 'profile/thinking-greedy',
    bad: 'model: Qwen/Qwen3-8B\nthinking: "on"\nvllm:\n  override-generation-config: {temperature: 0} # <-\n',
    good: 'model: Qwen/Qwen3-8B\nthinking: "off"\nvllm:\n  override-generation-config: {temperature: 0}\n',
  },
];
