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
    ['a list that adds', ['served-names+=[a]'], { 'served-names': ['a'] }],
    ['lists that add to each other', ['served-names=[a]', 'served-names+=[b]', 'served-names+=[c]'], { 'served-names': ['a', 'b', 'c'] }],
    ["vLLM's own way to add", ['vllm.compilation-config.custom_ops+=[a]'], { vllm: { 'compilation-config.custom_ops+': ['a'] } }],
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

  it.each([
    ['no-equals'],
    ['=1'],
    ['='],
    [''],
    ['a..b=1'],
    ['.a=1'],
    ['a.=1'],
    ['__proto__.x=1'],
    ['labels.__proto__=x'],
    ['a\u0000b=1'],
    [`${'a.'.repeat(400)}b=1`],
  ])('refuses %j', (text) => {
    expect(() => parseSets([text])).toThrow(DeployError);
    expect(() => parseSets([text])).toThrow('usage/bad-set');
  });

  it.each([
    ['an unknown key', 'server.prot=1', 'profile/unknown-key', 'server.prot'],
    ['a wrong value', 'server.port=many', 'profile/wrong-value', 'server.port'],
    ['a map that is none', 'vllm=3', 'profile/wrong-value', 'vllm'],
    ['a part of a list', 'served-names.0=a', 'profile/wrong-value', 'served-names.0'],
    ['a part of a list in brackets', 'served-names[0]=a', 'profile/wrong-value', 'served-names[0]'],
    ['a part of the GPUs', 'resources.gpus.0=1', 'profile/wrong-value', 'resources.gpus.0'],
    ['what adds and is no list', 'served-names+=a', 'profile/append', 'served-names+'],
    ['what adds where no list is', 'description+=[a]', 'profile/wrong-value', 'description'],
    ['a file to read', 'extends=tiny', 'profile/wrong-place', 'extends'],
    ['several documents', 'server.port=1\n---\n2', 'profile/several-documents', 'server.port'],
    ['a tag', 'server.port=!include x', 'profile/tag', 'server.port'],
    ['an alias', 'server.port=*x', 'profile/not-yaml', 'server.port'],
    ['zeros in front', 'server.port=080', 'profile/leading-zero', 'server.port'],
    ['a name of every object', 'constructor.x=1', 'profile/unknown-key', 'constructor'],
    ['too much', `labels.a=${'a'.repeat(200_000)}`, 'profile/too-large', 'labels.a'],
    ['too deep', `fallback=${'['.repeat(9000)}`, 'profile/too-deep', 'fallback'],
    ['broken YAML in the place of a secret', 'server.api-key="sk-123', 'profile/secret', 'server.api-key'],
    ['an alias in the place of a secret', 'server.api-key=*sk-123', 'profile/not-yaml', 'server.api-key'],
    ['a tag in the place of a secret', 'server.api-key=!sk-123 x', 'profile/tag', 'server.api-key'],
    ['a token', 'engine.env.A=hf_abcdefghijklmnopqrstuv-sk-123', 'profile/secret', 'engine.env.A'],
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
