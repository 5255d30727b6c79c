/**
 * A log of any length, read once. One search for words decides whether a line can matter; nearly all cannot, and cost
 * nothing more. Of the others, hits are kept by signature and kind of process: the first ever, the first and the last
 * of the newest burst, and how many there were. So a cause that is repeated a million times takes as much as one.
 */
import { stripVTControlCharacters } from 'node:util';
import type { LogEvidence } from './evidence.ts';
import { createEvidence, type EvidenceKeeper } from './evidence-keeper.ts';
import { type HeadedLine, toHeadedLines } from './line-head.ts';
import { type MarkerName, markers } from './markers.ts';
import { toNeedles } from './needles.ts';
import { signatures } from './signatures.ts';
import { createWordSearch, type WordSearch } from './word-search.ts';

/** Reads a log line by line, in bounded memory and in time that grows with the length of the log alone. */
export interface LogScan {
  /** The next line, without what a container tool or journald put in front of it; ANSI and `\r` may still be in it. */
  push(line: string): void;
  /** What was found. May be asked more than once. */
  end(): LogEvidence;
}

export function createLogScan(): LogScan {
  const state: ScanState = { search: createSearch(), keeper: createEvidence(), line: 0, at: 0, before: '', open: [] };
  return {
    push: (raw) => {
      state.line++;
      for (const part of toParts(raw)) takePart(state, part);
    },
    end: () => state.keeper.toEvidence(state.line),
  };
}

/** Longer lines are cut in the middle: what they are about stands at an end. */
export const longestLine = 16_384;

interface ScanState {
  readonly search: WordSearch;
  readonly keeper: EvidenceKeeper;
  line: number;
  /** Of the search, after the last line: a word may be cut by the end of a line. */
  at: number;
  before: string;
  /** Signatures that the last line had a word of, and that could do with its continuation. */
  open: readonly number[];
}

const markerNames = Object.keys(markers) as readonly MarkerName[];

function createSearch(): WordSearch {
  return createWordSearch([...signatures.map(({ pattern }) => toNeedles(pattern)), ...markerNames.map((name) => markers[name].words)]);
}

/** Progress bars redraw with `\r`, and an error may follow one on its line. */
function toParts(raw: string): readonly string[] {
  const cut = raw.length <= longestLine ? raw : `${raw.slice(0, longestLine / 2)} … ${raw.slice(-longestLine / 2)}`;
  const plain = cut.includes('\u001b') || cut.includes('\u009b') ? stripVTControlCharacters(cut) : cut;
  return plain.includes('\r') ? plain.split('\r').filter((part) => part !== '') : [plain];
}

function takePart(state: ScanState, part: string): void {
  const found: number[] = [];
  state.at = state.search.run(' ', state.search.run(part, state.at, found), found);
  if (found.length > 0) takeFound(state, part, found);
  else if (state.open.length > 0) closeOpen(state, part);
  if (state.keeper.isUntold && part.trim() !== '') state.keeper.toldSomething();
  state.before = part;
}

function takeFound(state: ScanState, part: string, found: readonly number[]): void {
  closeOpen(state, part);
  if (isCheap(state, part, found)) return;
  const own = found.filter((one) => one < signatures.length);
  const marks = found.flatMap((one) => (one < signatures.length ? [] : [markerNames[one - signatures.length] ?? 'work']));
  const lines = toHeadedLines(part);
  const open = new Set<number>();
  for (const headed of lines) {
    const known = own.filter((one) => takeSignature(state, one, headed));
    for (const one of own) if (!known.includes(one) || hasOpenGroups(one)) open.add(one);
    for (const name of marks) state.keeper.mark(name, { ...headed, line: state.line, raw: part, known: known.length > 0 });
  }
  state.open = lines.length === 1 ? [...open] : [];
}

/** Access lines and figures are most of a long log: they need no parsing. */
function isCheap(state: ScanState, part: string, found: readonly number[]): boolean {
  for (const one of found) {
    const name = markerNames[one - signatures.length];
    if (name !== 'answer' && name !== 'work' && name !== 'figures') return false;
  }
  for (const one of found) state.keeper.markServing(markerNames[one - signatures.length] ?? 'figures', part, state.line);
  return true;
}

function takeSignature(state: ScanState, index: number, headed: HeadedLine): boolean {
  const pattern = signatures[index]?.pattern;
  if (pattern === undefined) return false;
  const alone = pattern.exec(headed.text);
  // Wrapped by a terminal or by who posted it: the words began on the line before.
  const match = alone ?? (headed.bare ? pattern.exec(joinLines(lastTextOf(state), headed.text)) : null);
  if (match === null) return false;
  state.keeper.hit({
    signature: index,
    match,
    headed: alone === null ? lastHeadOf(state, headed) : headed,
    line: alone === null ? state.line - 1 : state.line,
  });
  return true;
}

/** The line before may go on in this one. */
function closeOpen(state: ScanState, part: string): void {
  const { open } = state;
  if (open.length === 0) return;
  state.open = [];
  const [next] = toHeadedLines(part);
  if (next === undefined || !next.bare || part.trim() === '') return;
  const [before] = toHeadedLines(state.before);
  if (before === undefined) return;
  for (const index of open) {
    const match = signatures[index]?.pattern.exec(joinLines(before.text, next.text));
    if (match) state.keeper.hit({ signature: index, match, headed: before, line: state.line - 1 });
  }
}

/** It has matched, and has more to extract than this line gave. */
function hasOpenGroups(index: number): boolean {
  return signatures[index]?.pattern.source.includes('(?<') === true;
}

function joinLines(one: string, other: string): string {
  return `${one.replace(/\\?\s*$/, '')} ${other.trimStart()}`.slice(0, 2 * longestLine);
}

function lastTextOf(state: ScanState): string {
  return toHeadedLines(state.before)[0]?.text ?? '';
}

function lastHeadOf(state: ScanState, otherwise: HeadedLine): HeadedLine {
  const before = toHeadedLines(state.before)[0];
  return before === undefined ? otherwise : { ...before, text: `${before.text} ${otherwise.text.trim()}` };
}
