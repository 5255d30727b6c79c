import { describe, expect, it } from 'vitest';
import { DeployError } from '../../src/core/error.ts';
import { parseSets } from '../../src/profile/set.ts';

describe('parseSets', () => {
  it.each([
    ['a number', ['server.port=9000'], { server: { port: 9000 } }],
    ['a list', ['served-names=[a, b]'], { 'served-names': ['a', 'b'] }],
    ['a map', ['vllm.compilation-config={mode: 3}'], { vllm: { 'compilation-config': { mode: 3 } } }],
    ['nothing, which removes', ['vllm.dtype='], { vllm: { dtype: null } }],
    ['one key below vllm', ['vllm.compilation-config.mode=3'], { vllm: { 'compilation-config.mode': 3 } }],
    ['one key below labels', ['labels.a.b/c=x'], { labels: { 'a.b/c': 'x' } }],
    ['one key below engine.env', ['engine.env.NCCL_DEBUG=WARN'], { engine: { env: { NCCL_DEBUG: 'WARN' } } }],
    ['several that meet', ['server.port=1', 'server.host=::1', 'server.port=2'], { server: { port: 2, host: '::1' } }],
    ['an equals sign in the value', ['engine.env.A=b=c'], { engine: { env: { A: 'b=c' } } }],
    ['a version that looks like a number', ['engine.version=0.30'], { engine: { version: '0.30' } }],
    ['a version in quotes', ['engine.version="0.32.0"'], { engine: { version: '0.32.0' } }],
  ])('reads %s', (_, texts, expected) => {
    const { layer, findings } = parseSets(texts);
    expect(findings).toEqual([]);
    expect(layer?.raw).toEqual(expected);
  });

  it('remembers what was typed', () => {
    expect(parseSets(['vllm.max-num-seqs=4']).layer?.origins).toEqual({
      'vllm.max-num-seqs': { from: 'set', text: 'vllm.max-num-seqs=4' },
    });
  });

  it.each([['no-equals'], ['=1'], ['a..b=1'], ['__proto__.x=1'], ['']])('refuses %j', (text) => {
    expect(() => parseSets([text])).toThrow(DeployError);
    expect(() => parseSets([text])).toThrow('usage/bad-set');
  });

  it.each([
    ['an unknown key', 'server.prot=1', 'profile/unknown-key', 'server.prot'],
    ['a wrong value', 'server.port=many', 'profile/wrong-value', 'server.port'],
    ['no YAML', 'served-names=[a', 'profile/not-yaml', 'served-names'],
    ['a flag of ours', 'vllm.port=1', 'profile/wrong-place', 'vllm.port'],
    ['a literal key', 'server.api-key=sk-123', 'profile/secret', 'server.api-key'],
  ])('finds %s', (_, text, code, path) => {
    const { layer, findings } = parseSets([text]);
    expect(layer).toBeUndefined();
    expect(findings).toMatchObject([{ code, path, severity: 'error' }]);
    expect(JSON.stringify(findings)).not.toContain('sk-123');
  });
});
