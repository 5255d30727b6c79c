import { describe, expect, it } from 'vitest';
import { mergeLayers } from '../../src/profile/inherit.ts';
import type { Layer } from '../../src/profile/layer.ts';
import { parseProfile } from '../../src/profile/parse.ts';

function toLayer(file: string, text: string): Layer {
  const { layer, findings } = parseProfile(text, file);
  if (layer === undefined) throw new Error(JSON.stringify(findings));
  return layer;
}

const merge = (...texts: readonly string[]) => mergeLayers(texts.map((text, index) => toLayer(`${index}.yaml`, text)));

describe('mergeLayers', () => {
  it.each([
    ['maps merge', ['vllm: {a: 1, b: 2}', 'vllm: {b: 3}'], { vllm: { a: 1, b: 3 } }],
    ['maps below vllm merge too', ['vllm: {cc: {x: 1}}', 'vllm: {cc: {y: 2}}'], { vllm: { cc: { x: 1, y: 2 } } }],
    ['lists replace', ['served-names: [a, b]', 'served-names: [c]'], { 'served-names': ['c'] }],
    ['null removes a value', ['vllm: {a: 1, b: 2}', 'vllm: {a: null}'], { vllm: { b: 2 } }],
    ['null removes a block', ['vllm: {a: 1}\nthinking: off', 'vllm: null'], { thinking: 'off' }],
    ['null of what is not there is nothing', ['thinking: off', 'stop: {drain: null}'], { thinking: 'off', stop: {} }],
    ['an id replaces a whole model', ['model: {id: a, revision: r}', 'model: b'], { model: 'b' }],
    ['a revision joins an id', ['model: a', 'model: {revision: r}'], { model: { id: 'a', revision: 'r' } }],
    ['a map replaces a plain value', ['vllm: {x: auto}', 'vllm: {x: {y: 1}}'], { vllm: { x: { y: 1 } } }],
    ['lists that are written with + add', ['served-names: [a, b]', 'served-names+: [c]'], { 'served-names': ['a', 'b', 'c'] }],
    ['what adds to nothing is all there is', ['thinking: on', 'served-names+: [c]'], { thinking: 'on', 'served-names': ['c'] }],
    ['GPUs add', ['resources: {gpus: [0]}', 'resources: {gpus+: [2, 3]}'], { resources: { gpus: [0, 2, 3] } }],
    ['fallbacks add', ['fallback: [{a: 1}]', 'fallback+: [{b: 2}]'], { fallback: [{ a: 1 }, { b: 2 }] }],
    ['lists of vLLM add', ['vllm: {middleware: [a]}', 'vllm: {middleware+: [b]}'], { vllm: { middleware: ['a', 'b'] } }],
    ['lists inside of them add', ['vllm: {cc: {ops: [a]}}', 'vllm: {cc: {ops+: [b]}}'], { vllm: { cc: { ops: ['a', 'b'] } } }],
    ['each + adds', ['served-names: [a]', 'served-names+: [b]', 'served-names+: [c]'], { 'served-names': ['a', 'b', 'c'] }],
    ['a list after a + replaces', ['served-names: [a]', 'served-names+: [b]', 'served-names: [c]'], { 'served-names': ['c'] }],
    ['null before a + begins anew', ['served-names: [a]', 'served-names: null', 'served-names+: [b]'], { 'served-names': ['b'] }],
    ['extends does not come along', ['extends: x', 'thinking: on'], { thinking: 'on' }],
  ])('%s', (_, texts, expected) => {
    expect(merge(...texts).raw).toEqual(expected);
  });

  it('keeps for each value the file and line that it came from, and forgets what was replaced', () => {
    const { origins } = merge('vllm:\n  a: 1\n  b: 2\nmodel: {id: x, revision: r}\n', 'vllm:\n\n  b: 3\nmodel: y\n');
    expect(origins).toEqual({
      'vllm.a': { from: 'profile', file: '0.yaml', line: 2, column: 3 },
      'vllm.b': { from: 'profile', file: '1.yaml', line: 3, column: 3 },
      model: { from: 'profile', file: '1.yaml', line: 4, column: 1 },
    });
  });

  it('forgets the origin of what null removed', () => {
    expect(merge('stop: {drain: 3s}\nthinking: on', 'stop: null').origins).toEqual({
      thinking: { from: 'profile', file: '0.yaml', line: 2, column: 1 },
    });
  });

  it('keeps all origins of a list that was added to', () => {
    const { origins } = merge('served-names: [a]', '\nserved-names+: [b]', '\n\nserved-names+: [c]');
    const at = (file: string, line: number) => ({ from: 'profile', file, line, column: 1 });
    expect(origins['served-names']).toEqual({ ...at('2.yaml', 3), onto: [at('0.yaml', 1), at('1.yaml', 2)] });
  });

  it('finds what a list cannot be added to', () => {
    const { raw, findings } = merge('resources: {gpus: auto}\nvllm: {a: 1}', 'resources: {gpus+: [1]}\nvllm: {a+: [2]}');
    expect(raw).toEqual({ resources: { gpus: 'auto' }, vllm: { a: 1 } });
    expect(findings).toMatchObject([
      { code: 'profile/append', severity: 'error', path: 'vllm.a+', file: '1.yaml', line: 2, column: 8 },
      { code: 'profile/append', severity: 'error', path: 'resources.gpus+', file: '1.yaml', line: 1, column: 13 },
    ]);
  });
});
