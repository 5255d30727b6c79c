// node scripts/compact-models.mjs MODELS.json — makes src/model/qwen-models.json of a table of models: what plans and
// rules need of each, one model per line. Models whose dimensions are not all known are left out.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const target = fileURLToPath(new URL('../src/model/qwen-models.json', import.meta.url));
const gib = 2 ** 30;

/** Repositories of the same dimensions and length; how they think follows from their names. */
const sameShape = {
  'Qwen/Qwen3-4B-Instruct-2507': ['Qwen/Qwen3-4B-Thinking-2507'],
  'Qwen/Qwen3-30B-A3B-Instruct-2507': ['Qwen/Qwen3-30B-A3B-Thinking-2507', 'Qwen/Qwen3-Coder-30B-A3B-Instruct'],
  'Qwen/Qwen3-235B-A22B-Instruct-2507': ['Qwen/Qwen3-235B-A22B-Thinking-2507'],
};

const [path] = process.argv.slice(2);
if (path === undefined) throw new Error('Name the table: node scripts/compact-models.mjs MODELS.json');
const table = JSON.parse(readFileSync(path, 'utf8'));
const models = table.filter((entry) => entry.computed?.weights_gib?.int4_g128 !== undefined && entry.hidden_size).map(toModel);
writeFileSync(target, `[\n${models.map((model) => `  ${toLine(model)}`).join(',\n')}\n]\n`);

function toModel(entry) {
  const { weights_gib: weights, kv_bytes_per_token: cache } = entry.computed;
  // A mixture of experts has a width of its own there; the common one stands in the configuration and is not used.
  const width = entry.num_experts ? toExperts(entry) : { mlpWidth: entry.intermediate_size };
  return {
    id: entry.model,
    architecture: entry.architecture,
    weightsBytes: { bf16: toBytes(weights.bf16), fp8: toBytes(weights.fp8), int4: toBytes(weights.int4_g128) },
    kvBytesPerToken: cache.bf16,
    layers: entry.num_hidden_layers,
    hiddenSize: entry.hidden_size,
    heads: entry.num_attention_heads,
    kvHeads: entry.num_key_value_heads,
    headDim: entry.head_dim,
    ...width,
    maxPositions: entry.max_position_embeddings,
    ropeTheta: entry.rope_theta,
    vocabulary: entry.vocab_size,
    ...(entry.tie_word_embeddings ? { tied: true } : {}),
    hybrid: entry.attention !== 'full',
    ...(entry.mtp_num_hidden_layers ? { draftLayers: entry.mtp_num_hidden_layers } : {}),
    ...(weights.mtp_bf16 ? { draftBytes: toBytes(weights.mtp_bf16) } : {}),
    ...(entry.computed.params_vision ? { visionBytes: 2 * entry.computed.params_vision } : {}),
    ...(entry.computed.state_bytes_per_sequence ? { stateBytes: entry.computed.state_bytes_per_sequence } : {}),
    ...(sameShape[entry.model] ? { sameShape: sameShape[entry.model] } : {}),
  };
}

function toExperts(entry) {
  const shared = entry.shared_expert_intermediate_size;
  return {
    experts: entry.num_experts,
    expertsAtWork: entry.num_experts_per_tok,
    expertWidth: entry.moe_intermediate_size,
    ...(shared ? { sharedWidth: shared } : {}),
  };
}

function toBytes(gibibytes) {
  return Math.round(gibibytes * gib);
}

function toLine(value) {
  if (Array.isArray(value)) return `[${value.map(toLine).join(', ')}]`;
  if (typeof value !== 'object') return JSON.stringify(value);
  const entries = Object.entries(value).map(([key, inner]) => `${JSON.stringify(key)}: ${toLine(inner)}`);
  return `{${entries.join(', ')}}`;
}
