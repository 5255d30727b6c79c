/**
 * A checkpoint that lies here: what its files say of its size and shape. Weights are counted in the headers of the
 * safetensors files (eight bytes of length, then JSON), so they are exact, whatever they were packed with.
 */
import { open, readFile, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '../host/files.ts';
import type { ModelShape } from './catalogue.ts';

export interface Checkpoint extends ModelShape {
  /** `quant_method` of its own `quantization_config`; absent: nothing is packed. */
  readonly method?: string;
}

/** Undefined for a directory that is none, or that is not complete: a download may still be under way. */
export async function readCheckpoint(directory: string): Promise<Checkpoint | undefined> {
  const config = parseFields(await readOptional(join(directory, 'config.json')));
  const files = await listWeights(directory);
  if (config === undefined || files === undefined) return undefined;
  const headers = await Promise.all(files.map((file) => readHeader(join(directory, file))));
  const tensors = headers.flatMap((header) => header ?? []);
  return headers.includes(undefined) ? undefined : toCheckpoint(config, tensors);
}

type Fields = Readonly<Record<string, unknown>>;

/** All of an index, else the only one. */
async function listWeights(directory: string): Promise<readonly string[] | undefined> {
  const index = parseFields(await readOptional(join(directory, 'model.safetensors.index.json')));
  const map = toFields(index?.weight_map);
  if (map) {
    const names = [...new Set(Object.values(map))];
    // Another program wrote it: a name may not lead out of the directory.
    return names.every((name): name is string => typeof name === 'string' && /^[\w.-]+$/.test(name)) ? names : undefined;
  }
  return (await exists(join(directory, 'model.safetensors'))) ? ['model.safetensors'] : undefined;
}

interface Tensor {
  readonly name: string;
  readonly bytes: number;
}

/** As the format itself has it. */
const longestHeader = 100_000_000;

/** Files of the hub's cache are links to what they hold. Undefined for what is no such file. */
async function readHeader(path: string): Promise<readonly Tensor[] | undefined> {
  const handle = await openOptional(path);
  if (handle === undefined) return undefined;
  try {
    const { size } = await handle.stat();
    const first = Buffer.alloc(8);
    const { bytesRead } = await handle.read(first, 0, 8, 0);
    const length = bytesRead === 8 ? Number(first.readBigUInt64LE()) : Number.NaN;
    if (!(length > 1 && length <= longestHeader && length + 8 <= size)) return undefined;
    const text = Buffer.alloc(length);
    const read = await handle.read(text, 0, length, 8);
    return read.bytesRead === length ? parseHeader(text.toString('utf8'), size - 8 - length) : undefined;
  } finally {
    await handle.close();
  }
}

/** Undefined when a tensor lies outside of the file: then the rest is not to be believed either. */
function parseHeader(text: string, dataBytes: number): readonly Tensor[] | undefined {
  const entries = Object.entries(parseFields(text) ?? {}).filter(([name]) => name !== '__metadata__');
  const tensors = entries.map(([name, value]) => {
    const offsets = toFields(value)?.data_offsets;
    const [from, to] = Array.isArray(offsets) ? offsets.map(Number) : [];
    return { name, from: from ?? Number.NaN, to: to ?? Number.NaN };
  });
  if (tensors.length === 0 || !tensors.every(({ from, to }) => from >= 0 && from <= to && to <= dataBytes)) return undefined;
  return tensors.map(({ name, from, to }) => ({ name, bytes: to - from }));
}

function toCheckpoint(config: Fields, tensors: readonly Tensor[]): Checkpoint | undefined {
  const shape = toShape(config);
  if (shape === undefined) return undefined;
  const sum = (pattern: RegExp) => tensors.filter(({ name }) => pattern.test(name)).reduce((total, { bytes }) => total + bytes, 0);
  const draftBytes = sum(drafting);
  const visionBytes = sum(seeing);
  // Where both are one matrix, vLLM leaves out the second one that some files hold.
  const spared = draftBytes + (shape.tied ? sum(/(^|\.)lm_head\.weight$/) : 0);
  const method = toFields(config.quantization_config ?? toFields(config.text_config)?.quantization_config)?.quant_method;
  return {
    ...shape,
    weightsBytes: sum(/./) - spared,
    ...(draftBytes > 0 ? { draftBytes } : {}),
    ...(visionBytes > 0 ? { visionBytes } : {}),
    ...(typeof method === 'string' ? { method } : {}),
  };
}

/** Layers that draft are loaded only where they are asked for. */
const drafting = /(^|\.)mtp\./;
const seeing = /(^|\.)(visual|vision_tower|vision_model|vision_encoder|multi_modal_projector)\./;

/** Dimensions of a model with pictures stand below `text_config`. Undefined where the ones that count are missing. */
function toShape(config: Fields): Omit<ModelShape, 'weightsBytes'> | undefined {
  const text = { ...config, ...toFields(config.text_config) };
  const number = (...names: readonly string[]) => names.map((name) => text[name]).find((value) => typeof value === 'number' && value > 0);
  const layers = number('num_hidden_layers');
  const hiddenSize = number('hidden_size');
  const heads = number('num_attention_heads');
  const vocabulary = number('vocab_size');
  if (!isNumber(layers) || !isNumber(hiddenSize) || !isNumber(heads) || !isNumber(vocabulary)) return undefined;
  const given = number('num_key_value_heads');
  const kvHeads = isNumber(given) ? given : heads;
  const width = number('head_dim');
  const headDim = isNumber(width) ? width : hiddenSize / heads;
  const attending = toAttending(text, layers);
  const [architecture] = Array.isArray(config.architectures) ? config.architectures : [];
  const positions = number('max_position_embeddings');
  return {
    architecture: String(architecture ?? ''),
    layers,
    hiddenSize,
    heads,
    kvHeads,
    headDim,
    ...toWidths(number),
    kvBytesPerToken: 4 * attending.layers * kvHeads * headDim,
    maxPositions: isNumber(positions) ? positions : 4096,
    vocabulary,
    ...(text.tie_word_embeddings === true ? { tied: true } : {}),
    hybrid: attending.hybrid,
    ...(isHybrid(text) ? toState(number, layers - attending.layers) : {}),
  };
}

type ReadNumber = (...names: readonly string[]) => unknown;

/** The common width of a mixture of experts stands there, too, and is not used. */
function toWidths(
  number: ReadNumber,
): Pick<ModelShape, 'mlpWidth' | 'experts' | 'expertsAtWork' | 'expertWidth' | 'sharedWidth' | 'draftLayers'> {
  const experts = number('num_experts', 'num_local_experts', 'n_routed_experts');
  const named = isNumber(experts)
    ? {
        experts,
        expertsAtWork: number('num_experts_per_tok'),
        expertWidth: number('moe_intermediate_size', 'intermediate_size'),
        sharedWidth: number('shared_expert_intermediate_size'),
      }
    : { mlpWidth: number('intermediate_size') };
  const all = { ...named, draftLayers: number('mtp_num_hidden_layers', 'num_nextn_predict_layers') };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => isNumber(value)));
}

interface Attending {
  readonly layers: number;
  /** The arithmetic of full attention does not hold. */
  readonly hybrid: boolean;
}

function toAttending(text: Fields, layers: number): Attending {
  const types = Array.isArray(text.layer_types) ? text.layer_types : undefined;
  const full = types?.filter((type) => type === 'full_attention').length;
  const every = text.full_attention_interval;
  if (full !== undefined) return { layers: full, hybrid: full < layers };
  if (isHybrid(text) && isNumber(every) && every > 1) return { layers: Math.floor(layers / every), hybrid: true };
  const windowed = isNumber(text.sliding_window) && text.use_sliding_window !== false;
  return { layers, hybrid: isHybrid(text) || windowed || isNumber(text.kv_lora_rank) };
}

function isHybrid(text: Fields): boolean {
  return isNumber(text.linear_num_value_heads);
}

/** Of each layer without keys and values: a matrix per head in 32 bits, and the last inputs of its convolution in 16. */
function toState(number: ReadNumber, layers: number): Pick<ModelShape, 'stateBytes'> {
  const [keys, values, keyWidth, valueWidth, kernel] = [
    number('linear_num_key_heads'),
    number('linear_num_value_heads'),
    number('linear_key_head_dim'),
    number('linear_value_head_dim'),
    number('linear_conv_kernel_dim'),
  ];
  if (!isNumber(keys) || !isNumber(values) || !isNumber(keyWidth) || !isNumber(valueWidth) || !isNumber(kernel)) return {};
  const inputs = 2 * keys * keyWidth + values * valueWidth;
  return { stateBytes: layers * (4 * values * keyWidth * valueWidth + 2 * inputs * (kernel - 1)) };
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0;
}

function toFields(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

function parseFields(text: string | undefined): Fields | undefined {
  if (text === undefined) return undefined;
  try {
    return toFields(JSON.parse(text));
  } catch {
    // cut, or something else under that name
    return undefined;
  }
}

async function readOptional(path: string): Promise<string | undefined> {
  return optional(() => readFile(path, 'utf8'));
}

async function openOptional(path: string) {
  return optional(async () => open(await realpath(path), 'r'));
}

async function exists(path: string): Promise<boolean> {
  return (await optional(() => stat(path))) !== undefined;
}

/** What cannot be read is not there: a plan is made without it. */
async function optional<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}
