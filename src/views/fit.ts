/** Text that is redrawn in place must not be wrapped by the terminal or scroll out of it. */
import { stripVTControlCharacters } from 'node:util';
import { toWidth } from './tables.ts';

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** Lines cut to the width, with `…`, and as many as leave one row for the cursor. A line that is cut loses its colors. */
export function toFitting(text: string, { columns, rows }: Size): string {
  const lines = text.replace(/\n$/, '').split('\n');
  return lines
    .slice(0, Math.max(1, rows - 1))
    .map((line) => `${cutTo(line, columns)}\n`)
    .join('');
}

function cutTo(line: string, columns: number): string {
  const plain = stripVTControlCharacters(line);
  if (toWidth(plain) <= columns) return line;
  let cut = '';
  for (const character of plain) {
    if (toWidth(cut + character) >= columns) break;
    cut += character;
  }
  return `${cut}…`;
}
