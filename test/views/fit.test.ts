import { expect, test } from 'vitest';
import { toClean } from '../../src/views/clean.ts';
import { toFitting } from '../../src/views/fit.ts';
import { renderTable } from '../../src/views/tables.ts';

test('what is redrawn stays within the terminal', () => {
  expect(toFitting('abcdef\nab\n通义千问\n\u001b[2mabcdef\u001b[22m\n', { columns: 5, rows: 24 })).toBe('abcd…\nab\n通义…\nabcd…\n');
  expect(toFitting('a\nb\nc\n', { columns: 5, rows: 3 })).toBe('a\nb\n');
  expect(toFitting('\u001b[2mabcde\u001b[22m\n', { columns: 5, rows: 3 })).toBe('\u001b[2mabcde\u001b[22m\n');
});

test('K4 a log line brings neither colors nor cursor movements', () => {
  expect(toClean('\u001b[31mred\u001b[0m 50%\r 60%\u0007\n')).toBe('red 50%\u240d 60%\u2407\n');
});

test('the last column of a table goes on below itself, words stay whole', () => {
  const rows = [
    ['NAME', 'DESCRIPTION'],
    ['a', 'one two three four five six'],
    ['b', '/a/path/that/is/longer/than/the/room and more'],
  ];
  expect(renderTable(rows, undefined, 30)).toBe(
    [
      'NAME  DESCRIPTION',
      'a     one two three four five',
      '      six',
      'b     /a/path/that/is/longer/than/the/room',
      '      and more',
      '',
    ].join('\n'),
  );
  expect(renderTable(rows, undefined, 20).split('\n')).toHaveLength(4);
});
