/** What a person sees who edits a profile in VS Code: its YAML extension runs this language server. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { initProfile } from '../../src/operate/profiles-init.ts';
import { createTestContext } from '../operate/context.ts';
import { type LanguageServer, startLanguageServer } from './language-server.ts';

const directory = mkdtempSync(join(tmpdir(), 'editor-'));
let server: LanguageServer;
let head: string;

beforeAll(async () => {
  const context = createTestContext(directory);
  const { file } = await initProfile({ name: 'mine', from: 'base/gpu', settings: { model: 'Qwen/Qwen3-0.6B' }, yes: false }, context);
  head = readFileSync(file, 'utf8').split('\n')[0] ?? '';
  server = await startLanguageServer(directory);
  expect(await server.open(file, readFileSync(file, 'utf8'))).toEqual([]);
});

afterAll(async () => {
  await server.end();
  rmSync(directory, { recursive: true, force: true });
});

/** A profile beside the new one, which finds the schema by the same first line. */
async function edit(name: string, lines: readonly string[]) {
  const path = join(directory, 'profiles', name);
  const diagnostics = await server.open(path, [head, ...lines, ''].join('\n'));
  return { path, diagnostics: diagnostics.map(({ range, message }) => [range.start.line, message] as const) };
}

describe('an editor with a new profile', () => {
  it('offers the settings of vLLM, with what they mean', async () => {
    const { path } = await edit('complete.yaml', ['model: m', 'vllm:', '  max-num-seqs: 8', '  max-nu']);
    const items = await server.complete(path, { line: 4, character: 8 });
    expect(items.map(({ label }) => label)).toEqual(expect.arrayContaining(['max-num-batched-tokens', 'max-num-queued-reqs']));
    expect(await server.hover(path, { line: 3, character: 6 })).toContain('Requests at work at once');
  });

  it('offers the blocks, and the values of a choice', async () => {
    const { path } = await edit('values.yaml', ['thinking: ', 'vllm:', '  dtype: ', '  tool-call-parser: ', 're']);
    const labels = async (line: number, character: number) => (await server.complete(path, { line, character })).map(({ label }) => label);
    expect(await labels(1, 10)).toEqual(expect.arrayContaining(['"off"', 'request']));
    expect(await labels(3, 9)).toEqual(expect.arrayContaining(['bfloat16', 'half']));
    expect(await labels(4, 20)).toEqual(expect.arrayContaining(['hermes']));
    expect(await labels(5, 2)).toEqual(expect.arrayContaining(['resources', 'restart', 'replicas']));
  });

  it('marks what is wrong, on its line', async () => {
    const { diagnostics } = await edit('wrong.yaml', [
      'colour: red',
      'server:',
      '  port: many',
      'vllm:',
      '  dtype: fp8',
      '  swap-space: 4',
    ]);
    const messages = new Map(diagnostics);
    expect([...messages.keys()].toSorted()).toEqual([1, 3, 5, 6]);
    expect(messages.get(1)).toContain('colour');
    expect(messages.get(3)).toContain('integer');
    expect(messages.get(5)).toContain('bfloat16');
    expect(messages.get(6)).toContain('swap-space');
  });

  it('has nothing against anchors, merge keys, lists that grow and dotted names', async () => {
    const { diagnostics } = await edit('fine.yaml', [
      'x-limits: &limits {max-num-seqs: 8}',
      'extends: base/gpu',
      'served-names+: [a]',
      'vllm:',
      '  <<: *limits',
      '  compilation-config.mode: 3',
      'server:',
      '  port: null',
    ]);
    expect(diagnostics).toEqual([]);
  });
});
