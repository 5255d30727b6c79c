import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const root = new URL('../../', import.meta.url);
const page = readFileSync(new URL('docs/security.md', root), 'utf8');

interface Row {
  readonly number: number;
  readonly state: string;
  readonly text: string;
}

const rows = [...page.matchAll(/^\| (\d+) +\| [^|]+ \| (\w+) +\| .*$/gm)].map(
  ([text, number, state]): Row => ({ number: Number(number), state: state ?? '', text }),
);

it('has the items 1 to 72, each once and in this order', () => {
  expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: 72 }, (_, index) => index + 1));
});

describe.each(rows)('item $number', ({ state, text }) => {
  it('has a state, and where it holds it says where', () => {
    expect(['holds', 'partly', 'open', 'later']).toContain(state);
    if (state === 'holds' || state === 'partly') expect(text).toMatch(/`(?:src|templates|scripts)\//);
  });

  it('names files that exist, and tests by titles that stand in them', () => {
    const files = [...text.matchAll(/`((?:\.ci|src|test|docs|profiles|scripts|templates)\/[\w./-]+|package-lock\.json)`/g)].map(
      ([, path]) => path ?? '',
    );
    expect(files.filter((path) => !existsSync(new URL(path, root)))).toEqual([]);
    const tests = [...text.matchAll(/`(test\/[^`]+)` › “([^”]+)”/g)];
    expect(tests).toHaveLength(text.split('›').length - 1);
    const lost = tests.filter(([, path = '', title = '']) => !readFileSync(new URL(path, root), 'utf8').includes(title));
    expect(lost.map(([whole]) => whole)).toEqual([]);
  });
});

it('the pages about security lead to each other', () => {
  const read = (path: string) => readFileSync(new URL(path, root), 'utf8');
  expect(page).toContain('(../SECURITY.md)');
  expect(read('SECURITY.md')).toContain('(docs/security.md)');
  expect(read('README.md')).toContain('(SECURITY.md)');
});
