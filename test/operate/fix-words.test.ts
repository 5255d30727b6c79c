import { expect, test } from 'vitest';
import { toFixedSets } from '../../src/operate/fix-words.ts';

test.each<[string, readonly string[], readonly object[], readonly string[]]>([
  ['comes after what was asked for', ['server.port=1'], [{ 'vllm.seed': 3 }], ['server.port=1', 'vllm.seed=3']],
  ['takes the place of the same', ['vllm.seed=1', 'vllm.dtype=half'], [{ 'vllm.seed': 3 }], ['vllm.dtype=half', 'vllm.seed=3']],
  ['and of what is added to it or stands below it', ['lora+=[a]', 'lora.a=/x'], [{ lora: null }], ['lora=null']],
  ['not of what only begins like it', ['vllm.max-num-seqs=4'], [{ 'vllm.max-num': 1 }], ['vllm.max-num-seqs=4', 'vllm.max-num=1']],
  ['wins over an earlier change', [], [{ 'vllm.seed': 3 }, { 'vllm.seed': null }], ['vllm.seed=null']],
  ['keeps text a text', [], [{ 'engine.version': '0.30' }], ['engine.version="0.30"']],
])('a change %s', (_, sets, changes, expected) => {
  expect(
    toFixedSets(
      sets,
      changes.map((set) => ({ set: { ...set } })),
    ),
  ).toEqual(expected);
});
