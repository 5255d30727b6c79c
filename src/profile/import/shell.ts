/** The text of a shell → its commands, with nothing expanded and nothing run. */
import { forEachChild, parse, type Redirection, type Word as ShellWord, type SyntaxNode, type WordPart } from 'unbash';
import { say } from '../../core/message.ts';
import { find, type Notes, type Variable, type Word } from './launch.ts';

export interface ShellCommand {
  /** `NAME=value` in front. */
  readonly env: readonly Variable[];
  readonly words: readonly Word[];
  /** Where its output goes. */
  readonly redirects: readonly string[];
}

export interface ShellOptions {
  readonly notes: Notes;
  /** Whether words have a place in a file. */
  readonly placed: boolean;
}

/** No command line is longer than the kernel takes. */
const longestLine = 131_072;
const mostHereDocuments = 50;

/** Undefined when it cannot be read; the finding says why. */
export function parseShell(written: string, { notes, placed }: ShellOptions): readonly ShellCommand[] | undefined {
  if (written.length > longestLine || written.split('<<').length > mostHereDocuments) {
    find(notes, undefined, { code: 'profile/too-large', severity: 'error', message: say('import.too-large') });
    return undefined;
  }
  const text = toPlain(written, notes);
  const toPlace = placed ? toPlaces(text) : () => ({});
  const script = parse(text);
  const problem = script.errors?.[0];
  if (problem) {
    // The text there is not shown: the quote that is not closed may be that of a secret.
    const { line = 1, column = 1 } = toPlaces(text)(problem.pos);
    const message = say('import.not-shell', { problem: problem.message, line, column });
    find(notes, { text: '', ...toPlace(problem.pos) }, { code: 'profile/import-unreadable', severity: 'error', message });
    return undefined;
  }
  const commands: ShellCommand[] = [];
  collect(script, { commands, toPlace, notes });
  return commands;
}

/** As pages show command lines: fences, Windows line ends, other shells' continuations, typographic quotes and dashes. */
function toPlain(written: string, notes: Notes): string {
  const text = written
    .replace(/^\uFEFF/, '')
    .replaceAll('\r\n', '\n')
    .replace(/^[ \t]*(```|~~~).*$/gm, '')
    .replace(/[ \t][`^][ \t]*\n/g, ' \\\n')
    // A prompt with the name of an environment would be a subshell.
    .replace(/^[ \t]*\([\w.-]+\)[ \t]+(\S*[$%#❯>][ \t]+)?(?=\w)/gm, (prompt) => ' '.repeat(prompt.length));
  const typed = text
    .replace(/[“”]/g, '"')
    .replace(/[‘’]/g, "'")
    .replace(/(?<=^|\s)-?[–—]-?(?=[A-Za-z])/g, '--');
  if (typed !== text) find(notes, undefined, { code: 'profile/import-healed', severity: 'warning', message: say('import.typographic') });
  return typed.replace(/(?<=^|[\s=:/])<([A-Za-z][\w .-]*)>/g, (placeholder) => `'${placeholder}'`);
}

function toPlaces(text: string): (offset: number) => Pick<Word, 'line' | 'column'> {
  const starts = [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)];
  return (offset) => {
    const line = starts.findLastIndex((start) => start <= offset);
    return { line: line + 1, column: offset - (starts[line] ?? 0) + 1 };
  };
}

interface Collector {
  readonly commands: ShellCommand[];
  readonly toPlace: (offset: number) => Pick<Word, 'line' | 'column'>;
  readonly notes: Notes;
}

/** Commands in the order of the text; not those inside of words. */
function collect(node: SyntaxNode, into: Collector): void {
  if (node.type === 'Word' || node.type === 'Assignment') return;
  if (node.type !== 'Command') {
    forEachChild(node, (child) => collect(child, into));
    return;
  }
  const { toPlace } = into;
  const env = node.prefix.flatMap((part): readonly Variable[] => {
    if (part.type !== 'Assignment') return [];
    return part.value.type === 'Word' ? [{ name: part.name, value: toWord(part.value, toPlace) }] : [];
  });
  const suffix = node.args.map((arg) => {
    if (arg.type === 'Word') return toWord(arg, toPlace);
    // `export NAME=value`
    const value = arg.value.type === 'Word' ? toWord(arg.value, toPlace) : { text: '' };
    return { ...value, text: `${arg.name}=${value.text}`, ...toPlace(arg.pos) };
  });
  const words = [...(node.name ? [toWord(node.name, toPlace)] : []), ...suffix].filter(({ text }) => text !== ' ');
  add({ env, words, redirects: node.redirects.flatMap(toRedirect) }, into);
}

/** A line that begins with a flag is the rest of the one before: its backslash got lost. */
function add(command: ShellCommand, { commands, notes }: Collector): void {
  const [first] = command.words;
  const before = commands.at(-1);
  if (first === undefined || before === undefined || !first.text.startsWith('-')) {
    commands.push(command);
    return;
  }
  const message = say('import.no-backslash', { word: first.text });
  find(notes, first, { code: 'profile/import-healed', severity: 'warning', message });
  commands[commands.length - 1] = {
    ...before,
    words: [...before.words, ...command.words],
    redirects: [...before.redirects, ...command.redirects],
  };
}

function toRedirect(redirect: Redirection): readonly string[] {
  const isFile = redirect.type === 'Redirect' && !/^[<>]&$/.test(redirect.operator);
  return isFile ? [`${redirect.operator} ${redirect.target?.text ?? ''}`.trim()] : [];
}

function toWord(word: ShellWord, toPlace: Collector['toPlace']): Word {
  const pieces = word.parts?.map(toPiece) ?? [{ text: word.value }];
  const text = pieces.map((piece) => piece.text).join('');
  const open = pieces.find((piece) => piece.open !== undefined)?.open ?? toPlaceholder(text);
  return { text, ...(open === undefined ? {} : { open }), ...toPlace(word.pos) };
}

/** `<your-model>`; not the marks of templates and JSON. */
function toPlaceholder(text: string): string | undefined {
  return /^(?:[^{<]*[=:/])?(<[A-Za-z][\w .-]*>)/.exec(text)?.[1];
}

function toPiece(part: WordPart): Pick<Word, 'text' | 'open'> {
  switch (part.type) {
    case 'Literal':
    case 'SingleQuoted':
    case 'AnsiCQuoted':
      return { text: part.value };
    case 'Glob':
    case 'ExtendedGlob':
      return { text: part.text };
    case 'DoubleQuoted':
    case 'LocaleString': {
      const inner = part.parts.map(toPiece);
      const open = inner.find((piece) => piece.open !== undefined)?.open;
      return { text: inner.map(({ text }) => text).join(''), ...(open === undefined ? {} : { open }) };
    }
    default:
      return toFilledIn(part.text);
  }
}

/** What the text itself says about a variable: its default, or that it is the home directory. */
export function toFilledIn(text: string): Pick<Word, 'text' | 'open'> {
  if (/^\$(HOME|\{HOME\})$/.test(text)) return { text: '~' };
  const fallback = /^\$\{\w+:?-([^${}`"']*)\}$/.exec(text)?.[1];
  return fallback === undefined ? { text, open: text } : { text: fallback };
}
