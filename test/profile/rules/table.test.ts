import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { planRules } from '../../../src/plan/rules/index.ts';
import { checkProfile } from '../../../src/profile/load.ts';
import { profileRules } from '../../../src/profile/rules/index.ts';
import { explain } from '../../../src/text/en/explain.ts';
import { toText } from '../../../src/text/render.ts';
import { places } from '../../plan/stand-ins.ts';
import { judge } from './judge.ts';

const rules = [...profileRules, ...planRules];
const shipped = readdirSync(new URL('../../../profiles/', import.meta.url)).flatMap((name) => /^(.+)\.yaml$/.exec(name)?.[1] ?? []);

describe('the tables of rules', () => {
  it('have each code once, with an explanation and a source', () => {
    expect(new Set(rules.map(({ code }) => code)).size).toBe(rules.length);
    const poor = rules.filter(({ code, source }) => !Object.hasOwn(explain, `finding.${code}`) || source.length < 15);
    expect(poor.map(({ code }) => code)).toEqual([]);
  });

  it.each(shipped)('say nothing graver than a note about the shipped profile %s', async (name) => {
    const { findings } = await checkProfile(name, { places, cwd: '/', sets: [] });
    const grave = findings.filter(({ severity }) => severity !== 'info').map(({ code, message }) => `${code}: ${toText(message)}`);
    expect(grave).toEqual([]);
  });

  it('say nothing about a profile that says nothing, but that thoughts are not taken out', () => {
    expect(judge('model: Qwen/Qwen3-8B\n').map(({ code }) => code)).toEqual(['profile/reasoning-in-text']);
    expect(judge('model: {path: /models/mine, source: local}\n')).toEqual([]);
    expect(judge('model: somebody/else\nvllm: {tensor-parallel-size: 3}\nquantization: awq\n')).toEqual([]);
  });

  it('say it in words that need no catalogue of their own', () => {
    const [finding] = judge('model: Qwen/Qwen3-8B\nvllm:\n  max-num-seqs: 257\n  max-num-batched-tokens: 256\n');
    expect(finding && toText(finding.message)).toBe(
      'max-num-batched-tokens 256 is less than max-num-seqs 257: each request needs at least one token of a step, and vLLM refuses to start.',
    );
    expect(finding).toMatchObject({ severity: 'error', file: 'p.yaml', line: 4, column: 3, fix: { 'vllm.max-num-batched-tokens': 257 } });
  });

  it('point to what was written, also into maps, and not to what --set gave', () => {
    const text = 'model: Qwen/Qwen3-8B\nvllm:\n  spec-tokens: 4\n';
    expect(judge(text, ['vllm.max-model-len=50000']).find(({ code }) => code === 'profile/length-beyond-model')?.line).toBeUndefined();
    const inner = 'model:\n  id: Qwen/Qwen3-0.6B-AWQ\n';
    expect(judge(inner).find(({ code }) => code === 'profile/model-unpublished')?.line).toBe(2);
  });
});

describe('YaRN', () => {
  const yarn = (version: string, overrides: string, length: number) =>
    judge(
      `model: Qwen/Qwen3-0.6B\nengine: {version: "${version}"}\nvllm:\n  reasoning-parser: qwen3\n  max-model-len: ${length}\n  hf-overrides: ${overrides}\n`,
    ).map(({ code }) => code);
  const rope = 'rope_parameters: {rope_type: yarn, factor: 4.0, original_max_position_embeddings: 32768, rope_theta: 1000000}';

  // Asked of 0.29.0's, 0.30.0's and 0.32.0's own code.
  it.each([
    ['0.29.0', `{${rope}}`, 131_072, []],
    ['0.30.0', `{${rope}}`, 131_072, ['profile/length-beyond-model']],
    ['0.32.0', `{${rope}}`, 131_072, ['profile/length-beyond-model']],
    ['0.32.0', `{max_position_embeddings: 131072, ${rope}}`, 131_072, []],
    ['0.29.0', `{max_position_embeddings: 131072, ${rope}}`, 131_072, []],
    ['0.32.0', `{max_position_embeddings: 131072, ${rope}}`, 131_073, ['profile/length-beyond-model']],
    ['0.32.0', `{max_position_embeddings: 200000, ${rope}}`, 131_073, ['profile/yarn-too-short']],
    ['0.32.0', `{max_position_embeddings: 131072, ${rope}}`, 40_960, ['profile/yarn-needless']],
    ['0.32.0', '{rope_parameters: {rope_type: linear, factor: 4.0}}', 163_840, []],
    ['0.32.0', '{text_config: {max_position_embeddings: 131072}}', 131_072, []],
  ] as const)('vLLM %s, %s: %d tokens', (version, overrides, length, codes) => {
    expect(yarn(version, overrides, length)).toEqual(codes);
  });
});
