/** From a line that somebody pastes to a profile that can be checked and planned, with the built program. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSandbox, type Sandbox, writeProfile } from './sandbox.ts';

let box: Sandbox;
beforeAll(async () => {
  box = await createSandbox();
});
afterAll(() => box.dispose());

test('what was imported is a profile: it passes the check and plans the same line', async () => {
  const line = ['vllm', 'serve', 'Qwen/Qwen3-0.6B', '--port', '8123', '--max-model-len', '4k', '--enforce-eager', '--dtype', 'bfloat16'];
  const imported = await box.cli('profiles', 'import', '--', 'CUDA_VISIBLE_DEVICES=', ...line);
  expect(imported.code).toBe(0);
  const path = await writeProfile(box, 'mine', imported.stdout);
  expect((await box.cli('profiles', 'check', path)).code).toBe(0);
  const plan = await box.cli('plan', '-p', path, '-o', 'json');
  const { argv } = plan.json<{ argv: readonly string[] }>();
  expect(argv).toEqual(expect.arrayContaining(['serve', 'Qwen/Qwen3-0.6B', '8123', '4k', '--enforce-eager', 'bfloat16']));
});

test('what this vLLM would refuse is refused, with the line and the column', async () => {
  const path = await writeProfile(
    box,
    'compose',
    'services:\n  a:\n    image: vllm/vllm-openai:v0.32.0\n    command:\n      - --model=m/m\n      - --nope\n',
  );
  const { code, stdout } = await box.cli('profiles', 'import', '--file', join(path), '-o', 'json');
  expect(code).toBe(3);
  expect(JSON.parse(stdout).findings).toContainEqual(expect.objectContaining({ code: 'profile/unknown-flag', line: 6, column: 9 }));
});

test('a line that cannot be read ends without a stack', async () => {
  const { code, stdout, stderr } = await box.cli('profiles', 'import', 'vllm serve "m');
  expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
  expect(stderr).toMatch(
    /^ {2}error: This cannot be read as a command line: .*\(profile\/import-unreadable\)\nNo profile was made \(errors: 1\)\.\n$/,
  );
});

test('what a word processor made of a line is read as it was meant', async () => {
  const { code, stdout, stderr } = await box.cli('profiles', 'import', '❯ vllm serve Qwen/Qwen3-0.6B --served-model-name “x-y”');
  expect(code, stderr).toBe(0);
  expect(stdout).toContain('served-names: [x-y]');
  expect(stderr).toContain('Typographic quotes or dashes were read as plain ones.');
});
