/**
 * YAML text → nodes, and what is wrong with it as YAML. Read word by word, so that what is too much or too deep for a
 * profile is refused before anything is built of it: the library alone would take minutes for some kilobytes of it.
 */
import { Composer, type CST, type Document, Lexer, Parser } from 'yaml';
import type { Finding } from '../core/finding.ts';
import { type Message, say } from '../core/message.ts';
import type { Place } from './layer.ts';

export interface YamlText {
  /** The root node; absent when the text could not be read to its end. */
  readonly root?: Document['contents'];
  readonly problems: readonly YamlProblem[];
  readonly toPlace: (offset: number) => Place;
}

export interface YamlProblem extends Pick<Finding, 'code' | 'message' | 'hint'> {
  readonly offset: number;
}

/** A profile is a page of text; what is larger is something else, and slow to read. */
export const mostBytes = 2 ** 20;
/** Words, signs, spaces and comments. A page has some hundred of them. */
const mostWords = 30_000;
export const deepest = 64;
/** After the first few, what the parser reports are echoes. */
const mostProblems = 5;

export function parseYaml(text: string): YamlText {
  const toPlace = toPlaces(text);
  const composer = new Composer({ schema: 'core', uniqueKeys: false, prettyErrors: false, resolveKnownTags: false, logLevel: 'silent' });
  const problems: YamlProblem[] = [];
  let documents = 0;
  const take = (token: CST.Token) => {
    if (token.type === 'document') documents += 1;
    if (token.type === 'document' && documents === 2)
      problems.push({ code: 'profile/several-documents', message: say('yaml.several'), offset: token.offset });
    const isDirective = token.type === 'directive' && !/^%YAML\s+1\.2\s*$/.test(token.source);
    if (isDirective && problems.length === 0)
      problems.push({ code: 'profile/not-yaml', message: say('yaml.directive'), offset: token.offset });
    // It gives out a document when the next one begins, and only the first is wanted.
    else if (documents < 2 && !isDirective) Array.from(composer.next(token));
  };
  const openings: Openings = { quotes: [], brackets: [] };
  const stop = checkText(text) ?? readWords({ text, openings }, take);
  if (stop) return { problems: [stop], toPlace };
  const [document] = composer.end(true, text.length);
  const errors = toFirst(document?.errors ?? [], text).map((error) => toProblem(error, { text, openings }));
  return { root: document?.contents ?? null, problems: [...errors, ...problems], toPlace };
}

/** Hands on what the parser makes of the words; ends at the first one that is one too many. */
function readWords({ text, openings }: ReadText, take: (token: CST.Token) => void): YamlProblem | undefined {
  const parser = new Parser();
  let words = 0;
  for (const word of new Lexer().lex(text)) {
    noteOpening(word, parser.offset, openings);
    for (const token of parser.next(word)) take(token);
    words += 1;
    if (words > mostWords) return { code: 'profile/too-large', message: say('yaml.too-many-words', { most: mostWords }), offset: 0 };
    // Below the nodes lies the document, on top of them the value that is being read.
    if (parser.stack.length > deepest + 2)
      return { code: 'profile/too-deep', message: say('yaml.too-deep', { most: deepest }), offset: parser.offset };
  }
  for (const token of parser.end()) take(token);
  return undefined;
}

/** Where quotes and brackets begin: the parser stumbles where they should have ended, and people look for the beginning. */
interface Openings {
  /** Those that are not closed. */
  readonly quotes: number[];
  readonly brackets: { readonly offset: number; closed?: number }[];
}

function noteOpening(word: string, offset: number, { quotes, brackets }: Openings): void {
  const [first = ''] = word;
  if (first === '"' || first === "'") {
    if (word.length === 1 || !word.endsWith(first)) quotes.push(offset);
  } else if (word === '[' || word === '{') brackets.push({ offset });
  else if (word === ']' || word === '}') {
    const open = brackets.findLast(({ closed }) => closed === undefined);
    if (open) open.closed = offset;
  }
}

/** What no YAML may hold, wherever it stands. */
function checkText(text: string): YamlProblem | undefined {
  if (text.length > mostBytes) return { code: 'profile/too-large', message: say('profile.too-large'), offset: 0 };
  const stray = text.search(/(?![\t\n\r\u0085])\p{Cc}|\p{Cs}/u);
  if (stray < 0) return undefined;
  const point = (text.codePointAt(stray) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  return { code: 'profile/control-character', message: say('yaml.control', { point: `U+${point}` }), offset: stray };
}

interface YamlError {
  readonly code: string;
  readonly message: string;
  readonly pos: readonly [number, number];
}

/** A line that is indented too far makes one value of itself and the line above, where the parser stumbles twice. */
function toFirst(errors: readonly YamlError[], text: string): readonly YamlError[] {
  return errors.slice(0, mostProblems).flatMap((error, index) => {
    const [start, end] = error.pos;
    const echoes = (other: YamlError | undefined) =>
      [error.code, other?.code].sort().join() === 'BLOCK_AS_IMPLICIT_KEY,MULTILINE_IMPLICIT_KEY' && other?.pos[0] === start;
    if (echoes(errors[index + 1])) return [];
    if (!echoes(errors[index - 1])) return [error];
    const next = text.indexOf('\n', start);
    return next < 0 || next >= end
      ? [error]
      : [{ ...error, code: 'BAD_INDENT', message: '', pos: [next + 1 + toIndent(text, next + 1), end] }];
  });
}

function toIndent(text: string, from: number): number {
  return /^[ \t]*/.exec(text.slice(from, from + 200))?.[0].length ?? 0;
}

interface ReadText {
  readonly text: string;
  readonly openings: Openings;
}

function toProblem({ code, message, pos: [offset] }: YamlError, { text, openings: { quotes, brackets } }: ReadText): YamlProblem {
  if (message.includes('closing')) return { code: 'profile/not-yaml', message: say('yaml.quote'), offset: quotes.at(-1) ?? offset };
  if (/must end with|end with a/.test(message)) {
    const open = brackets.findLast((one) => one.offset < offset && (one.closed ?? offset) >= offset);
    return { code: 'profile/not-yaml', message: say('yaml.bracket'), offset: open?.offset ?? offset };
  }
  const lineStart = text.lastIndexOf('\n', offset - 1) + 1;
  const line = text.slice(lineStart, text.indexOf('\n', offset) < 0 ? undefined : text.indexOf('\n', offset));
  const key = toUnspacedKey(line.slice(0, 200).replace(/^[\s-]*/, ''));
  if (key !== undefined && ['MULTILINE_IMPLICIT_KEY', 'MISSING_CHAR', 'BAD_INDENT'].includes(code))
    return { code: 'profile/missing-space', message: say('yaml.missing-space', { key }), offset };
  if (code === 'TAB_AS_INDENT' || (code !== 'BAD_SCALAR_START' && /^ *\t/.test(line)))
    return { code: 'profile/tab', message: say('yaml.tab'), offset };
  return { code: 'profile/not-yaml', message: toSentence(code, message, text[offset] ?? ''), offset };
}

/** The key of `key:value`, which YAML takes for one word. Not of an address (`http://…`), nor of a name of an image. */
export function toUnspacedKey(text: string): string | undefined {
  return /^([A-Za-z][\w-]*\+?):(?!\/\/)[^\s:]/.exec(text)?.[1];
}

function toSentence(code: string, message: string, character: string): Message {
  switch (code) {
    case 'BAD_INDENT':
      return say('yaml.indent');
    case 'MISSING_CHAR':
    case 'MULTILINE_IMPLICIT_KEY':
      return say('yaml.colon');
    case 'BLOCK_AS_IMPLICIT_KEY':
      return say('yaml.second-colon');
    case 'BAD_SCALAR_START':
      return say('yaml.start', { character });
    default:
      return say('profile.not-yaml', { problem: message });
  }
}

function toPlaces(text: string): (offset: number) => Place {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return (offset) => {
    let [low, high] = [0, starts.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
  };
}
