/** A LoRA adapter of the miniature, made here, served by the real vLLM beside the model. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { toMiniatureFiles } from '../../src/model/miniature.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { createSandbox, freePort, type Sandbox } from '../scenarios/sandbox.ts';

const engines = join(process.env.QWEN_DEPLOY_TEST_ENGINE_HOME ?? '', 'data/engines');
const rank = 12;

let box: Sandbox;
let port = 0;

beforeAll(async () => {
  box = await createSandbox({ engines });
  port = await freePort();
});
afterAll(() => box.dispose());

it('an adapter is loaded with the engine, listed and answers by its name', { timeout: 600_000 }, async () => {
  await writeAdapter(join(box.home, 'noise'));
  const args = ['-p', 'tiny', '--set', `server.port=${port}`, '--set', 'lora.noise=./noise'];
  const plan = (await box.cli('plan', ...args, '-o', 'json')).json<Plan>();
  // Read from the adapter: 12, and the next that vLLM takes.
  expect(plan.decisions).toContainEqual(expect.objectContaining({ setting: 'argv.max-lora-rank', value: 16, from: 'model' }));
  const up = await box.cli('up', ...args, '-o', 'json');
  expect(up.code, up.stdout + up.stderr).toBe(0);
  const models = (await (await fetch(`http://127.0.0.1:${port}/v1/models`)).json()) as ModelList;
  expect(models.data.map(({ id }) => id)).toEqual(['Qwen3-0.6B', 'Qwen/Qwen3-0.6B', 'Qwen-0.6B', 'noise']);
  // One after the other: asked at the same moment, both were once seen to give the same noise (vLLM 0.32, CPU).
  const plain = await complete('Qwen3-0.6B');
  const adapted = await complete('noise');
  expect(adapted.model).toBe('noise');
  expect(adapted.choices[0]?.text).not.toBe(plain.choices[0]?.text);
});

interface ModelList {
  readonly data: readonly { readonly id: string }[];
}

interface Completion {
  readonly model: string;
  readonly choices: readonly { readonly text: string }[];
}

async function complete(model: string): Promise<Completion> {
  const body = JSON.stringify({ model, prompt: 'Hello', max_tokens: 16, temperature: 0 });
  const reply = await fetch(`http://127.0.0.1:${port}/v1/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  expect(reply.status).toBe(200);
  return (await reply.json()) as Completion;
}

/** Large numbers on what each layer's attention gives out, so that the answer is another one. */
async function writeAdapter(directory: string): Promise<void> {
  const model = JSON.parse(toMiniatureFiles().get('config.json') ?? '{}');
  const { hidden_size: hidden, num_hidden_layers: layers, num_attention_heads: heads, head_dim: width } = model;
  const tensors = Array.from({ length: layers }, (_, layer) => {
    const name = `base_model.model.model.layers.${layer}.self_attn.o_proj`;
    return [toTensor(`${name}.lora_A.weight`, [rank, heads * width]), toTensor(`${name}.lora_B.weight`, [hidden, rank])];
  }).flat();
  await mkdir(directory);
  const config = { peft_type: 'LORA', r: rank, lora_alpha: 64, target_modules: ['o_proj'], bias: 'none', task_type: 'CAUSAL_LM' };
  await writeFile(join(directory, 'adapter_config.json'), JSON.stringify(config));
  await writeFile(join(directory, 'adapter_model.safetensors'), toSafetensors(tensors));
}

interface Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

function toTensor(name: string, shape: readonly [number, number]): Tensor {
  const data = Float32Array.from({ length: shape[0] * shape[1] }, (_, at) => Math.sin(at * 12.9898) * 100);
  return { name, shape, data };
}

/** Length of the head, the head as JSON, and all numbers one after another. */
function toSafetensors(tensors: readonly Tensor[]): Buffer {
  let end = 0;
  const entries = tensors.map(({ name, shape, data }) => {
    const begin = end;
    end += data.byteLength;
    return [name, { dtype: 'F32', shape, data_offsets: [begin, end] }] as const;
  });
  const head = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(head.length));
  return Buffer.concat([length, head, ...tensors.map(({ data }) => Buffer.from(data.buffer))]);
}
