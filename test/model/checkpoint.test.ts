import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toModelFacts } from '../../src/model/catalogue.ts';
import { readCheckpoint } from '../../src/model/checkpoint.ts';
import { miniatureShape, toMiniatureFiles } from '../../src/model/miniature.ts';
import { toMemory } from '../plan/memory/stand-ins.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'qd-checkpoint-'));
});
afterEach(async () => rm(directory, { recursive: true, force: true }));

/** A safetensors file: the length of its header, the header, and as many bytes as that says. */
function toSafetensors(tensors: Readonly<Record<string, number>>, header?: (length: number) => bigint): Buffer {
  let at = 0;
  const entries = Object.entries(tensors).map(([name, bytes]) => {
    const from = at;
    at += bytes;
    return [name, { dtype: 'BF16', shape: [bytes / 2], data_offsets: [from, at] }];
  });
  const text = Buffer.from(JSON.stringify({ __metadata__: { format: 'pt' }, ...Object.fromEntries(entries) }));
  const first = Buffer.alloc(8);
  first.writeBigUInt64LE(header?.(text.length) ?? BigInt(text.length));
  return Buffer.concat([first, text, Buffer.alloc(at)]);
}

const config = {
  architectures: ['Qwen3ForCausalLM'],
  num_hidden_layers: 2,
  hidden_size: 128,
  intermediate_size: 384,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 64,
  vocab_size: 1000,
  max_position_embeddings: 4096,
};
const write = (name: string, content: string | Buffer) => writeFile(join(directory, name), content);
const writeConfig = (changes: object = {}) => write('config.json', JSON.stringify({ ...config, ...changes }));
const tensors = { 'model.embed_tokens.weight': 256_000, 'model.layers.0.mlp.up_proj.weight': 98_304 };

describe('readCheckpoint', () => {
  it('counts what the headers say, and takes the dimensions from config.json', async () => {
    await writeConfig();
    await write('model.safetensors', toSafetensors(tensors));
    expect(await readCheckpoint(directory)).toEqual({
      architecture: 'Qwen3ForCausalLM',
      weightsBytes: 354_304,
      layers: 2,
      hiddenSize: 128,
      heads: 4,
      kvHeads: 2,
      // Not hidden_size / heads.
      headDim: 64,
      mlpWidth: 384,
      kvBytesPerToken: 2 * 2 * 2 * 64 * 2,
      maxPositions: 4096,
      vocabulary: 1000,
      hybrid: false,
    });
  });

  it('counts all shards of an index, through the links of the hub cache', async () => {
    await mkdir(join(directory, 'blobs'));
    await writeConfig({ tie_word_embeddings: true, quantization_config: { quant_method: 'awq' } });
    await write('blobs/one', toSafetensors(tensors));
    await write('blobs/two', toSafetensors({ 'lm_head.weight': 256_000, 'model.layers.1.mlp.up_proj.qweight': 1024 }));
    await symlink('blobs/one', join(directory, 'model-00001-of-00002.safetensors'));
    await symlink('blobs/two', join(directory, 'model-00002-of-00002.safetensors'));
    const shard = (number: number) => `model-0000${number}-of-00002.safetensors`;
    await write('model.safetensors.index.json', JSON.stringify({ weight_map: { a: shard(1), b: shard(2), c: shard(1) } }));
    // The last matrix is the first one again, and is not loaded twice.
    expect(await readCheckpoint(directory)).toMatchObject({ weightsBytes: 355_328, tied: true, method: 'awq' });
    await rm(join(directory, shard(2)));
    expect(await readCheckpoint(directory)).toBeUndefined();
  });

  it('reads the text part of a model with pictures, and keeps what drafts apart', async () => {
    const { num_hidden_layers: layers, ...rest } = config;
    await writeConfig({
      architectures: ['Qwen3_5ForConditionalGeneration'],
      num_hidden_layers: undefined,
      text_config: {
        ...rest,
        num_hidden_layers: 4 * layers,
        layer_types: Array.from({ length: 8 }, (_, index) => (index % 4 === 3 ? 'full_attention' : 'linear_attention')),
        linear_num_key_heads: 2,
        linear_num_value_heads: 4,
        linear_key_head_dim: 32,
        linear_value_head_dim: 32,
        linear_conv_kernel_dim: 4,
        mtp_num_hidden_layers: 1,
      },
    });
    await write('model.safetensors', toSafetensors({ ...tensors, 'mtp.fc.weight': 2048, 'model.visual.merger.weight': 512 }));
    expect(await readCheckpoint(directory)).toMatchObject({
      layers: 8,
      hybrid: true,
      kvBytesPerToken: 2 * 2 * 2 * 64 * 2,
      weightsBytes: 354_816,
      draftLayers: 1,
      draftBytes: 2048,
      visionBytes: 512,
      stateBytes: 6 * (4 * 4 * 32 * 32 + 2 * (2 * 2 * 32 + 4 * 32) * 3),
    });
  });

  it('reads a mixture of experts', async () => {
    await writeConfig({ num_experts: 128, num_experts_per_tok: 8, moe_intermediate_size: 96 });
    await write('model.safetensors', toSafetensors(tensors));
    const found = await readCheckpoint(directory);
    expect(found).toMatchObject({ experts: 128, expertsAtWork: 8, expertWidth: 96 });
    expect(found).not.toHaveProperty('mlpWidth');
  });

  it.each([
    ['a window', { sliding_window: 1024 }, true],
    ['a window that is off', { sliding_window: 1024, use_sliding_window: false }, false],
    ['one latent per token', { kv_lora_rank: 512 }, true],
  ])('tells whether full attention holds: %s', async (_, changes, hybrid) => {
    await writeConfig(changes);
    await write('model.safetensors', toSafetensors(tensors));
    expect(await readCheckpoint(directory)).toMatchObject({ hybrid });
  });

  it.each<[string, string | Buffer]>([
    ['an absurd header length', toSafetensors(tensors, () => 2n ** 62n)],
    ['a header longer than the file', toSafetensors(tensors, (length) => BigInt(length) * 1000n * 1000n)],
    ['a header that is cut', toSafetensors(tensors, (length) => BigInt(length - 9))],
    ['tensors outside of the file', toSafetensors(tensors).subarray(0, -1)],
    ['an empty file', ''],
    ['a Git LFS pointer', 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n'],
  ])('believes nothing of %s', async (_, content) => {
    await writeConfig();
    await write('model.safetensors', content);
    expect(await readCheckpoint(directory)).toBeUndefined();
  });

  it.each<[string, string]>([
    ['a list', '[]'],
    ['no JSON', '{'],
    ['no dimensions', '{"architectures": ["LlamaForCausalLM"]}'],
  ])('gives nothing for a config.json that is %s', async (_, content) => {
    await write('config.json', content);
    await write('model.safetensors', toSafetensors(tensors));
    expect(await readCheckpoint(directory)).toBeUndefined();
  });

  it('does not leave the directory', async () => {
    await writeConfig();
    await write('model.safetensors.index.json', JSON.stringify({ weight_map: { a: '../../etc/passwd' } }));
    expect(await readCheckpoint(directory)).toBeUndefined();
  });

  it('agrees with the miniature model, and gives nothing for one without weights', async () => {
    for (const [name, content] of toMiniatureFiles()) await write(name, content);
    expect(await readCheckpoint(directory)).toBeUndefined();
    await write('model.safetensors', toSafetensors(tensors));
    const { contextTokens, kvBytesPerToken, layers, hiddenSize, heads, kvHeads, headDim, vocabulary } = miniatureShape;
    const expected = { maxPositions: contextTokens, kvBytesPerToken, layers, hiddenSize, heads, kvHeads, headDim, vocabulary };
    expect(await readCheckpoint(directory)).toMatchObject(expected);
  });

  it('is used in place of the catalogue', async () => {
    await writeConfig();
    await write('model.safetensors', toSafetensors(tensors));
    const shape = await readCheckpoint(directory);
    const memory = await toMemory('fp16', [], shape ? { shape } : {});
    expect(memory?.kvBytesPerToken).toBe(1024);
    expect((await toMemory('fp16', []))?.kvBytesPerToken).toBe(toModelFacts('Qwen/Qwen3-0.6B')?.kvBytesPerToken);
  });
});
