/** What a person sees in a real terminal: a tmux pane, read as text. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Deployment } from '../../src/supervisor/deployment.ts';
import { createSandbox, eventually, fakeVllm, freePort, root, type Sandbox, writeProfile } from './sandbox.ts';

const run = promisify(execFile);
const cli = `${process.execPath} ${join(root, 'dist/main.js')}`;
let box: Sandbox;
let port: number;

beforeAll(async () => {
  box = await createSandbox();
  port = await freePort();
  const shell = ['env', '-i', 'TERM=screen', 'PS1=$ ', ...Object.entries(box.env).map(([name, value]) => `${name}=${value}`)];
  await tmux('-f', '/dev/null', 'new-session', '-d', '-x', '100', '-y', '30', ...shell, 'sh');
});

afterAll(async () => {
  await tmux('kill-server').catch(() => undefined);
  await box.dispose();
});

/** A server of its own, so that a person's sessions are left alone. */
async function tmux(...args: readonly string[]): Promise<string> {
  const { stdout } = await run('tmux', ['-u', '-S', join(box.home, 'tmux.sock'), ...args], { env: { ...process.env, LC_ALL: 'C.UTF-8' } });
  return stdout;
}

const type = (line: string) => tmux('send-keys', '-l', `${line}\n`);
/** On an empty screen: what an earlier command said is not to be taken for what this one says. */
async function enter(line: string): Promise<void> {
  await type('clear');
  await waitForScreen((screen) => screen === '$');
  await type(`clear; ${cli} ${line}`);
}
const interrupt = () => tmux('send-keys', 'C-c');

/** The lines on the screen once the check holds, without the empty ones below. */
const waitForScreen = async (check: (screen: string) => boolean) =>
  (await eventually(async () => (await tmux('capture-pane', '-p')).trimEnd(), check)).split('\n');

describe('in a terminal of 100 columns', () => {
  test('up: a line for each step, aligned, and how to go on', async () => {
    await enter(`up -p demo --set server.port=${port}`);
    const lines = await waitForScreen((screen) => /Nothing here is a real model.*\n\$/.test(screen));
    expect(lines.map((line) => line.replace(/\d+(\.\d+)? (ms|s)\b/g, 'TIME').replaceAll(String(port), 'PORT'))).toEqual([
      expect.stringMatching(/^✔ plan {8}demo · .* · 127\.0\.0\.1:PORT$/),
      expect.stringMatching(/^✔ engine {6}\S/),
      expect.stringMatching(/^✔ start {7}.*KV cache [\d,]+ tokens( · CUDA graphs TIME)? · listening \(simulated\)$/),
      '✔ ready       in TIME: /health, Qwen3-0.6B listed, first token in TIME (simulated)',
      '  endpoint    http://127.0.0.1:PORT/v1 (simulated)      try   qwen-deploy ask "Hello"',
      'Nothing here is a real model: demo is simulated.',
      '$',
    ]);
  });

  test('status --watch redraws in place, also where the terminal is narrow, and Ctrl-C gives the prompt back', async () => {
    await tmux('resize-window', '-x', '60', '-y', '30');
    await enter(`status --watch`);
    const seconds = (screen: string) => Number(/ (\d+) s$/m.exec(screen)?.[1] ?? 0);
    const first = seconds((await waitForScreen((screen) => seconds(screen) > 0)).join('\n'));
    const lines = await waitForScreen((screen) => seconds(screen) > first);
    expect(lines.filter((line) => line.startsWith('NAME'))).toHaveLength(1);
    expect(lines).toHaveLength(2);
    await interrupt();
    await waitForScreen((screen) => screen.endsWith('^C\n$'));
    await type('echo "status $?"');
    const after = await waitForScreen((screen) => /^status \d+$/m.test(screen));
    expect(after.slice(2)).toEqual(['^C', '$ echo "status $?"', 'status 130', '$']);
  });

  test('a question that is interrupted changes nothing', async () => {
    await enter(`up -p demo --set server.port=${port + 1}`);
    await waitForScreen((screen) => screen.includes('[y/N]'));
    await interrupt();
    const lines = await waitForScreen((screen) => /confirm\/declined[\s\S]*\n\$/.test(screen));
    expect(lines.join('\n')).toContain('✖ Nothing was changed.');
    expect((await box.cli('status', 'demo', '-o', 'json')).json()).toMatchObject({ state: 'ready', port });
  });

  test('after a failed start its cure is shown and asked for; yes starts again', async () => {
    const engine = `engine: { executable: ${fakeVllm}, env: { FAKE_VLLM: 'refuse=kv-cache:8192' } }`;
    const text = `extends: tiny\nserver: { port: ${port + 2} }\n${engine}\nvllm: { max-model-len: 32768 }\n`;
    const profile = await writeProfile(box, 'mine', text);
    await tmux('resize-window', '-x', '100', '-y', '40');
    await enter(`up -p ${profile}`);
    const asked = await waitForScreen((screen) => screen.includes('[y/N]'));
    expect(asked.join('\n')).toContain('vllm.max-model-len: 32768 → 8192');
    await type('y');
    await waitForScreen((screen) => /✔ ready[\s\S]*\n\$/.test(screen));
    const [running] = (await box.cli('status', 'mine', '-o', 'json')).json<Deployment>().running ?? [];
    expect(running).toEqual({ path: 'vllm.max-model-len', from: '32768', to: '8192', because: 'kv_cache_too_small' });
  });
});
