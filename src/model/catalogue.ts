/** Facts of the published Qwen models, for what must be known before anything is downloaded. */
import models from './qwen-models.json' with { type: 'json' };

export type WeightKind = 'bf16' | 'fp8' | 'int8' | 'int4';

/** What a checkpoint's own `quantization_config` names. */
export type CheckpointMethod = 'fp8' | 'awq' | 'gptq';

/** What the memory of a model depends on: of the catalogue, or of a checkpoint that lies here. */
export interface ModelShape {
  readonly architecture: string;
  /** On the GPU, for one copy of the model, with what sees pictures and without what drafts. */
  readonly weightsBytes: number;
  /** KV cache in 16 bits, per token, for one copy of the model. */
  readonly kvBytesPerToken: number;
  readonly layers: number;
  readonly hiddenSize: number;
  /** Attention heads, and those of them that keep keys and values. */
  readonly heads: number;
  readonly kvHeads: number;
  /** Width of one head: not always the model's own divided by their number. */
  readonly headDim: number;
  /** Inner width of each layer; a mixture of experts has another one per expert. */
  readonly mlpWidth?: number;
  readonly experts?: number;
  /** Of the experts, those that each token goes through. */
  readonly expertsAtWork?: number;
  readonly expertWidth?: number;
  /** Of the expert that all tokens go through. */
  readonly sharedWidth?: number;
  /** Layers of the checkpoint that draft tokens (MTP), and their weights. */
  readonly draftLayers?: number;
  readonly draftBytes?: number;
  /** Weights of what sees pictures; absent: it reads only. */
  readonly visionBytes?: number;
  readonly maxPositions: number;
  readonly vocabulary: number;
  /** One matrix is both the first and the last one. */
  readonly tied?: boolean;
  /** Only some layers keep a KV cache that grows with the text: the formula of full attention does not hold. */
  readonly hybrid: boolean;
  /** What the other layers keep of each request. */
  readonly stateBytes?: number;
}

export interface ModelFacts extends ModelShape {
  readonly id: string;
  readonly weights: WeightKind;
  /** Absent: the weights are in 16 bits. */
  readonly method?: CheckpointMethod;
  /** Base of the angles that stand for positions. */
  readonly ropeTheta: number;
  /** How Qwen's model card stretches it; absent where nothing is said about it. */
  readonly yarn?: { readonly factor: number; readonly original: number };
  /** `switch`: by `enable_thinking`; the others do it always or never, whatever they are told. */
  readonly thinking: 'switch' | 'always' | 'never';
  /** How it writes the calls of tools; absent for models that write nothing. */
  readonly toolParser?: 'hermes' | 'qwen3_coder';
  /** A repository of that name is known; else it is only thinkable. */
  readonly published: boolean;
}

/** By hub id, quantized repositories included (`…-FP8`, `…-AWQ`, `…-GPTQ-Int8`); undefined when it is not in the catalogue. */
export function toModelFacts(id: string): ModelFacts | undefined {
  const known = asked.get(id);
  if (known !== undefined) return known;
  const facts = readFacts(id);
  if (facts !== undefined) asked.set(id, facts);
  return facts;
}

/** One check of a profile asks a hundred times. */
const asked = new Map<string, ModelFacts>();

function readFacts(id: string): ModelFacts | undefined {
  const { base, weights, method } = parseRepository(id);
  const entry = byName.get(base);
  if (entry === undefined) return undefined;
  const { sameShape: _, weightsBytes, ...shape } = entry;
  const facts = toFacts(base, shape);
  const own = { ...facts, id, weights, weightsBytes: toWeightsBytes(weightsBytes, weights), published: isPublished(id) };
  return method ? { ...own, method } : own;
}

interface Entry extends Omit<ModelShape, 'weightsBytes'>, Pick<ModelFacts, 'id' | 'ropeTheta'> {
  readonly weightsBytes: { readonly bf16: number; readonly fp8: number; readonly int4: number };
  /** Other repositories of these numbers. */
  readonly sameShape?: readonly string[];
}

const entries: readonly Entry[] = models;

/** The first Qwen3 were trained on 32768 tokens and have 8192 positions more for the answer. */
const stretched = { from: 40_960, yarn: { factor: 4, original: 32_768 } } as const;

const byName = new Map(entries.flatMap((entry) => [entry.id, ...(entry.sameShape ?? [])].map((name) => [name, entry] as const)));

/** All but what the way of quantizing decides. */
function toFacts(name: string, shape: Omit<Entry, 'id' | 'sameShape' | 'weightsBytes'>) {
  const yarn = shape.maxPositions === stretched.from && shape.architecture.startsWith('Qwen3') ? stretched.yarn : undefined;
  const toolParser = toToolParser(name);
  return {
    ...shape,
    ...(yarn && !isEncoder(name) ? { yarn } : {}),
    thinking: toThinking(name),
    ...(toolParser ? { toolParser } : {}),
  };
}

interface Repository {
  readonly base: string;
  readonly weights: WeightKind;
  readonly method?: CheckpointMethod;
}

const kinds: Readonly<Record<string, Omit<Repository, 'base'>>> = {
  FP8: { weights: 'fp8', method: 'fp8' },
  AWQ: { weights: 'int4', method: 'awq' },
  'GPTQ-Int4': { weights: 'int4', method: 'gptq' },
  'GPTQ-Int8': { weights: 'int8', method: 'gptq' },
};

function parseRepository(id: string): Repository {
  const match = /^(.+)-(FP8|AWQ|GPTQ-Int4|GPTQ-Int8)$/.exec(id);
  const kind = kinds[match?.[2] ?? ''];
  return match?.[1] && kind ? { base: match[1], ...kind } : { base: id, weights: 'bf16' };
}

/** Eight bits take the same room as integers and as floats, but for the scales: one 16-bit number per 128 weights. */
function toWeightsBytes(bytes: Entry['weightsBytes'], weights: WeightKind): number {
  return bytes[weights === 'int8' ? 'fp8' : weights];
}

/** Models that read and do not write: embeddings and rerankers. */
function isEncoder(base: string): boolean {
  return /-(Embedding|Reranker)-/.test(base);
}

function toThinking(base: string): ModelFacts['thinking'] {
  if (base.includes('-Thinking')) return 'always';
  return isEncoder(base) || /-Instruct\b|-Coder-/.test(base) ? 'never' : 'switch';
}

function toToolParser(base: string): ModelFacts['toolParser'] {
  if (isEncoder(base)) return undefined;
  return /-Coder-|Qwen3\.\d/.test(base) ? 'qwen3_coder' : 'hermes';
}

/** FP8 has been published of nearly all; the others of these only. */
const published = [
  /^Qwen\/Qwen3-(4B|8B|14B|32B)-AWQ$/,
  /^Qwen\/Qwen3-(0\.6B|1\.7B)-GPTQ-Int8$/,
  /^Qwen\/Qwen3-(30B-A3B|235B-A22B)-GPTQ-Int4$/,
  /^Qwen\/Qwen3\.5-(27B|35B-A3B|122B-A10B|397B-A17B)-GPTQ-Int4$/,
];

function isPublished(id: string): boolean {
  return !/-(AWQ|GPTQ-Int[48])$/.test(id) || published.some((pattern) => pattern.test(id));
}
