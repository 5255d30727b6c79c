import { expect, test } from 'vitest';
import { toRunningWith } from '../../src/supervisor/fixes.ts';
import type { Fix } from '../../src/supervisor/state.ts';

function toFix(cause: string, ...changes: Fix['changes'][number][]): Fix {
  return { set: {}, cause, at: '2026-11-21T10:00:00Z', changes };
}

const path = 'vllm.max-model-len';

test('nothing is said where nothing was changed, or all of it was taken back', () => {
  expect(toRunningWith({})).toEqual({});
  expect(toRunningWith({ fixes: [toFix('a', { path, from: '1', to: '2' }), toFix('b', { path, from: '2', to: '1' })] })).toEqual({});
});

test('a setting that was changed twice went from its first value to its last', () => {
  const fixes = [toFix('a', { path, from: '4', to: '2' }, { path: 'vllm.seed', from: '3' }), toFix('b', { path, from: '2', to: '1' })];
  expect(toRunningWith({ fixes })).toEqual({
    running: [
      { path, from: '4', to: '1', because: 'b' },
      { path: 'vllm.seed', from: '3', because: 'a' },
    ],
  });
});

test('one that was set and left out again is as it was', () => {
  expect(toRunningWith({ fixes: [toFix('a', { path, to: '2' }), toFix('b', { path, from: '2' })] })).toEqual({});
});
