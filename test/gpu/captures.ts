import { readFileSync } from 'node:fs';

/** One capture and what stands in it: see README.md beside index.jsonl. */
export interface Capture {
  readonly id: string;
  readonly file: string;
  readonly command: string;
  readonly format: string;
  readonly expected: Readonly<Record<string, unknown>>;
}

const directory = new URL('../fixtures/nvidia-smi/', import.meta.url);

export function readCapture(file: string): string {
  return readFileSync(new URL(file, directory), 'utf8');
}

export function readCaptures(): readonly Capture[] {
  const lines = readCapture('index.jsonl').split('\n').filter(Boolean);
  return lines.map((line): Capture => JSON.parse(line));
}

export const capturesDirectory = directory;
