/** Where views write, and how they may paint there. */
import { styleText } from 'node:util';
import type { Output } from './choose.ts';

export interface Palette {
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly warn: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly strong: (text: string) => string;
}

export interface Screen {
  readonly output: Output;
  readonly palette: Palette;
  /** Whether a person sees stdout as it is written: no control characters of others there. */
  readonly terminal: boolean;
  /** The terminal behind stdout, as large as it is now; undefined when there is none or it does not know. */
  size(): { readonly columns: number; readonly rows: number } | undefined;
  /** The answer: stdout. */
  out(text: string): void;
  /** The conversation: stderr. */
  err(text: string): void;
}

export interface Streams {
  readonly stdout: { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number; write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

export function openScreen(output: Output, streams: Streams): Screen {
  const { stdout } = streams;
  return {
    output,
    palette: toPalette(output.colors),
    terminal: stdout.isTTY ?? false,
    size: () => (stdout.isTTY && stdout.columns && stdout.rows ? { columns: stdout.columns, rows: stdout.rows } : undefined),
    out: (text) => void stdout.write(text),
    err: (text) => void streams.stderr.write(text),
  };
}

function toPalette(colors: boolean): Palette {
  // Whether the stream takes colours is decided already; asking would open Node's own stream.
  const paint = (style: 'green' | 'red' | 'yellow' | 'dim' | 'bold') => (text: string) =>
    colors ? styleText(style, text, { validateStream: false }) : text;
  return { good: paint('green'), bad: paint('red'), warn: paint('yellow'), dim: paint('dim'), strong: paint('bold') };
}
