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
    ['not YAML', 'model: [a', ['p.yaml:1:8 profile/not-yaml']],
    ['a tab as indentation', 'vllm:\n\tmax-num-seqs: 1\n', ['p.yaml:2:1 profile/tab']],
    ['empty', '', ['p.yaml:1:1 profile/empty']],
    ['only comments', '# nothing\n', ['p.yaml:1:1 profile/empty']],
    ['a list', '- model: a\n', ['p.yaml:1:1 profile/not-a-map']],
    ['a single value', 'Qwen/Qwen3-0.6B', ['p.yaml:1:1 profile/not-a-map']],
    ['a duplicate key', 'model: a\nvllm: {}\nmodel: b\n', ['p.yaml:3:1 profile/duplicate-key model']],
    ['two documents', 'model: a\n---\nmodel: b\n', ['p.yaml:2:1 profile/several-documents']],
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
      ['p.yaml:2:34 profile/wrong-place vllm.default-chat-template-kwargs.enable_thinking'],
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

  it.each([
    ['a misspelled key', 'server: {prot: 1}', { 'server.port': 1, 'server.prot': null }],
    ['another spelling of a key', 'servedNames: [a]', { 'served-names': ['a'], servedNames: null }],
    ['a key of another block', 'port: 9000', { 'server.port': 9000, port: null }],
    ['a key of the top', 'server: {model: a}', { model: 'a', 'server.model': null }],
    ['a flag of ours', 'vllm: {port: 9000}', { 'server.port': 9000, 'vllm.port': null }],
    ['one name where a list is wanted', 'vllm: {served-model-name: a}', { 'served-names': ['a'], 'vllm.served-model-name': null }],
    ['seconds', 'vllm: {shutdown-timeout: 5}', { 'stop.drain': '5s', 'vllm.shutdown-timeout': null }],
    [
      'thinking',
      'vllm: {default-chat-template-kwargs: {enable_thinking: false}}',
      { thinking: 'off', 'vllm.default-chat-template-kwargs': { enable_thinking: null } },
    ],
    [
      'dotted thinking',
      'vllm: {default-chat-template-kwargs.enable_thinking: true}',
      { thinking: 'on', 'vllm.default-chat-template-kwargs.enable_thinking': null },
    ],
    ['underscores', 'vllm: {max_model_len: 1}', { 'vllm.max-model-len': 1, 'vllm.max_model_len': null }],
    ['a negative name', 'vllm: {no-enforce-eager: true}', { 'vllm.enforce-eager': false, 'vllm.no-enforce-eager': null }],
    ['a number in quotes', 'server: {port: "80"}', { 'server.port': 80 }],
    ['a number with a line in it', 'server: {port: 8_000}', { 'server.port': 8000 }],
    ['a version without quotes', 'engine: {version: 0.30}', { 'engine.version': '0.30' }],
    ['a number where text is wanted', 'labels: {a: 1.10}', { 'labels.a': '1.10' }],
    ['zeros where text is wanted', 'labels: {a: 007}', { 'labels.a': '007' }],
    ['a word for a switch', 'health: {chat: off}', { 'health.chat': false }],
    ['a word for thinking', 'thinking: yes', { thinking: 'on' }],
    ['a misspelled choice', 'engine: {backend: proces}', { 'engine.backend': 'process' }],
    ['capitals', 'thinking: OFF', { thinking: 'off' }],
    ['a single name', 'served-names: a', { 'served-names': ['a'] }],
    ['a wrong part of a list', 'served-names: [a, 2]', { 'served-names': ['a', '2'] }],
    ['a map with dashes', 'server:\n  - port: 1\n  - host: a\n', { server: { port: 1, host: 'a' } }],
    ['a number that is too large', 'vllm: {seed: 12345678901234567890}', { 'vllm.seed': '12345678901234567890' }],
    [
      'a reference in the wrong place',
      'engine: {env: {VLLM_API_KEY: env:K}}',
      { 'server.api-key': 'env:K', 'engine.env.VLLM_API_KEY': null },
    ],
  ])('tells the cure of %s', (_, text, fix) => {
    expect(parseProfile(text, file).findings.map((finding) => finding.fix)).toEqual([fix]);
  });

  it.each([
    ['what may be several things', 'stop: {dran: 1}'],
    ['a number without its unit', 'stop: {drain: 30}'],
    ['what would be wrong there too', 'port: many'],
    ['what stands there already', 'server: {port: 1, prot: 2}'],
    ['a number that readers take for different ones', 'server: {port: 010}'],
    ['a name that cannot be set', 'server: {"po rt": 1}'],
  ])('tells no cure of %s', (_, text) => {
    expect(parseProfile(text, file).findings.map((finding) => finding.fix)).toEqual([undefined]);
  });

  it.each([
    'server: {api-key: t0psecret}',
    'server: {api-key: [t0psecret]}',
    'server: {api-key: {a: t0psecret}}',
    'server: {api-key: *t0psecret}',
    'server: {api-key: !t0psecret x}',
    'server: {api_key: t0psecret}',
    'api-key: t0psecret',
    'vllm: {api-key: t0psecret}',
    'vllm: {api_key: t0psecret}',
    'vllm: {hf-token: t0psecret}',
    'engine: {env: {MY_TOKEN: t0psecret}}',
    'engine: {env: {OPENAI_API_KEY: [t0psecret]}}',
    'engine: {env: {VLLM_API_KEY: t0psecret}}',
    'description: uses sk-t0psecret-AbCdEf123456',
    'served-names: [hf_t0psecretAbCdEf123456]',
    'server: {port: hf_t0psecretAbCdEf123456}',
    'vllm: {max-num-seqs: hf_t0psecretAbCdEf123456}',
    'x-mine: {a: hf_t0psecretAbCdEf123456}',
    'labels: {hf_t0psecretAbCdEf123456: a}',
    'engine: {env: {A: hf_t0psecretAbCdEf123456}}',
  ])('refuses a secret and does not repeat it: %s', (text) => {
    const { findings: found, layer } = parseProfile(text, file);
    expect(found.length).toBeGreaterThan(0);
    expect(layer).toBeUndefined();
    expect(JSON.stringify(found)).not.toContain('t0psecret');
  });

  it('takes 40 and more digits in hex for a key among variables, and elsewhere for what they are, such as a commit', () => {
    const hex = '0123456789abcdef'.repeat(3).slice(0, 40);
    expect(parseProfile(`engine: {env: {A: "${hex}"}}`, file).findings).toMatchObject([{ code: 'profile/secret', path: 'engine.env.A' }]);
    expect(findings(`engine: {env: {A: "${hex.slice(1)}"}}\nmodel: {id: a/b, revision: "${hex}"}`)).toEqual([]);
  });

  it('refuses a duration that is longer than 24 days', () => {
    expect(parseProfile('health: {interval: 24d}', file).findings).toEqual([]);
    expect(parseProfile('health: {interval: 25d}', file).findings).toMatchObject([{ severity: 'error', path: 'health.interval' }]);
  });

  it('takes no word for a secret that only begins like one', () => {
    const text = 'description: hf_overrides and sk-learn of the task-force\nvllm: {hf-overrides: {a: 1}}\n';
    expect(findings(text)).toEqual([]);
  });

  it('understands off, false and "off" as the same', () => {
    const values = ['off', 'false', '"off"'].map((word) => parseProfile(`thinking: ${word}`, file).layer?.raw.thinking);
    expect(values).toEqual(['off', false, 'off']);
  });

  it('honours anchors, merge keys and x- keys, at the top and in blocks of ours', () => {
    const text = 'x-base: &base {port: 9000, x-note: kept out}\nserver:\n  <<: *base\n  x-why: a reason\n  host: 0.0.0.0\n';
    expect(parseProfile(text, file).layer?.raw).toEqual({ server: { port: 9000, host: '0.0.0.0' } });
    const settings = 'x-base: &base {seed: 1, max-num-seqs: 2}\nvllm:\n  <<: [*base, {stream-interval: 3}]\n  seed: 4\n';
    expect(parseProfile(settings, file).layer?.raw).toEqual({ vllm: { seed: 4, 'max-num-seqs': 2, 'stream-interval': 3 } });
  });

  it('leaves names alone where names are free', () => {
    const { layer } = parseProfile('vllm: {x-y: 1}\nlabels: {x-a: b}\nengine: {env: {x_a: c}}\n', file);
    expect(layer?.raw).toEqual({ vllm: { 'x-y': 1 }, labels: { 'x-a': 'b' }, engine: { env: { x_a: 'c' } } });
  });

  it('points to the text of the anchor when that is wrong', () => {
    expect(findings('x-base: &base\n  port: 99999\nserver:\n  <<: *base\n')).toEqual(['p.yaml:2:9 profile/wrong-value server.port']);
    expect(findings('x-port: &port 99999\nserver:\n  port: *port\n')).toEqual(['p.yaml:1:15 profile/wrong-value server.port']);
    const { layer } = parseProfile('x-base: &base\n  host: ::1\nserver:\n  <<: *base\n', file);
    expect(layer?.origins['server.host']).toEqual({ from: 'profile', file, line: 2, column: 3 });
  });

  it.each([
    ['an octal one', 'replicas: 0o10\n', { replicas: 8 }],
    ['a hexadecimal one', 'replicas: 0x10\n', { replicas: 16 }],
    ['one with an exponent', 'replicas: 1e1\n', { replicas: 10 }],
    ['a date, which is text', 'model: {id: a, revision: 2024-01-01}\n', { model: { id: 'a', revision: '2024-01-01' } }],
    ['text that looks like a number of minutes', 'labels: {a: 1:30}\n', { labels: { a: '1:30' } }],
    ['yes, which is text', 'labels: {a: yes, b: no, c: on, d: off}\n', { labels: { a: 'yes', b: 'no', c: 'on', d: 'off' } }],
    ['what a tag makes text', 'engine: {version: !!str 0.30}\n', { engine: { version: '0.30' } }],
    ['a byte order mark', '\uFEFFmodel: a\n', { model: 'a' }],
    ['Windows line ends', 'model: a\r\nserver:\r\n  port: 1\r\n', { model: 'a', server: { port: 1 } }],
    ['the ends of a document', '---\nmodel: a\n...\n', { model: 'a' }],
    ['the directive of its version', '%YAML 1.2\n---\nmodel: a\n', { model: 'a' }],
    ['64 levels', `fallback: [{vllm: ${'['.repeat(61)}${']'.repeat(61)}}]\n`, expect.anything()],
    ['what it may stand for by aliases', 'x-a: &a [b, c]\nserved-names: *a\n', { 'served-names': ['b', 'c'] }],
  ])('understands %s', (_, text, expected) => {
    const { layer, findings: found } = parseProfile(text, file);
    expect(found).toEqual([]);
    expect(layer?.raw).toEqual(expected);
  });

  it('keeps lists that add to others apart from those that replace them', () => {
    const text =
      'served-names+: [a]\nresources: {gpus+: [1]}\nvllm: {middleware+: [m], compilation-config.custom_ops+: [x]}\nlabels: {a+: b}\n';
    const { layer } = parseProfile(text, file);
    expect(layer?.raw).toEqual({
      'served-names': ['a'],
      resources: { gpus: [1] },
      vllm: { middleware: ['m'], 'compilation-config.custom_ops+': ['x'] },
      labels: { 'a+': 'b' },
    });
    expect([...(layer?.appends ?? [])]).toEqual(['served-names', 'resources.gpus', 'vllm.middleware']);
  });

  it('M1 M9 refuses an alias bomb, endless nesting and a huge text', () => {
    const levels = Array.from({ length: 12 }, (_, level) => `x-${level + 1}: &l${level + 1} [${Array(10).fill(`*l${level}`).join(', ')}]`);
    expect(findings(`x-0: &l0 [a]\n${levels.join('\n')}\nlabels: *l12\n`)).toEqual(['p.yaml:5:26 profile/too-large']);
    expect(findings('['.repeat(50_000))).toEqual(['p.yaml:1:67 profile/too-deep']);
    expect(findings(`description: ${'a'.repeat(2 ** 20)}`)).toEqual(['p.yaml:1:1 profile/too-large']);
    expect(findings(`description: ${'a'.repeat(70_000)}`)).toEqual(['p.yaml:1:14 profile/too-large description']);
  });

  it('M2 is not fooled by __proto__', () => {
    expect(findings('__proto__: {model: a}\n')).toEqual(['p.yaml:1:1 profile/unknown-key __proto__']);
    expect(findings('vllm: {__proto__: 1, constructor: 2}\nlabels: {toString: a}\n')).toEqual([
      'p.yaml:1:8 profile/unknown-key vllm.__proto__',
      'p.yaml:1:22 profile/unknown-key vllm.constructor',
      'p.yaml:2:10 profile/unknown-key labels.toString',
    ]);
    expect(({} as { readonly model?: string }).model).toBeUndefined();
  });
});
