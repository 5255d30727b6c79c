/** Aligned columns, without frames: the first row is the head. */
import { eastAsianWidth } from 'get-east-asian-width';
import type { Palette } from './screen.ts';

const gap = '  ';

export function renderTable(rows: readonly (readonly string[])[], palette?: Palette): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => toWidth(row[column] ?? ''))));
  return rows
    .map((row, index) => {
      const line = row
        .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - toWidth(cell)))
        .join(gap)
        .trimEnd();
      return `${index === 0 && palette ? palette.dim(line) : line}\n`;
    })
    .join('');
}

/**
 * Columns of a terminal that a text without escape codes takes. Not string-width: its Intl.Segmenter alone costs
 * more than the rest of `status`.
 */
function toWidth(text: string): number {
  let width = 0;
  for (const character of text) width += eastAsianWidth(character.codePointAt(0) ?? 0);
  return width;
}
