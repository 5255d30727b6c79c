/**
 * A whole Qwen3 checkpoint directory without weights, made from nothing: no Python, no network. vLLM serves it with
 * `load-format: dummy`, that is with random weights, so the engine, its API and its memory are real and the text is
 * noise. The same version always gives the same bytes.
 *
 * About 0.43 million parameters (0.8 MiB in bfloat16) and 512 bytes of KV cache per token in bfloat16: 64 MiB of
 * cache hold 131,072 tokens.
 */
import { miniatureChatTemplate } from './miniature-template.ts';
import { miniatureTokens, toMiniatureTokenizer } from './miniature-tokenizer.ts';

/** `architecture` numbers as vLLM's CPU attention takes them: head_dim must be one that its kernels know. */
export const miniatureShape = {
  layers: 2,
  hiddenSize: 128,
  intermediateSize: 384,
  heads: 4,
  kvHeads: 2,
  headDim: 32,
  vocabulary: miniatureTokens.length,
  contextTokens: 40_960,
  /** layers × (K and V) × kvHeads × headDim × 2 bytes (bfloat16). */
  kvBytesPerToken: 2 * 2 * 2 * 32 * 2,
} as const;

/** File name → content of every file of the checkpoint directory. */
export function toMiniatureFiles(): ReadonlyMap<string, string> {
  const files: readonly (readonly [name: string, content: unknown])[] = [
    ['config.json', toConfig()],
    ['generation_config.json', toGenerationConfig()],
    ['special_tokens_map.json', specialTokens],
    ['tokenizer.json', toMiniatureTokenizer()],
    ['tokenizer_config.json', toTokenizerConfig()],
  ];
  return new Map(files.map(([name, content]) => [name, `${JSON.stringify(content, undefined, 2)}\n`]));
}

const specialTokens = {
  additional_special_tokens: ['<|im_start|>', '<|im_end|>'],
  eos_token: '<|im_end|>',
  pad_token: '<|endoftext|>',
};

function toConfig(): unknown {
  return {
    architectures: ['Qwen3ForCausalLM'],
    model_type: 'qwen3',
    attention_bias: false,
    attention_dropout: 0,
    bos_token_id: toId('<|endoftext|>'),
    eos_token_id: toId('<|im_end|>'),
    head_dim: miniatureShape.headDim,
    hidden_act: 'silu',
    hidden_size: miniatureShape.hiddenSize,
    initializer_range: 0.02,
    intermediate_size: miniatureShape.intermediateSize,
    max_position_embeddings: miniatureShape.contextTokens,
    max_window_layers: miniatureShape.layers,
    num_attention_heads: miniatureShape.heads,
    num_hidden_layers: miniatureShape.layers,
    num_key_value_heads: miniatureShape.kvHeads,
    rms_norm_eps: 1e-6,
    rope_scaling: null,
    rope_theta: 1_000_000,
    sliding_window: null,
    tie_word_embeddings: true,
    torch_dtype: 'bfloat16',
    use_cache: true,
    use_sliding_window: false,
    vocab_size: miniatureShape.vocabulary,
  };
}

/** The sampling defaults of the real Qwen3 checkpoints: vLLM makes them the server's defaults. */
function toGenerationConfig(): unknown {
  return {
    bos_token_id: toId('<|endoftext|>'),
    do_sample: true,
    eos_token_id: [toId('<|im_end|>'), toId('<|endoftext|>')],
    pad_token_id: toId('<|endoftext|>'),
    temperature: 0.6,
    top_k: 20,
    top_p: 0.95,
  };
}

function toTokenizerConfig(): unknown {
  return {
    add_bos_token: false,
    add_prefix_space: false,
    ...specialTokens,
    bos_token: null,
    unk_token: null,
    chat_template: miniatureChatTemplate,
    clean_up_tokenization_spaces: false,
    errors: 'replace',
    model_max_length: miniatureShape.contextTokens,
    split_special_tokens: false,
    // Not Qwen2Tokenizer: that class rebuilds the tokenizer from vocabulary and merges instead of reading the file.
    tokenizer_class: 'PreTrainedTokenizerFast',
  };
}

function toId(token: string): number {
  return miniatureTokens.indexOf(token);
}
