import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import { root } from '../scenarios/sandbox.ts';
import { describeServing } from '../scenarios/serving.ts';
import { engines, python } from './engine-home.ts';

const run = promisify(execFile);

describeServing({
  title: 'the real vLLM',
  sandbox: { engines },
  up: [],
  startMs: 480_000,
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
