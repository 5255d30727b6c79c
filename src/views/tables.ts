/** Aligned columns, without frames: the first row is the head. */
import { eastAsianWidth } from 'get-east-asian-width';
import type { Palette } from './screen.ts';

export type Rows = readonly (readonly string[])[];

const gap = '  ';

/** A last column narrower than this is not worth breaking lines for. */
const leastRoom = 20;

/** `columns`: width of the terminal; words of the last column go on below each other where it is too narrow for them. */
export function renderTable(rows: Rows, palette?: Palette, columns = Number.POSITIVE_INFINITY): string {
  const widths = toWidths(rows);
  const room = columns - toTotal(widths.slice(0, -1)) - gap.length;
  const broken = room < leastRoom ? rows : rows.flatMap((row) => breakLast(row, room));
  return broken
    .map((row, index) => {
      const line = row
        .map((cell, column) => cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - toWidth(cell))))
        .join(gap)
        .trimEnd();
      return `${index === 0 && palette ? palette.dim(line) : line}\n`;
    })
    .join('');
}

/** Columns of a terminal that the table takes. */
export function toTableWidth(rows: Rows): number {
  return toTotal(toWidths(rows));
}

/**
 * Columns of a terminal that a text without escape codes takes. Not string-width: its Intl.Segmenter alone costs
 * more than the rest of `status`.
 */
export function toWidth(text: string): number {
  if (/^[ -~]*$/.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += eastAsianWidth(character.codePointAt(0) ?? 0);
  return width;
}

function toWidths(rows: Rows): readonly number[] {
  return (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => toWidth(row[column] ?? ''))));
}

function toTotal(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, 0) + gap.length * Math.max(0, widths.length - 1);
}

function breakLast(row: readonly string[], room: number): Rows {
  const [first = '', ...rest] = breakWords(row.at(-1) ?? '', room);
  const empty = row.slice(0, -1).map(() => '');
  return [[...row.slice(0, -1), first], ...rest.map((line) => [...empty, line])];
}

/** A word that is too long for a line stays whole: paths and commands are there to be copied. */
export function breakWords(text: string, room: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && toWidth(last) + 1 + toWidth(word) <= room) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
