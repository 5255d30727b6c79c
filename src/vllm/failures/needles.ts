/**
 * Words that a line must have for a pattern to match it, read off the pattern itself, so that nobody keeps a second
 * list. One search for all of them (word-search.ts) is what makes a long log cheap: patterns only run where a word is.
 */

/** Lower case. One of these is in every text that the pattern matches; empty when the pattern demands no word. */
export function toNeedles(pattern: RegExp): readonly string[] {
  const reader = { source: pattern.source, at: 0 };
  const { must } = readAlternatives(reader);
  return [...new Set(must.map((word) => word.slice(0, longest)))];
}

/** More is not more telling, and costs memory. */
const longest = 20;
/** A part that may be one of more texts than these is as good as unknown. */
const mostTexts = 12;

interface Reader {
  readonly source: string;
  at: number;
}

/** `exact`: all that it can be, where these are few. `must`: one of these is in it; empty when nothing has to be. */
interface Part {
  readonly exact?: readonly string[];
  readonly must: readonly string[];
}

const anything: Part = { must: [] };
const nothing: Part = { exact: [''], must: [] };

function readAlternatives(reader: Reader): Part {
  const parts = [readSequence(reader)];
  while (reader.source[reader.at] === '|') {
    reader.at++;
    parts.push(readSequence(reader));
  }
  const exact = parts.every((part) => part.exact !== undefined) ? parts.flatMap((part) => part.exact ?? []) : undefined;
  const must = parts.every((part) => part.must.length > 0) ? parts.flatMap((part) => part.must) : [];
  return exact !== undefined && exact.length <= mostTexts ? { exact, must } : { must };
}

function readSequence(reader: Reader): Part {
  let run: readonly string[] = [''];
  let best: readonly string[] = [];
  let whole = true;
  while (reader.at < reader.source.length && !'|)'.includes(reader.source[reader.at] ?? '')) {
    const part = readItem(reader);
    const joined = part.exact === undefined ? undefined : toProduct(run, part.exact);
    if (joined !== undefined) {
      run = joined;
      continue;
    }
    best = toBetter(toBetter(best, run), part.must);
    whole = false;
    run = part.exact ?? [''];
  }
  return { ...(whole ? { exact: run } : {}), must: toBetter(best, run) };
}

function toProduct(left: readonly string[], right: readonly string[]): readonly string[] | undefined {
  return left.length * right.length > mostTexts ? undefined : left.flatMap((one) => right.map((other) => one + other));
}

/** The set whose shortest word is longer says more. */
function toBetter(one: readonly string[], other: readonly string[]): readonly string[] {
  return toShortest(other) > toShortest(one) ? other : one;
}

function toShortest(words: readonly string[]): number {
  return words.length === 0 ? 0 : Math.min(...words.map((word) => word.length));
}

function readItem(reader: Reader): Part {
  const item = readAtom(reader);
  const rest = reader.source.slice(reader.at);
  const times = /^(?:[?*+]|\{\d+(?:,\d*)?\})\??/.exec(rest)?.[0];
  if (times === undefined) return item;
  reader.at += times.length;
  if (times.startsWith('?')) return item.exact === undefined ? anything : { exact: ['', ...item.exact], must: [] };
  return /^(?:\+|\{[1-9])/.test(times) ? { must: item.must.length > 0 ? item.must : (item.exact ?? []) } : anything;
}

function readAtom(reader: Reader): Part {
  const char = reader.source[reader.at] ?? '';
  reader.at++;
  if (char === '(') return readGroup(reader);
  if (char === '[') return readClass(reader);
  if (char === '^' || char === '$') return nothing;
  if (char === '.') return anything;
  return char === '\\' ? readEscape(reader) : { exact: [char.toLowerCase()], must: [] };
}

function readGroup(reader: Reader): Part {
  reader.at += /^\?(?::|<\w+>)/.exec(reader.source.slice(reader.at))?.[0].length ?? 0;
  const inner = readAlternatives(reader);
  reader.at++;
  return inner;
}

function readClass(reader: Reader): Part {
  const text = /^(?:\\.|[^\]\\])*\]/.exec(reader.source.slice(reader.at))?.[0] ?? ']';
  reader.at += text.length;
  const members = text.slice(0, -1);
  if (/^\^|\\[a-z]|\w-\w/.test(members)) return anything;
  const chars = [...members.replace(/\\(.)/g, '$1')].map((char) => char.toLowerCase());
  return chars.length <= 4 ? { exact: [...new Set(chars)], must: [] } : anything;
}

function readEscape(reader: Reader): Part {
  const char = reader.source[reader.at] ?? '';
  reader.at++;
  if (char === 'b' || char === 'B') return nothing;
  return /[a-z0-9]/i.test(char) ? anything : { exact: [char], must: [] };
}
