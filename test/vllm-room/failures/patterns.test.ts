import { describe, expect, it } from 'vitest';
import { toNeedles } from '../../../src/vllm/failures/needles.ts';
import { longestLine } from '../../../src/vllm/failures/scan.ts';
import { signatures } from '../../../src/vllm/failures/signatures.ts';
import { createWordSearch } from '../../../src/vllm/failures/word-search.ts';

/** Half of a match over and over, and what invites to try again at every place. */
function toHostileLines(pattern: RegExp): readonly string[] {
  const words = toNeedles(pattern).slice(0, 4);
  const fillers = ['a', ' ', '(', "'", '0', 'x.', '/', '. ', 'Error: '];
  const repeated = [...words, ...words.map((word) => word.slice(0, -1)), ...words.flatMap((word) => [`${word} `, `${word}'`]), ...fillers];
  return repeated.map((part) => part.repeat(Math.ceil(longestLine / Math.max(1, part.length))).slice(0, longestLine));
}

function toMs(work: () => unknown): number {
  const times = Array.from({ length: 3 }, () => {
    const before = performance.now();
    work();
    return performance.now() - before;
  });
  return Math.min(...times);
}

describe.each(signatures.map((one, index) => [`${index} ${one.cause}`, one.pattern] as const))('%s', (_, pattern) => {
  it('demands a word, by which a line is found', () => {
    const words = toNeedles(pattern);
    expect(words.length).toBeGreaterThan(0);
    expect(Math.min(...words.map((word) => word.length))).toBeGreaterThanOrEqual(5);
  });

  it('takes no longer on hostile lines than some plain scans', () => {
    const limit =
      200 *
        toMs(() =>
          'abc '
            .repeat(longestLine / 4)
            .split('')
            .indexOf('never'),
        ) +
      5;
    for (const line of toHostileLines(pattern))
      expect(
        toMs(() => pattern.exec(line)),
        line.slice(0, 60),
      ).toBeLessThan(limit);
  });

  it('has no repetition in a repetition without a bound', () => {
    expect(pattern.source).not.toMatch(/[*+]\)[*+{]|\.[*+]/);
  });
});

describe('the search for words', () => {
  it('finds each owner once, in any case, over any white space, and across lines', () => {
    const search = createWordSearch([['no space left'], ['space', 'left on'], ['never']]);
    const found: number[] = [];
    const state = search.run('No   SPACE\tleft space ', search.start, found);
    expect(found.toSorted()).toEqual([0, 1]);
    const next: number[] = [];
    search.run('left on', search.run('no space ', state, []), next);
    expect(next).toEqual(expect.arrayContaining([0, 1]));
  });
});

describe('words of a pattern', () => {
  it.each([
    [/plain words/, ['plain words']],
    [/(?:one|other) thing/, ['one thing', 'other thing']],
    [/arguments?: *(?<flag>\S+)/, ['argument:', 'arguments:']],
    [/a{2,3}long enough.{0,4}x/, ['long enough']],
    [/first|.{3}second/, ['first', 'second']],
    [/[Ww]hat\b it is/, ['what it is']],
    [/x?\d*/, []],
  ])('%s', (pattern, words) => {
    expect(toNeedles(pattern).toSorted()).toEqual(words);
  });
});
