/** Lines of a report that hang together: a head, and words that go on below themselves where the terminal ends. */
import { breakWords, toWidth } from './tables.ts';

/** A column narrower than this is not worth breaking lines for. */
const leastRoom = 16;

/** `head` may have escape codes in it, `width` is what it takes without them. */
export interface Head {
  readonly text: string;
  readonly width: number;
}

export function plainHead(text: string): Head {
  return { text, width: toWidth(text) };
}

/** `columns` of the terminal; the lines after the first begin below the first word. */
export function renderHanging(head: Head, text: string, columns: number): string {
  const room = Math.max(columns - head.width, leastRoom);
  const [first = '', ...rest] = text.split('\n').flatMap((line) => breakWords(line, room));
  return [`${head.text}${first}`, ...rest.map((line) => `${' '.repeat(head.width)}${line}`)].map((line) => `${line.trimEnd()}\n`).join('');
}

/** To a width, by the columns that the text takes. */
export function padTo(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - toWidth(text)));
}
