import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import { root } from '../scenarios/sandbox.ts';
import { describeServing } from '../scenarios/serving.ts';

const run = promisify(execFile);

/** Where the engine was installed by `qwen-deploy engine install cpu` (see .ci/run). */
const engineHome = process.env.QWEN_DEPLOY_TEST_ENGINE_HOME ?? '';
const engines = join(engineHome, 'data/engines');
const python = join(engines, 'cpu-0.32.0/venv/bin/python');

if (!existsSync(python)) {
  throw new Error(`no engine in QWEN_DEPLOY_TEST_ENGINE_HOME=${engineHome}: QWEN_DEPLOY_HOME=DIR node dist/main.js engine install cpu`);
}

describeServing({
  title: 'the real vLLM',
  sandbox: { engines },
  up: [],
  startMs: 240_000,
  async checkClients(port) {
    const address = `http://127.0.0.1:${port}/v1`;
    const { stdout } = await run(python, [join(root, 'test/vllm/openai_client.py'), address], { timeout: 120_000 });
    expect(JSON.parse(stdout)).toMatchObject({
      models: expect.arrayContaining(['Qwen3-0.6B', 'Qwen/Qwen3-0.6B']),
      chat: 'chat.completion',
      completion: 'text_completion',
      streamed_tokens: [8],
      thinking_changes_prompt: true,
    });
    const body = JSON.stringify({ model: 'Qwen3-0.6B', prompt: 'Hello', max_tokens: 4, stream: true });
    const curl = await run('curl', ['-sN', '-H', 'content-type: application/json', '-d', body, `${address}/completions`]);
    expect(curl.stdout).toMatch(/^data: \{/);
    expect(curl.stdout.trimEnd()).toMatch(/data: \[DONE\]$/);
  },
});
