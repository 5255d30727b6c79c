import { describe, expect, it } from 'vitest';
import type { Finding } from '../../src/core/finding.ts';
import { parseProfile } from '../../src/profile/parse.ts';
import { toText } from '../../src/text/render.ts';

const file = 'p.yaml';

function findings(text: string): readonly string[] {
  return parseProfile(text, file).findings.map(toLine);
}

function toLine({ file, line, column, code, path }: Finding): string {
  return `${file}:${line}:${column} ${code}${path === undefined ? '' : ` ${path}`}`;
}

function toWords(text: string): string {
  return parseProfile(text, file)
    .findings.map(({ message, hint }) => [message, hint].flatMap((part) => (part ? [toText(part)] : [])).join(' '))
    .join('\n');
}

describe('parseProfile', () => {
  it('reads a profile and remembers the line of every value', () => {
    const { layer, findings } = parseProfile('model: Qwen/Qwen3-0.6B\nvllm:\n  max-model-len: 8192\nserved-names:\n  - a\n', file);
    expect(findings).toEqual([]);
    expect(layer?.raw).toEqual({ model: 'Qwen/Qwen3-0.6B', vllm: { 'max-model-len': 8192 }, 'served-names': ['a'] });
    expect(layer?.origins).toEqual({
      model: { from: 'profile', file, line: 1, column: 1 },
      'vllm.max-model-len': { from: 'profile', file, line: 3, column: 3 },
      'served-names': { from: 'profile', file, line: 4, column: 1 },
    });
  });

  it.each([
    ['not YAML', 'model: [a', ['p.yaml:1:10 profile/not-yaml']],
    ['a tab as indentation', 'vllm:\n\tmax-num-seqs: 1\n', ['p.yaml:2:1 profile/not-yaml']],
    ['empty', '', ['p.yaml:1:1 profile/empty']],
    ['only comments', '# nothing\n', ['p.yaml:1:1 profile/empty']],
    ['a list', '- model: a\n', ['p.yaml:1:1 profile/not-a-map']],
    ['a single value', 'Qwen/Qwen3-0.6B', ['p.yaml:1:1 profile/not-a-map']],
    ['a duplicate key', 'model: a\nvllm: {}\nmodel: b\n', ['p.yaml:3:1 profile/duplicate-key']],
    ['two documents', 'model: a\n---\nmodel: b\n', ['p.yaml:2:1 profile/not-yaml']],
    ['an unknown key', 'model: a\nserver:\n  prot: 1\n', ['p.yaml:3:3 profile/unknown-key server.prot']],
    ['an unknown key in model', 'model: {id: a, ref: b}\n', ['p.yaml:1:16 profile/unknown-key model.ref']],
    ['a wrong value', 'model: a\nserver:\n  port: "80"\n', ['p.yaml:3:9 profile/wrong-value server.port']],
    ['a wrong item', 'served-names: [a, 2]\n', ['p.yaml:1:19 profile/wrong-value served-names.1']],
    ['a duration without unit', 'stop: {drain: 30}\n', ['p.yaml:1:15 profile/wrong-value stop.drain']],
    ['a version that became a number', 'engine:\n  version: 0.30\n', ['p.yaml:2:12 profile/wrong-value engine.version']],
    ['a literal key', 'server:\n  api-key: sk-123\n', ['p.yaml:2:12 profile/secret server.api-key']],
    ['a literal token', 'engine:\n  env:\n    HF_TOKEN: hf_abc\n', ['p.yaml:3:15 profile/secret engine.env.HF_TOKEN']],
    ['ours below vllm', 'vllm:\n  port: 9000\n', ['p.yaml:2:3 profile/wrong-place vllm.port']],
    [
      'thinking below vllm',
      'vllm:\n  default-chat-template-kwargs: {enable_thinking: false}\n',
      ['p.yaml:2:33 profile/wrong-place vllm.default-chat-template-kwargs'],
    ],
    ['underscores', 'vllm: {max_model_len: 1}\n', ['p.yaml:1:8 profile/spelling vllm.max_model_len']],
    ['dashes in front', 'vllm: {--dtype: half}\n', ['p.yaml:1:8 profile/spelling vllm.--dtype']],
    ['a negative name', 'vllm: {no-enforce-eager: true}\n', ['p.yaml:1:8 profile/spelling vllm.no-enforce-eager']],
    ['no number', 'vllm: {max-num-seqs: .nan}\n', ['p.yaml:1:22 profile/wrong-value vllm.max-num-seqs']],
    ['the port of vLLM itself', 'engine: {env: {VLLM_PORT: "1"}}\n', ['p.yaml:1:16 profile/reserved-variable engine.env.VLLM_PORT']],
    [
      'a switch that slows every start',
      'engine: {env: {PYTHONDONTWRITEBYTECODE: "1"}}\n',
      ['p.yaml:1:16 profile/reserved-variable engine.env.PYTHONDONTWRITEBYTECODE'],
    ],
    [
      'all problems at once, in the order of the file',
      'modle: a\nstop: {drain: x}\nvllm: {port: 1}\n',
      ['p.yaml:1:1 profile/unknown-key modle', 'p.yaml:2:15 profile/wrong-value stop.drain', 'p.yaml:3:8 profile/wrong-place vllm.port'],
    ],
  ])('names the place of %s', (_, text, expected) => {
    expect(findings(text)).toEqual(expected);
    expect(parseProfile(text, file).layer).toBeUndefined();
  });

  it.each([
    ['the nearest key', 'server: {prot: 1}', 'Did you mean server.port?'],
    ['the right place of a key of another block', 'port: 9000', 'It belongs in server.port.'],
    ['the right place of a flag of ours', 'vllm: {served-model-name: [a]}', 'It belongs in served-names.'],
    ['the block for flags', 'tensor-parallel-size: 2', 'write it below vllm: as tensor-parallel-size'],
    ['the spelling', 'vllm: {max_model_len: 1}', 'max-model-len'],
    ['the form of a secret', 'server: {api-key: sk-123}', 'env:NAME'],
    ['the quotes of a version', 'engine: {version: 0.30}', '"0.32.0"'],
  ])('says %s', (_, text, words) => {
    expect(toWords(text)).toContain(words);
  });

  it('never repeats a secret', () => {
    expect(JSON.stringify(parseProfile('server: {api-key: sk-123}\nengine: {env: {MY_TOKEN: t0psecret}}', file).findings)).not.toMatch(
      /sk-123|t0psecret/,
    );
    expect(JSON.stringify(parseProfile('server: {api-key: [sk-123]}', file).findings)).not.toContain('sk-123');
  });

  it('understands off, false and "off" as the same', () => {
    const values = ['off', 'false', '"off"'].map((word) => parseProfile(`thinking: ${word}`, file).layer?.raw.thinking);
    expect(values).toEqual(['off', false, 'off']);
  });

  it('honours anchors, merge keys and x- keys, and gives what came through them the place of the parent', () => {
    const text = 'x-base: &base {port: 9000}\nserver:\n  <<: *base\n  host: 0.0.0.0\n';
    expect(parseProfile(text, file).layer?.raw.server).toEqual({ port: 9000, host: '0.0.0.0' });
  });

  it('refuses an alias bomb, endless nesting and a huge text', () => {
    const levels = Array.from({ length: 12 }, (_, level) => `x-${level + 1}: &l${level + 1} [${Array(10).fill(`*l${level}`).join(', ')}]`);
    expect(findings(`x-0: &l0 [a]\n${levels.join('\n')}\nlabels: *l12\n`)).toEqual(['p.yaml:1:1 profile/not-yaml']);
    expect(parseProfile('['.repeat(50_000), file).findings.map(({ code }) => code)).toEqual(Array(5).fill('profile/not-yaml'));
    expect(findings(`description: ${'a'.repeat(1_000_001)}`)).toEqual(['p.yaml:1:1 profile/too-large']);
  });

  it('is not fooled by __proto__', () => {
    expect(findings('__proto__: {model: a}\n')).toEqual(['p.yaml:1:1 profile/unknown-key __proto__']);
    expect(findings('vllm: {__proto__: 1}\n')).toHaveLength(1);
    expect(({} as { readonly model?: string }).model).toBeUndefined();
  });
});
