/**
 * `up --fix` against an engine that says no as vLLM does: it ends ready, the profile is untouched, `status` names the
 * change with its cause, and `restart --reset` forgets it.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import type { Deployment } from '../../src/supervisor/deployment.ts';
import { eachInSandbox, fakeVllm, type Sandbox, untilNothingIsLeft } from './sandbox.ts';

let box: Sandbox;
let port: number;
eachInSandbox((made) => {
  ({ box, port } = made);
});

let taker: Server | undefined;
afterEach(async () => {
  if (taker) await new Promise((done) => taker?.close(done));
  taker = undefined;
});

const timeout = 60_000;

interface Case {
  /** What the stand-in does not start with. */
  readonly refuse: string;
  /** Lines of the profile. */
  readonly profile: string;
  /** Id of the cause. */
  readonly because: string;
  /** Settings that are otherwise then. */
  readonly changed: readonly string[];
  /** Our own checks know better, and are told to be quiet. */
  readonly unchecked?: true;
}

const vllm = (settings: string) => `vllm: { ${settings} }`;

const cases: readonly (Case & { readonly what: string })[] = [
  {
    what: 'a KV cache that holds no request of the full length',
    refuse: 'kv-cache:8192',
    profile: vllm('max-model-len: 32768'),
    because: 'kv_cache_too_small',
    changed: ['vllm.max-model-len'],
  },
  {
    what: 'no room for a cache at all',
    refuse: 'no-blocks:0.9',
    profile: vllm('kv-cache-memory-bytes: null, gpu-memory-utilization: 0.5, max-model-len: 4096'),
    because: 'kv_cache_too_small',
    changed: ['vllm.gpu-memory-utilization'],
    unchecked: true,
  },
  {
    what: 'a context longer than the model has',
    refuse: 'model-length:4096',
    profile: vllm('max-model-len: 8192'),
    because: 'max_model_len_exceeds_model',
    changed: ['vllm.max-model-len'],
  },
  {
    what: 'a setting that this version does not have',
    refuse: 'unknown-flag:frobnicate',
    profile: vllm('frobnicate: 3'),
    because: 'unknown_argument',
    changed: ['vllm.frobnicate'],
    unchecked: true,
  },
  {
    what: 'a batch smaller than the context',
    refuse: 'batched-tokens',
    profile: vllm('max-model-len: 4096, max-num-batched-tokens: 64, enable-chunked-prefill: false'),
    because: 'invalid_argument_value',
    changed: ['vllm.max-num-batched-tokens'],
    unchecked: true,
  },
  {
    what: 'more than all memory',
    refuse: 'share-range',
    profile: vllm('kv-cache-memory-bytes: null, gpu-memory-utilization: 1.5'),
    because: 'invalid_argument_value',
    changed: ['vllm.gpu-memory-utilization'],
    unchecked: true,
  },
  {
    what: 'a reasoning parser that does not exist',
    refuse: 'reasoning-parser',
    profile: vllm('reasoning-parser: qwen'),
    because: 'reasoning_or_tool_parser_invalid',
    changed: ['vllm.reasoning-parser'],
    unchecked: true,
  },
  {
    what: 'a tool parser that does not exist',
    refuse: 'tool-parser',
    profile: vllm('enable-auto-tool-choice: true, tool-call-parser: hermess'),
    because: 'reasoning_or_tool_parser_invalid',
    changed: ['vllm.tool-call-parser'],
    unchecked: true,
  },
  {
    what: 'tools without a parser',
    refuse: 'auto-tools',
    profile: vllm('enable-auto-tool-choice: true'),
    because: 'reasoning_or_tool_parser_invalid',
    changed: ['vllm.tool-call-parser'],
    unchecked: true,
  },
  {
    what: 'another quantization than that of the checkpoint',
    refuse: 'quantization:compressed-tensors',
    profile: 'quantization: awq',
    because: 'quantization_mismatch',
    changed: ['quantization'],
    unchecked: true,
  },
  {
    what: 'a quantization that the checkpoint does not have',
    refuse: 'quantization',
    profile: 'quantization: awq',
    because: 'quantization_mismatch',
    changed: ['quantization'],
    unchecked: true,
  },
  {
    what: 'a quantization that nobody knows',
    refuse: 'quantization-unknown',
    profile: 'quantization: squeezellm',
    because: 'invalid_argument_value',
    changed: ['quantization'],
    unchecked: true,
  },
  {
    what: 'bfloat16 on a GPU without it',
    refuse: 'bfloat16',
    profile: vllm('dtype: bfloat16'),
    because: 'dtype_unsupported_gpu',
    changed: ['vllm.dtype'],
  },
  {
    what: 'less free memory than asked for',
    refuse: 'free-memory:0.5',
    profile: vllm('kv-cache-memory-bytes: null, gpu-memory-utilization: 0.9'),
    because: 'free_memory_below_utilization',
    changed: ['vllm.gpu-memory-utilization'],
    unchecked: true,
  },
  {
    what: 'too many sequences for the warm-up',
    refuse: 'oom-warmup:64',
    profile: vllm('max-num-seqs: 128'),
    because: 'cuda_oom_warmup',
    changed: ['vllm.max-num-seqs'],
  },
  {
    what: 'no compiler',
    refuse: 'no-compiler',
    profile: vllm('enforce-eager: false'),
    because: 'torch_compile_or_triton_failure',
    changed: ['vllm.enforce-eager'],
  },
  {
    what: 'an attention backend that cannot do it',
    refuse: 'attention-backend:FLASHINFER',
    profile: vllm('attention-backend: FLASHINFER'),
    because: 'attention_backend_unsupported',
    changed: ['vllm.attention-backend'],
    unchecked: true,
  },
  {
    what: 'a block size without a kernel',
    refuse: 'block-size',
    profile: vllm('block-size: 7'),
    because: 'invalid_argument_value',
    changed: ['vllm.block-size'],
    unchecked: true,
  },
  {
    what: 'heads that cannot be shared',
    refuse: 'heads:16',
    profile: vllm('tensor-parallel-size: 3'),
    because: 'tensor_parallel_indivisible',
    changed: ['vllm.tensor-parallel-size'],
    unchecked: true,
  },
  {
    what: 'more GPUs than there are',
    refuse: 'gpus:1',
    profile: vllm('tensor-parallel-size: 2'),
    because: 'not_enough_gpus',
    changed: ['vllm.tensor-parallel-size'],
    unchecked: true,
  },
  {
    what: 'an adapter of a higher rank',
    refuse: 'lora-rank:64',
    profile: vllm('enable-lora: true'),
    because: 'lora_failure',
    changed: ['vllm.max-lora-rank'],
  },
  {
    what: 'a value that is no choice',
    refuse: 'bad-choice:dtype',
    profile: vllm('dtype: fp9'),
    because: 'invalid_argument_value',
    changed: ['vllm.dtype'],
    unchecked: true,
  },
  {
    what: 'two things at once, one after the other',
    refuse: 'model-length:40960+kv-cache:8192',
    profile: vllm('max-model-len: 200000'),
    because: 'kv_cache_too_small',
    changed: ['vllm.max-model-len'],
  },
];

it.each(cases)('$what', { timeout }, async ({ refuse, profile, because, changed, unchecked }) => {
  const file = await writeMine(`${profile}\n`, refuse);
  const before = await readFile(file, 'utf8');
  const options = unchecked ? ['--skip-preflight'] : [];
  const result = await box.cli('up', '-p', file, '--fix', ...options, '-o', 'json');
  expect(result.code, result.stderr + result.stdout).toBe(0);
  expect(result.json()).toMatchObject({
    state: 'ready',
    running: expect.arrayContaining(changed.map((path) => expect.objectContaining({ path, because }))),
  });
  expect(await readFile(file, 'utf8')).toBe(before);
  const shown = await box.cli('status', 'mine');
  for (const path of changed) expect(shown.stdout).toMatch(new RegExp(`${path} \\S+ instead of \\S+, because ${because}`));
  // It starts as it was asked for, and so fails again: nobody waits for that here.
  const reset = await box.cli('restart', 'mine', '--reset', '--no-wait', '-o', 'json');
  expect(reset.code, reset.stderr).toBe(0);
  expect(reset.json<Deployment>().running).toBeUndefined();
});

it('a port that is taken, as our own check knows it, and as the engine says it', { timeout }, async () => {
  taker = await take(port);
  const file = await writeMine('', '');
  const refused = await box.cli('up', '-p', file);
  expect(refused.code).toBe(4);
  const fixed = await box.cli('up', '-p', file, '--fix', '-o', 'json');
  expect(fixed.code, fixed.stderr).toBe(0);
  expect(fixed.json()).toMatchObject({
    state: 'ready',
    running: [{ path: 'server.port', from: String(port), because: 'runtime/port-taken' }],
  });
  await box.cli('down', 'mine', '--force');
  await box.cli('forget', 'mine');
  const words = await box.cli('up', '-p', file, '--skip-preflight', '--set', 'restart={first-delay: 100ms, max-failures: 2}', '-o', 'json');
  expect(words.code, words.stderr).toBe(5);
  expect(words.stderr).toMatch(/not heeded.*Port \d+ on 127\.0\.0\.1 is taken/);
  expect(words.json()).toMatchObject({ diagnosis: { cause: 'port_in_use', permanent: false } });
});

it('is kept by restart and by another up, and overruled by who sets something else', { timeout }, async () => {
  const file = await writeMine(`${vllm('max-model-len: 32768')}\n`, 'kv-cache:8192');
  const up = (...more: string[]) => box.cli('up', '-p', file, ...more, '-o', 'json');
  const fixed = (await up('--fix')).json<Deployment>();
  expect(fixed.running).toMatchObject([{ path: 'vllm.max-model-len', from: '32768' }]);
  expect((await box.cli('restart', 'mine', '-o', 'json')).json()).toMatchObject({
    state: 'ready',
    run: fixed.run + 1,
    running: fixed.running,
  });
  const again = await up();
  expect(again.json()).toMatchObject({ state: 'ready', run: fixed.run + 1, running: fixed.running });
  expect(again.stderr).toContain('qwen-deploy restart mine --reset');
  const named = await box.cli('up', 'mine', '-o', 'json');
  expect(named.json()).toMatchObject({ state: 'ready', run: fixed.run + 1, running: fixed.running, configDrift: false });
  const other = await up('--set', 'vllm.max-model-len=2048', '--yes');
  expect(other.stderr).toMatch(/vllm\.max-model-len: .* is dropped/);
  expect(other.json<Deployment>().running).toBeUndefined();
  await box.cli('down', 'mine');
  expect(await untilNothingIsLeft(box)).toEqual([]);
});

it('is dropped when the profile itself says something else by then', { timeout }, async () => {
  const file = await writeMine(`${vllm('max-model-len: 32768')}\n`, 'kv-cache:8192');
  expect((await box.cli('up', '-p', file, '--fix')).code).toBe(0);
  await writeFile(file, (await readFile(file, 'utf8')).replace('32768', '1024'));
  const again = await box.cli('up', '-p', file, '--yes', '-o', 'json');
  expect(again.json<Deployment>().running).toBeUndefined();
  expect(again.stderr).toContain('1024');
});

it('--write puts it into the profile, comments kept; without --fix it is refused', { timeout }, async () => {
  const file = await writeMine('vllm:\n  # as long as it gets\n  max-model-len: 32768 # long\n', 'kv-cache:8192');
  expect((await box.cli('up', '-p', file, '--write')).code).toBe(2);
  const result = await box.cli('up', '-p', file, '--fix', '--write', '-o', 'json');
  expect(result.code, result.stderr).toBe(0);
  const ready = result.json<Deployment>();
  expect(ready).toMatchObject({ state: 'ready', run: 2 });
  expect(ready.running).toBeUndefined();
  expect(await readFile(file, 'utf8')).toContain('  # as long as it gets\n  max-model-len: 8192 # long\n');
  expect((await box.cli('status', 'mine', '-o', 'json')).json()).toMatchObject({ configDrift: false });
});

it('--write of a shipped profile says what to do instead, and the deployment keeps the change', { timeout }, async () => {
  taker = await take(port);
  const result = await box.cli('up', '-p', 'demo', '--set', `server.port=${port}`, '--fix', '--write', '-o', 'json');
  expect(result.code, result.stderr).toBe(0);
  expect(result.stderr).toMatch(/demo is a shipped profile .*profiles init.*--set server\.port=/);
  expect(result.json()).toMatchObject({ running: [{ path: 'server.port' }] });
});

it('without --fix and without a terminal the failure is the answer, and the command is named', { timeout }, async () => {
  const file = await writeMine(`${vllm('max-model-len: 32768')}\n`, 'kv-cache:8192');
  const result = await box.cli('up', '-p', file, '--yes');
  expect(result.code).toBe(5);
  expect(result.stderr).toMatch(/vllm\.max-model-len: 32768 → 8192/);
  expect(result.stderr).toContain('qwen-deploy up mine --fix');
  const fixed = await box.cli('up', 'mine', '--fix', '-o', 'json');
  expect(fixed.code, fixed.stderr).toBe(0);
  expect(fixed.json()).toMatchObject({ state: 'ready', running: [{ path: 'vllm.max-model-len', to: '8192' }] });
});

it('ends with what was tried when nothing helps', { timeout }, async () => {
  // As long as it was found to be: each time it is half of that.
  const file = await writeMine(`${vllm('max-model-len: 32768')}\n`, 'kv-cache:8192+kv-cache:4096+kv-cache:2048+kv-cache:1024');
  const result = await box.cli('up', '-p', file, '--fix', '-o', 'json');
  expect(result.code).toBe(5);
  expect(result.json()).toMatchObject({
    kind: 'Error',
    code: 'engine/not-mended',
    message: expect.stringContaining('vllm.max-model-len 2048'),
  });
});

it('refuses --fix where nobody sees whether it helped', async () => {
  expect((await box.cli('up', '-p', 'demo', '--fix', '--no-wait')).code).toBe(2);
  expect((await box.cli('up', '-p', 'demo', '--fix', '--foreground')).code).toBe(2);
});

async function writeMine(text: string, refuse: string): Promise<string> {
  const file = join(box.home, 'mine.yaml');
  const faults = JSON.stringify({ refuse: refuse === '' ? [] : refuse.split('+') });
  const engine = `engine:\n  executable: ${fakeVllm}\n  env:\n    FAKE_VLLM: '${faults}'\n`;
  await writeFile(file, `extends: tiny\n# of a person\nserver: { port: ${port} }\nrestart: { first-delay: 100ms }\n${engine}${text}`);
  return file;
}

function take(taken: number): Promise<Server> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.listen(taken, '127.0.0.1', () => resolve(server));
  });
}
