/** Folders of models as they should not be, made of the miniature. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { toMiniatureFiles } from '../../../src/model/miniature.ts';

export type BrokenModel = 'other-architecture' | 'other-type' | 'no-config' | 'cut-config' | 'cut-weights';

type Change = (config: string) => Readonly<Record<string, string | Buffer | undefined>>;

/** Files that are otherwise, of `config.json`; undefined: not there. */
const changes: Readonly<Record<BrokenModel, Change>> = {
  'other-architecture': (config) => ({ 'config.json': config.replace('Qwen3ForCausalLM', 'FooForCausalLM') }),
  'other-type': (config) => ({ 'config.json': config.replace('"model_type": "qwen3"', '"model_type": "foo9"') }),
  'no-config': () => ({ 'config.json': undefined }),
  'cut-config': (config) => ({ 'config.json': config.slice(0, config.length / 2) }),
  'cut-weights': () => ({ 'model.safetensors': toCutWeights() }),
};

/** The folder's path. */
export async function writeBrokenModel(kind: BrokenModel, parent: string): Promise<string> {
  const folder = join(parent, kind);
  const files = new Map<string, string | Buffer | undefined>(toMiniatureFiles());
  for (const [name, content] of Object.entries(changes[kind](toMiniatureFiles().get('config.json') ?? ''))) files.set(name, content);
  await mkdir(folder, { recursive: true });
  for (const [name, content] of files) if (content !== undefined) await writeFile(join(folder, name), content);
  return folder;
}

/** Its head promises more than follows: a download that broke off. */
function toCutWeights(): Buffer {
  const tensor = { dtype: 'BF16', shape: [512, 128], data_offsets: [0, 512 * 128 * 2] };
  const head = Buffer.from(JSON.stringify({ 'model.embed_tokens.weight': tensor }));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(head.length));
  return Buffer.concat([length, head, Buffer.alloc(1000)]);
}
