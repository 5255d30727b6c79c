/** Bytes to lines: characters may come in pieces, and a line may be longer than memory. */
import { StringDecoder } from 'node:string_decoder';

/** Lines are numbered from 1, without their ends. Of a long one that was redrawn each picture is taken, by the same number. */
export type TakeLine = (line: string, number: number) => void;

export const defaultCap = 16 * 1024;

export interface Splitter {
  readonly lines: number;
  write(bytes: Buffer): void;
  end(): void;
}

export function createSplitter(
  take: TakeLine,
  { lineCap, encoding }: { lineCap: number; encoding: 'utf8' | 'utf16le' | 'utf16be' },
): Splitter {
  const decode = createDecoder(encoding);
  let lines = 0;
  let rest = '';
  /** A progress bar may redraw one line for ever, and an error may stand among its pictures: each is a line then. */
  const takeRedrawn = (line: string) => {
    const pictures = line.split('\r');
    const last = pictures.pop() ?? '';
    for (const picture of pictures) if (picture !== '') take(cutLine(picture, lineCap), lines + 1);
    return last;
  };
  const takeLine = (line: string) => {
    const plain = line.endsWith('\r') ? line.replace(/\r+$/, '') : line;
    const whole = plain.length > defaultCap && plain.includes('\r') ? takeRedrawn(plain) : plain;
    lines += 1;
    take(cutLine(whole, lineCap), lines);
  };
  const write = (bytes: Buffer | undefined) => {
    const decoded = decode(bytes);
    const parts = (decoded.includes('\0') ? decoded.replaceAll('\0', '') : decoded).split('\n');
    const last = parts.pop() ?? '';
    for (const part of parts) {
      takeLine(rest === '' ? part : rest + part);
      rest = '';
    }
    // Not at each piece: a line may come in millions of them.
    rest = rest.length + last.length > 4 * lineCap ? cutLine(takeRedrawn(rest + last), lineCap) : rest + last;
  };
  return {
    get lines() {
      return lines;
    },
    write,
    end() {
      write(undefined);
      if (rest !== '') takeLine(rest);
      rest = '';
    },
  };
}

/** Head and tail of what is longer than `cap`. What was cut may grow and be cut again. */
export function cutLine(line: string, cap = defaultCap): string {
  if (line.length <= cap) return line;
  const half = (cap - mark.length) >> 1;
  return `${line.slice(0, half)}${mark}${line.slice(-half)}`;
}

const mark = ' … ';

/** Undefined at the end: what is left of half a character. Without the mark of the byte order. */
function createDecoder(encoding: 'utf8' | 'utf16le' | 'utf16be'): (bytes: Buffer | undefined) => string {
  if (encoding === 'utf16be') {
    const decoder = new TextDecoder('utf-16be');
    return (bytes) => (bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true }));
  }
  // Unlike TextDecoder's, its strings have one byte for each character where that is enough.
  const decoder = new StringDecoder(encoding);
  let isFirst = true;
  return (bytes) => {
    const text = bytes === undefined ? decoder.end() : decoder.write(bytes);
    const from = isFirst && text.startsWith('\uFEFF') ? 1 : 0;
    isFirst &&= text === '';
    return from === 0 ? text : text.slice(from);
  };
}
