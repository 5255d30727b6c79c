import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toInstallEnvironment } from '../../src/engine/environment.ts';
import { hidePasswords, parsePipConfig, readSources, toSources } from '../../src/engine/sources.ts';
import { createFakeMachine, type FakeMachine } from './fake-machine.ts';

describe('pip.conf', () => {
  it('is read as pip reads it', () => {
    const text = [
      '# comment',
      '[global]',
      'index-url = https://mirror.invalid/simple',
      'extra_index_url = https://one.invalid/simple',
      '    https://two.invalid/simple',
      'Trusted-Host: mirror.invalid',
      '; comment',
      '[install]',
      'find-links=/srv/wheels',
      'index-url = https://wins.invalid/simple',
      '[freeze]',
      'timeout = 10',
    ].join('\n');
    expect(parsePipConfig(text)).toEqual({
      'index-url': 'https://wins.invalid/simple',
      'extra-index-url': 'https://one.invalid/simple https://two.invalid/simple',
      'trusted-host': 'mirror.invalid',
      'find-links': '/srv/wheels',
    });
  });

  it('may be anything', () => {
    expect(parsePipConfig('')).toEqual({});
    expect(parsePipConfig('{"not": "ini"}\n  indented\n[global\nindex-url')).toEqual({});
  });
});

describe('what pip was told, for uv', () => {
  const facts = { uvHasSources: false, isThere: (path: string) => path === '/srv/wheels' };
  it.each([
    ['nothing', {}, {}, {}],
    ['a mirror', { 'index-url': 'https://m.invalid/simple' }, {}, { UV_DEFAULT_INDEX: 'https://m.invalid/simple' }],
    ['a mirror, but uv has its own', { 'index-url': 'https://m.invalid/simple' }, { UV_DEFAULT_INDEX: 'https://u.invalid' }, {}],
    [
      'more indexes: the best version of all, as with pip',
      { 'extra-index-url': 'https://a.invalid  https://b.invalid' },
      {},
      { UV_INDEX: 'https://a.invalid https://b.invalid', UV_INDEX_STRATEGY: 'unsafe-best-match' },
    ],
    ['directories of wheels; a missing one would stop uv', { 'find-links': '/srv/wheels /gone' }, {}, { UV_FIND_LINKS: '/srv/wheels' }],
    ['only a missing directory', { 'find-links': '/gone' }, {}, {}],
    ['a page of links', { 'find-links': 'https://l.invalid/w.html' }, {}, { UV_FIND_LINKS: 'https://l.invalid/w.html' }],
    ['a certificate', { cert: '/etc/ca.pem' }, {}, { SSL_CERT_FILE: '/etc/ca.pem' }],
    ['a certificate that is set already', { cert: '/etc/ca.pem' }, { SSL_CERT_FILE: '/x' }, {}],
    ['trusted hosts', { 'trusted-host': 'a b' }, {}, { UV_INSECURE_HOST: 'a b' }],
    ['a proxy', { proxy: 'http://p:3128' }, {}, { HTTPS_PROXY: 'http://p:3128', HTTP_PROXY: 'http://p:3128' }],
    ['a proxy that is set already', { proxy: 'http://p:3128' }, { https_proxy: 'http://q' }, {}],
  ])('%s', (_, pip, env, expected) => {
    expect(toSources(pip, env, facts).uv.env).toEqual(expected);
  });

  it('switches the index off by argument, for which uv has no variable', () => {
    const sources = toSources({ 'no-index': 'true', 'find-links': '/srv/wheels' }, {}, facts);
    expect(sources.uv.args).toEqual(['--no-index']);
    expect(sources.names).toEqual(['/srv/wheels']);
    expect(toSources({ 'no-index': '0' }, {}, facts).uv.args).toEqual([]);
  });

  it('leaves the indexes of uv.toml alone', () => {
    const sources = toSources({ 'index-url': 'https://m.invalid', cert: '/ca.pem' }, {}, { ...facts, uvHasSources: true });
    expect(sources.uv.env).toEqual({ SSL_CERT_FILE: '/ca.pem' });
  });
});

it('tells pip what uv was told', () => {
  const env = {
    UV_DEFAULT_INDEX: 'mine=https://u.invalid/simple',
    UV_INDEX: 'https://x.invalid https://y.invalid',
    UV_FIND_LINKS: '/a,/b',
  };
  expect(toSources({}, env, { uvHasSources: false, isThere: () => true })).toMatchObject({
    pip: {
      env: {
        PIP_INDEX_URL: 'https://u.invalid/simple',
        PIP_EXTRA_INDEX_URL: 'https://x.invalid https://y.invalid',
        PIP_FIND_LINKS: '/a /b',
      },
    },
    names: ['https://u.invalid/simple', 'https://x.invalid', 'https://y.invalid', '/a', '/b'],
  });
});

it('hides passwords anywhere in a text', () => {
  expect(hidePasswords('see https://me:pw@h/simple and http://tok@i/ and a@b.c')).toBe(
    'see https://***@h/simple and http://***@i/ and a@b.c',
  );
});

describe('readSources', () => {
  let machine: FakeMachine;
  beforeEach(async () => {
    machine = await createFakeMachine([]);
  });
  afterEach(() => machine.dispose());

  it('reads the files of pip and uv; variables win over files', async () => {
    const { root } = machine;
    await mkdir(join(root, '.config/pip'), { recursive: true });
    await writeFile(join(root, '.config/pip/pip.conf'), '[global]\nindex-url = https://file.invalid\ncert = /file.pem\n');
    const env = { ...machine.env, PIP_CONFIG_FILE: undefined, PIP_CERT: '/variable.pem' };
    expect((await readSources(env)).uv.env).toEqual({ UV_DEFAULT_INDEX: 'https://file.invalid', SSL_CERT_FILE: '/variable.pem' });
    expect((await readSources({ ...env, PIP_CONFIG_FILE: '/dev/null' })).uv.env).toEqual({ SSL_CERT_FILE: '/variable.pem' });
    await mkdir(join(root, '.config/uv'));
    await writeFile(join(root, '.config/uv/uv.toml'), '[[index]]\nurl = "https://uv.invalid"\ndefault = true\n');
    expect((await readSources(env)).uv.env).toEqual({ SSL_CERT_FILE: '/variable.pem' });
  });
});

it('keeps strays of other environments away from installers', () => {
  const strays = { PYTHONPATH: '/x', VIRTUAL_ENV: '/v', PYTHONDONTWRITEBYTECODE: '1', PIP_TARGET: '/t', UV_TORCH_BACKEND: 'cu128' };
  const kept = toInstallEnvironment({ ...strays, HTTPS_PROXY: 'http://p', PIP_INDEX_URL: 'https://m', PIP_USER: '1' });
  expect(kept).toMatchObject({ HTTPS_PROXY: 'http://p', PIP_INDEX_URL: 'https://m', PIP_USER: '0' });
  expect(Object.keys(kept).filter((name) => name in strays)).toEqual([]);
});
