import { describe, expect, it } from 'vitest';
import { anchorPaths } from '../../src/profile/anchor.ts';
import { mergeLayers } from '../../src/profile/inherit.ts';
import { parseProfile } from '../../src/profile/parse.ts';
import { resolveProfile } from '../../src/profile/resolve.ts';

const errorsOf = (item: string) =>
  parseProfile(`model: a\nnotify:\n  - on: [ready]\n    ${item}\n`, 'p.yaml').findings.map(({ code, path, line }) => ({
    code,
    path,
    line,
  }));

describe('a secret in a notification is refused', () => {
  it.each([
    ['a password in the address', 'webhook: https://me:pass@a.example/b', 'webhook'],
    ['a name in the address', 'webhook: https://me@a.example/b', 'webhook'],
    ['a token in the query', 'webhook: https://a.example/b?access_token=abc', 'webhook'],
    ['a signature in the query', 'webhook: https://a.example/b?sig=abc', 'webhook'],
    ['a long random part of the path', 'webhook: https://a.example/services/T01/B02/aB3dE5fG7hI9jK1lM3nO5pQ7', 'webhook'],
    ['authorization', 'webhook: env:A\n    headers: {Authorization: abc}', 'headers.Authorization'],
    ['a key', 'webhook: env:A\n    headers: {x-api-key: abc}', 'headers.x-api-key'],
    ['a cookie', 'webhook: env:A\n    headers: {cookie: abc}', 'headers.cookie'],
    ['a long key in hex', `webhook: env:A\n    headers: {x-team: ${'0abc'.repeat(10)}}`, 'headers.x-team'],
    ['a bearer by any name', 'webhook: env:A\n    headers: {x-forward: Bearer abc}', 'headers.x-forward'],
  ])('%s', (_, item, at) => {
    const found = errorsOf(item);
    expect(found).toMatchObject([{ code: 'profile/secret', path: `notify.0.${at}`, line: expect.any(Number) }]);
    expect(JSON.stringify(found)).not.toContain('abc');
  });
});

it.each(['webhook: https://a.example:8443/hooks/qwen?room=gpu-alerts', 'webhook: env:A\n    headers: {x-team: search, cookie: file:/c}'])(
  'accepts %s',
  (item) => {
    expect(errorsOf(item)).toEqual([]);
  },
);

it.each([
  ['http://a.example/b', ['profile/wrong-value']],
  ['http://localhost.example/b', ['profile/wrong-value']],
  ['http://169.254.169.254/latest', ['profile/wrong-value']],
  ['http://127.0.0.1:9000/b', []],
  ['http://[::1]/b', []],
  ['http://localhost/b', []],
])('plain http is for this machine alone: %s', (webhook, codes) => {
  expect(errorsOf(`webhook: ${webhook}`).map(({ code }) => code)).toEqual(codes);
});

it('says what is wrong where it is', () => {
  expect(errorsOf('command: [a]\n    timout: 3s')).toMatchObject([{ code: 'profile/unknown-key', path: 'notify.0.timout', line: 5 }]);
  expect(errorsOf('webhook: env:A\n    headers: {"a b": c}')).toMatchObject([
    { code: 'profile/wrong-value', path: 'notify.0.headers.a b' },
  ]);
});

it('resolves: files and programs from where they are written, a time limit where none is', () => {
  const text =
    'model: a\nnotify: [{on: [ready], command: [./tell.sh, ./as-it-is]}, {on: [failed], webhook: file:./hook, headers: {authorization: file:~/key, x-a: b}, timeout: 2s}]';
  const { layer } = parseProfile(text, 'p.yaml');
  if (layer === undefined) throw new Error('broken');
  const raw = anchorPaths(layer.raw, { base: '/profiles', home: '/home/me' });
  const resolved = resolveProfile(mergeLayers([{ ...layer, raw }]), { name: 'p', source: 'p.yaml' });
  expect('profile' in resolved && resolved.profile.notify).toEqual([
    { on: ['ready'], command: ['/profiles/tell.sh', './as-it-is'], timeoutMs: 10_000 },
    { on: ['failed'], webhook: 'file:/profiles/hook', headers: { authorization: 'file:/home/me/key', 'x-a': 'b' }, timeoutMs: 2000 },
  ]);
});
