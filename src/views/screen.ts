/** Where views write, and how they may paint there. */
import picocolors from 'picocolors';
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
  /** The answer: stdout. */
  out(text: string): void;
  /** The conversation: stderr. */
  err(text: string): void;
}

export interface Streams {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

export function openScreen(output: Output, streams: Streams): Screen {
  return {
    output,
    palette: toPalette(output.colors),
    out: (text) => void streams.stdout.write(text),
    err: (text) => void streams.stderr.write(text),
  };
}

function toPalette(colors: boolean): Palette {
  const paint = picocolors.createColors(colors);
  return { good: paint.green, bad: paint.red, warn: paint.yellow, dim: paint.dim, strong: paint.bold };
}
