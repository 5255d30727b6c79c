import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createRedactor } from '../../src/core/redact.ts';
import { packBundle } from '../../src/doctor/bundle.ts';

const secret = 'pa"ss/wörd';
const redact = createRedactor({ secrets: [secret, 'true', '8000'], home: '/home/ada', hostname: 'Box-7' });

describe('taken out', () => {
  test.each([
    ['a value as it is', `key ${secret}.`, 'key [REDACTED].'],
    ['inside of JSON', JSON.stringify({ a: secret }), '{"a":"[REDACTED]"}'],
    ['inside of a URL', `http://h/?k=${encodeURIComponent(secret)}&x`, 'http://h/?k=[REDACTED]&x'],
    ['as basic authorization has it', `x ${Buffer.from(secret).toString('base64')} y`, 'x [REDACTED] y'],
    ['a header', 'Authorization: Bearer abc.def\nnext', 'Authorization: [REDACTED]\nnext'],
    ['a header in JSON', '{"authorization":"Basic dXNlcjp4","a":1}', '{"authorization":"[REDACTED]","a":1}'],
    ['a token by itself', "{'headers': 'bearer abcdef123456'}", "{'headers': 'bearer [REDACTED]'}"],
    ['user and password of a proxy', 'http://me:pw@proxy:3128/x', 'http://[REDACTED]@proxy:3128/x'],
    ['a token of the hub', `got hf_${'a1B2'.repeat(8)} ok`, 'got [REDACTED] ok'],
    ['a key of an API', `sk-${'a1B2'.repeat(8)}`, '[REDACTED]'],
    ['a variable', 'HF_TOKEN=abcdef123456 x', 'HF_TOKEN=[REDACTED] x'],
    [
      'an option',
      "vllm serve m --api-key s3cr3t --port 1 '--hf-token=abc'",
      "vllm serve m --api-key [REDACTED] --port 1 '--hf-token=[REDACTED]'",
    ],
    ['as vLLM logs its arguments', "'api_key': ['abcdefgh12']", "'api_key': ['[REDACTED]']"],
    ['a private key', '-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----', '[REDACTED]'],
    [
      'a serial number',
      '<serial>1652219</serial>\n    Serial Number      : 99\n',
      '<serial>[REDACTED]</serial>\n    Serial Number      : [REDACTED]\n',
    ],
    ['the home directory', '/home/ada/.cache and /home/ada', '~/.cache and ~'],
    ['homes of others', '/home/bob/x /home/ada2/y', '/home/USER/x /home/USER/y'],
    ['the name of the machine', 'Linux box-7 6.1 (BOX-7)', 'Linux HOST 6.1 (HOST)'],
  ])('%s', (_, text, clean) => {
    expect(redact(text)).toBe(clean);
  });

  test.each([
    'max_num_batched_tokens=2048, kv tokens: 262144',
    '"apiKey":"env:QWEN_API_KEY"',
    'api-key: file:/run/secrets/key',
    'enabled: true, port 8000',
    'eos_token_id=151645 tokenizer=Qwen/Qwen3-0.6B',
    '{"server.api-key": {"from": "profile"}, "authorization": [1]}',
    'box-70 and a-box-7b',
    'http://127.0.0.1:8000/v1',
  ])('%s stays', (text) => {
    expect(redact(text)).toBe(text);
  });

  test('a machine that is called as everything is', () => {
    expect(createRedactor({ secrets: [], home: '/', hostname: 'gpu' })('/etc gpu 0')).toBe('/etc gpu 0');
  });
});

test('a log that is one long word takes no longer than any other', () => {
  const text = 'a-'.repeat(500_000);
  const start = performance.now();
  expect(redact(text)).toBe(text);
  expect(performance.now() - start).toBeLessThan(5000);
});

test('an archive that tar reads, with a listing, each name and text redacted', async () => {
  const files = [
    { name: 'doctor.json', what: 'the report', text: JSON.stringify({ a: secret }) },
    { name: `deployments/${'d'.repeat(63)}/engine-${'0'.repeat(36)}-of-Box-7.log`, what: 'a log', text: 'x'.repeat(20_000) },
    { name: 'empty.txt', what: 'nothing', text: '' },
  ];
  const { archive, files: listed } = await packBundle(files, { directory: 'mine', now: new Date('2026-11-21T10:00:00Z'), redact });
  const directory = mkdtempSync(join(tmpdir(), 'bundle-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  writeFileSync(join(directory, 'a.tar.gz'), archive);
  execFileSync('tar', ['xzf', 'a.tar.gz'], { cwd: directory });
  const long = `deployments/${'d'.repeat(63)}/engine-${'0'.repeat(36)}-of-HOST.log`;
  expect(listed).toEqual([
    { name: 'doctor.json', what: 'the report', bytes: 18 },
    { name: long, what: 'a log', bytes: 20_000 },
    { name: 'empty.txt', what: 'nothing', bytes: 0 },
  ]);
  expect(readFileSync(join(directory, 'mine/doctor.json'), 'utf8')).toBe('{"a":"[REDACTED]"}');
  expect(statSync(join(directory, 'mine', long)).size).toBe(20_000);
  expect(readdirSync(join(directory, 'mine')).sort()).toEqual(['LISTING.txt', 'deployments', 'doctor.json', 'empty.txt']);
  const listing = readFileSync(join(directory, 'mine/LISTING.txt'), 'utf8').split('\n');
  expect(listing[0]).toMatch(/^ +18 {2}[0-9a-f]{16} {2}doctor\.json +the report$/);
  expect(listing[1]).toMatch(/^ +20000 {2}[0-9a-f]{16} {2}deployments\/d{63}\/engine-0{36}-of-HOST\.log {2}a log$/);
});
