/**
 * Takes away what others put around the lines of a log, layer by layer. Nobody says which format a file has: the
 * first lines vote, and lines vote again where several in a row do not fit. Single lines that do not fit stay as
 * they are, so that a line of an engine that looks like something else changes nothing.
 */
import { type Format, type FormatId, formats, looksWrapped, type Peeled } from './formats.ts';

export interface UnwrappedLine {
  readonly text: string;
  /** Of the file, counted from 1; of a line that was put together, that of its first piece. */
  readonly number: number;
  /** Pod and container, service, unit; absent where nothing tells, or where it is about all of them. */
  readonly source?: string;
}

export interface Unwrapper {
  push(line: string, number: number): void;
  end(): void;
  /** Those that were found so far, the outer ones first. */
  readonly formats: readonly FormatId[];
}

export interface UnwrapOptions {
  /** Longest line that is put together, and longest that is handed on: what does the cutting. */
  readonly cut: (line: string) => string;
}

export function createUnwrapper(take: (line: UnwrappedLine) => void, { cut }: UnwrapOptions): Unwrapper {
  const found = new Set<FormatId>();
  const hand = ({ text, number, source }: UnwrappedLine) => {
    const place = source === undefined ? { number } : { number, source };
    if (!text.includes('\n')) return take({ text: cut(text), ...place });
    for (const part of text.split('\n')) take({ text: cut(part), ...place });
  };
  const layer = createLayer(hand, { depth: 1, found, cut });
  return {
    push: (text, number) => layer.push({ text, number }),
    end: layer.end,
    get formats() {
      return [...found];
    },
  };
}

/** So many lines decide at first. */
const firstVote = 32;
/** So many in a row that do not fit let the lines vote again. */
const nextVote = 8;
/** Compose's lines of what Docker has stamped, of a journal: more do not lie inside of each other. */
const deepest = 3;

interface Layer {
  push(line: UnwrappedLine): void;
  end(): void;
}

interface LayerOptions extends UnwrapOptions {
  readonly depth: number;
  readonly found: Set<FormatId>;
}

function createLayer(take: (line: UnwrappedLine) => void, options: LayerOptions): Layer {
  let format: Format | 'none' | undefined;
  let waiting: UnwrappedLine[] = [];
  let words = 0;
  let inner: Inner | undefined;

  const give = (line: UnwrappedLine) => (inner ? inner.push(line) : take(line));
  const flush = () => {
    const lines = waiting;
    waiting = [];
    words = 0;
    for (const line of lines) give(line);
  };
  const decide = () => {
    const chosen = vote(waiting.map(({ text }) => text)) ?? 'none';
    if (chosen !== format) {
      inner?.end();
      inner = chosen === 'none' ? undefined : createInner(chosen, { take, lines: waiting, options });
      format = chosen;
      if (chosen !== 'none') options.found.add(chosen.id);
    }
    flush();
  };
  const isFit = ({ text }: UnwrappedLine) => (inner ? inner.fits(text) : !looksWrapped(text));
  return {
    push(line) {
      if (format !== undefined && (line.text.length === 0 || isFit(line))) {
        if (waiting.length > 0) flush();
        return give(line);
      }
      waiting.push(line);
      if (line.text.trim() !== '') words += 1;
      if (words >= (format === undefined ? firstVote : nextVote) || waiting.length >= 4 * firstVote) decide();
    },
    end() {
      // The last lines of a file may be all that there is of another format.
      if (format === undefined || words > 1) decide();
      flush();
      inner?.end();
    },
  };
}

/** The format of most lines, and of more than half of them. */
function vote(lines: readonly string[]): Format | undefined {
  const full = lines.filter((line) => line.trim() !== '');
  const counts = formats.map((format) => ({ format, count: full.filter((line) => format.peel(line) !== undefined).length }));
  const best = counts.reduce((most, one) => (one.count > most.count ? one : most));
  return best.count * 2 > full.length ? best.format : undefined;
}

interface Inner {
  fits(text: string): boolean;
  push(line: UnwrappedLine): void;
  end(): void;
}

interface InnerOptions {
  readonly take: (line: UnwrappedLine) => void;
  /** That decided for this format. */
  readonly lines: readonly UnwrappedLine[];
  readonly options: LayerOptions;
}

/** Peels lines of one format, puts pieces together, and hands them to the layer inside. */
function createInner(format: Format, { take, lines, options }: InnerOptions): Inner {
  const { depth, cut } = options;
  const next = depth < deepest ? createLayer(take, { ...options, depth: depth + 1 }) : { push: take, end: () => undefined };
  const pieces = new Map<string, UnwrappedLine>();
  // Some collectors leave the end of a line away: then none of them has one, and each record is a line.
  let hasEnds = lines.some(({ text }) => format.peel(text)?.ends === 'here');
  let last: { readonly text: string; readonly peeled: Peeled | undefined } | undefined;
  let before: Pick<Peeled, 'source' | 'width'> = {};

  const peel = (text: string) => {
    if (last?.text !== text) last = { text, peeled: format.peel(text) };
    return last.peeled;
  };
  const join = ({ text, source, stream, ends }: Peeled, number: number) => {
    const key = `${stream ?? ''} ${source ?? ''}`;
    const piece = pieces.get(key);
    const whole = piece === undefined ? text : cut(piece.text + text);
    const line = { text: whole, number: piece?.number ?? number, ...(source === undefined ? {} : { source }) };
    hasEnds ||= ends === 'here';
    if (ends === 'later' || (ends === 'unsaid' && hasEnds)) pieces.set(key, line);
    else {
      if (piece) pieces.delete(key);
      next.push(line);
    }
  };
  return {
    fits: (text) => peel(text) !== undefined,
    push(line) {
      const peeled = peel(line.text);
      const outer = line.source;
      if (peeled === undefined) return next.push(toContinued(line, before));
      const source = outer === undefined || peeled.source === undefined ? (peeled.source ?? outer) : `${outer} ${peeled.source}`;
      before = { ...(source === undefined ? {} : { source }), ...(peeled.width === undefined ? {} : { width: peeled.width }) };
      join({ ...peeled, ...(source === undefined ? {} : { source }) }, line.number);
    },
    end() {
      for (const line of pieces.values()) next.push(line);
      pieces.clear();
      next.end();
    },
  };
}

/** A line without a prefix goes on what the one before it began; a journal indents it. */
function toContinued(line: UnwrappedLine, { source, width = 0 }: Pick<Peeled, 'source' | 'width'>): UnwrappedLine {
  const indent = /^ */.exec(line.text)?.[0].length ?? 0;
  const text = line.text.slice(Math.min(indent, width));
  return { ...line, text, ...(source === undefined ? {} : { source }) };
}
