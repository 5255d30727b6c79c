import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { findBroken, type Report, renderPage, summarise, toIds, toShown } from '../../scripts/faults/report.ts';
import { areas, rows } from '../faults/matrix.ts';

it('docs/faults.md has every row of the matrix and no other', () => {
  const page = readFileSync(new URL('../../docs/faults.md', import.meta.url), 'utf8');
  const ids = [...page.matchAll(/^\| ([A-M]\d+) +\|/gm)].map(([, id]) => id);
  expect(ids).toEqual(rows.map(({ id }) => id));
});

it('the matrix has each id once, in an area that has a name', () => {
  const ids = rows.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(new Set(ids.map((id) => id.slice(0, 1)))).toEqual(new Set(Object.keys(areas)));
});

it.each([
  ['A6 A7 dies again and again', ['A6', 'A7']],
  ['A6, A7 dies again', ['A6', 'A7']],
  ['B12', ['B12']],
  ['A100 has 80 GB', []],
  ['after A6', []],
  ['A6: dies', []],
])('%j carries %j', (name, ids) => {
  expect(toIds(name)).toEqual(ids);
});

describe('a proof', () => {
  const report: Report = {
    testResults: [
      {
        name: '/root/test/one.test.ts',
        assertionResults: [
          { ancestorTitles: ['A1 A2 killed'], title: 'is seen', status: 'passed' },
          { ancestorTitles: ['others'], title: 'A2 is named', status: 'failed' },
          { ancestorTitles: [], title: 'A3 left out by a filter', status: 'skipped' },
          { ancestorTitles: [], title: 'X9 is no id, Z1 neither', status: 'passed' },
          { ancestorTitles: [], title: 'B99 of no row', status: 'passed' },
        ],
      },
    ],
  };
  const some = [
    { id: 'A1', fault: 'a', expected: 'b' },
    { id: 'A2', fault: 'a | b', expected: 'c' },
    { id: 'A3', fault: 'a', expected: 'b' },
    { id: 'A4', fault: 'a', expected: 'b', reason: 'no machine has it' },
    { id: 'L1', fault: 'a', expected: 'b' },
  ];
  const summary = summarise(some, toShown([report], '/root'));

  it('counts what a test showed, and a test that failed against its row', () => {
    expect(summary.results.map(({ result }) => result)).toEqual(['passed', 'failed', 'no test ran', 'not automated', 'no test ran']);
    expect(summary).toMatchObject({ passed: 1, counted: 4, share: 0.25, unknown: ['B99'] });
  });

  it('finds files that failed as a whole', () => {
    const file = (name: string, status: string, ...of: string[]) => ({
      name: `/root/${name}`,
      status,
      assertionResults: of.map((one) => ({ ancestorTitles: [], title: 'a', status: one })),
    });
    const files = [
      file('a', 'passed', 'passed'),
      file('b', 'failed', 'passed', 'failed'),
      file('c', 'failed'),
      file('d', 'failed', 'skipped'),
    ];
    expect(findBroken([{ testResults: files }], '/root')).toEqual(['c', 'd']);
  });

  it('is a page with a table for each area', () => {
    const page = renderPage(summary, { lines: ['today'], areas: { A: 'Death', L: 'Load' } });
    expect(page).toContain('1 of 4 rows shown by a test that passed (25.0 %)');
    expect(page).toContain('| A1 | a | b | passed | A1 A2 killed > is seen (`test/one.test.ts`) |');
    expect(page).toMatch(/^\| A2 \| a \\\| b \| c \| failed \|/m);
    expect(page).toContain('| A4 | a | b | not automated | no machine has it |');
  });
});
