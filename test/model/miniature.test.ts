import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { miniatureShape, toMiniatureFiles } from '../../src/model/miniature.ts';
import { miniatureName } from '../../src/model/miniature-name.ts';

describe('miniature model', () => {
  it('is a checkpoint directory of valid JSON without weights', () => {
    const files = toMiniatureFiles();
    expect([...files.keys()]).toEqual([
      'config.json',
      'generation_config.json',
      'special_tokens_map.json',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
    for (const text of files.values()) expect(typeof JSON.parse(text)).toBe('object');
  });

  it('has the same bytes as every other copy of its version', () => {
    // A change of content needs a new miniatureVersion: the directory is named by it and never rewritten.
    const hash = createHash('sha256');
    for (const [name, text] of toMiniatureFiles()) hash.update(`${name}\0${text}\0`);
    expect([miniatureName, hash.digest('hex').slice(0, 16)]).toEqual(['miniature-qwen3-v1', '776d64b0871e3083']);
  });

  it('agrees with itself: vocabulary, special ids, sizes', () => {
    const config = read('config.json');
    const tokenizer = read('tokenizer.json');
    const vocabulary = Object.keys(pick(tokenizer, 'model', 'vocab') ?? {});
    const added = pick(tokenizer, 'added_tokens');
    if (!Array.isArray(added)) throw new Error('added_tokens is no list');
    expect(vocabulary).toHaveLength(256);
    expect(new Set(vocabulary).size).toBe(256);
    expect(added.map((token) => token.id)).toEqual(added.map((_, index) => 256 + index));
    expect(pick(config, 'vocab_size')).toBe(vocabulary.length + added.length);
    expect(pick(config, 'vocab_size')).toBe(miniatureShape.vocabulary);
    const id = (content: string) => added.find((token) => token.content === content)?.id;
    expect(pick(config, 'eos_token_id')).toBe(id('<|im_end|>'));
    expect(pick(read('generation_config.json'), 'eos_token_id')).toEqual([id('<|im_end|>'), id('<|endoftext|>')]);
    expect(id('<think>')).toBeGreaterThan(0);
    const { layers, kvHeads, headDim, kvBytesPerToken } = miniatureShape;
    expect(kvBytesPerToken).toBe(layers * 2 * kvHeads * headDim * 2);
  });

  it('stands for bytes as every byte-level tokenizer does', () => {
    const vocabulary = pick(read('tokenizer.json'), 'model', 'vocab');
    expect(pick(vocabulary, '!')).toBe(0);
    expect(pick(vocabulary, 'A')).toBe(32);
    // The space and the line feed.
    expect(pick(vocabulary, 'Ġ')).toBe(220);
    expect(pick(vocabulary, 'Ċ')).toBe(198);
  });

  it('closes the thinking block only when thinking is switched off', () => {
    const template = pick(read('tokenizer_config.json'), 'chat_template');
    expect(template).toContain('enable_thinking is defined and enable_thinking is false');
    expect(template).toContain("'<think>\\n\\n</think>\\n\\n'");
  });
});

function read(name: string): unknown {
  return JSON.parse(toMiniatureFiles().get(name) ?? '');
}

function pick(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((at, key) => (typeof at === 'object' && at !== null ? Reflect.get(at, key) : undefined), value);
}
