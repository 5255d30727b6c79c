import { expect, test } from 'vitest';
import { renderComment } from '../../src/render/comment.ts';

test.each<[string, readonly string[], string]>([
  ['each line', ['a', 'b c'], '# a\n# b c\n'],
  ['a value does not leave it by a line of its own', ["--set 'a=1\nrm -rf x\r\ny'"], "# --set 'a=1\n# rm -rf x\n# y'\n"],
  ['an empty line', [''], '#\n'],
])('%s', (_, lines, text) => {
  expect(renderComment(lines)).toBe(text);
});
