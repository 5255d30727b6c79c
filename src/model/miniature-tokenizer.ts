/**
 * A byte-level tokenizer in the format of the `tokenizers` library: one token per byte, no merges, then the special
 * tokens of Qwen3. Every text can be encoded and comes back unchanged; the price is four times as many tokens.
 */

/** Special ones are never part of shown text; the others (thinking, tools) are, as in Qwen3's own tokenizer. */
const addedTokens: readonly { readonly content: string; readonly special: boolean }[] = [
  { content: '<|endoftext|>', special: true },
  { content: '<|im_start|>', special: true },
  { content: '<|im_end|>', special: true },
  { content: '<tool_call>', special: false },
  { content: '</tool_call>', special: false },
  { content: '<tool_response>', special: false },
  { content: '</tool_response>', special: false },
  { content: '<think>', special: false },
  { content: '</think>', special: false },
];

const byteSymbols = toByteSymbols();

/** All tokens; the index is the id. The first 256 have the ids they have in Qwen3. */
export const miniatureTokens: readonly string[] = [...byteSymbols, ...addedTokens.map((token) => token.content)];

/** The content of `tokenizer.json`. */
export function toMiniatureTokenizer(): unknown {
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: true };
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: addedTokens.map(({ content, special }, index) => ({
      id: byteSymbols.length + index,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special,
    })),
    normalizer: { type: 'NFC' },
    pre_tokenizer: byteLevel,
    post_processor: byteLevel,
    decoder: byteLevel,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: '',
      end_of_word_suffix: '',
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(byteSymbols.map((symbol, id) => [symbol, id])),
      merges: [],
    },
  };
}

/**
 * The printable stand-in of each byte that every byte-level tokenizer since GPT-2 uses: bytes that print stand for
 * themselves and come first, the others follow as U+0100, U+0101, … in the order of their value.
 */
function toByteSymbols(): readonly string[] {
  const bytes = Array.from({ length: 256 }, (_, byte) => byte);
  const prints = (byte: number) => (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  const shown = bytes.filter(prints).map((byte) => String.fromCodePoint(byte));
  const hidden = bytes.filter((byte) => !prints(byte)).map((_, index) => String.fromCodePoint(256 + index));
  return [...shown, ...hidden];
}
