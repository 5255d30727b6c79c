/**
 * The first look at the words of `vllm serve`, as vLLM takes it before argparse does: underscores, `-O3`, and dotted
 * words, which it pulls out wherever they stand and puts at the end as one JSON value.
 */
import type { FlagCatalogue } from './flags.ts';

/** A word, and its place in the line as it was written. */
export interface Placed {
  readonly text: string;
  readonly at: number;
}

/** `--compilation-config.mode 3`: `flag` is `--compilation-config`, `path` is `mode`. */
export interface Dotted {
  readonly flag: string;
  readonly path: string;
  readonly value: string | undefined;
  readonly at: readonly number[];
}

export interface Words {
  readonly plain: readonly Placed[];
  readonly dotted: readonly Dotted[];
}

export function toWords(texts: readonly string[]): Words {
  const words = texts.flatMap((text, at) => toSpelled(text, { at, next: texts[at + 1] }));
  const plain: Placed[] = [];
  const dotted: Dotted[] = [];
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index];
    if (word === undefined) break;
    const head = word.text.split('=', 1)[0] ?? '';
    if (!head.startsWith('-') || !head.includes('.')) plain.push(word);
    else if (head !== word.text) dotted.push(toDotted(head, { value: word.text.slice(head.length + 1), at: [word.at] }));
    else {
      // Whatever follows is the value, also another flag.
      const next = words[index + 1];
      dotted.push(toDotted(head, { value: next?.text, at: next ? [word.at, next.at] : [word.at] }));
      index += 1;
    }
  }
  return { plain, dotted };
}

function toDotted(head: string, rest: Pick<Dotted, 'value' | 'at'>): Dotted {
  const dot = head.indexOf('.');
  return { flag: head.slice(0, dot), path: head.slice(dot + 1), ...rest };
}

function toSpelled(text: string, { at, next }: { readonly at: number; readonly next: string | undefined }): readonly Placed[] {
  if (text.startsWith('--')) return [{ text: text.replace(/^--[^.=]*/, (name) => name.replaceAll('_', '-')), at }];
  const level = '--optimization-level';
  if (text === '-O') return [{ text: /^[0-3]$/.test(next ?? '') ? level : text, at }];
  if (!text.startsWith('-O')) return [{ text, at }];
  return [
    { text: level, at },
    { text: text.slice(text[2] === '=' ? 3 : 2), at },
  ];
}

/** What one spelling does: set a flag, or store false in it. */
export interface Spelling {
  readonly name: string;
  readonly off: boolean;
}

export type Spellings = ReadonlyMap<string, Spelling>;

/** Every word that the version's parser takes for a flag, with its dashes. */
export function toSpellings({ flags }: FlagCatalogue): Spellings {
  const all = Object.entries(flags).flatMap(([name, { kind, aliases = [], negative, negatives = [] }]) => {
    const offs = kind !== 'boolean' || negative === false ? [] : [negative ?? `--no-${name}`, ...negatives];
    const on = [`--${name}`, ...aliases].map((word): readonly [string, Spelling] => [word, { name, off: false }]);
    return [...on, ...offs.map((word): readonly [string, Spelling] => [word, { name, off: true }])];
  });
  return new Map(all);
}

export type Match =
  | { readonly is: 'value' }
  | { readonly is: 'flag'; readonly spelling: Spelling; readonly word: string; readonly value?: string; readonly short?: true }
  | { readonly is: 'unknown'; readonly word: string; readonly value?: string }
  | { readonly is: 'ambiguous'; readonly word: string; readonly words: readonly string[] };

/** What argparse takes a word for; it decides so for every word before it gives values to flags. */
export function toMatch(text: string, spellings: Spellings): Match {
  if (!text.startsWith('-') || text === '-') return { is: 'value' };
  const exact = spellings.get(text);
  if (exact) return { is: 'flag', spelling: exact, word: text };
  const cut = text.indexOf('=');
  const word = cut < 0 ? text : text.slice(0, cut);
  const value = cut < 0 ? {} : { value: text.slice(cut + 1) };
  const joined = cut < 0 ? undefined : spellings.get(word);
  if (joined) return { is: 'flag', spelling: joined, word, ...value };
  const begun = text.startsWith('--') ? findLong(word, spellings) : findShort(text, spellings);
  if (begun.length > 1) return { is: 'ambiguous', word, words: begun.map(({ full }) => full) };
  const [one] = begun;
  if (one?.glued !== undefined) return { is: 'flag', spelling: one.spelling, word: one.written, value: one.glued };
  if (one) return { is: 'flag', spelling: one.spelling, word: one.written, short: true, ...value };
  // A number is a value, and so is what holds a space.
  if (/^-\d+$|^-\d*\.\d+$/.test(text) || text.includes(' ')) return { is: 'value' };
  return { is: 'unknown', word, ...value };
}

interface Begun {
  readonly full: string;
  readonly written: string;
  readonly spelling: Spelling;
  /** `-qawq` is `-q awq`. */
  readonly glued?: string;
}

function findLong(word: string, spellings: Spellings): readonly Begun[] {
  return [...spellings].flatMap(([full, spelling]) => (full.startsWith(word) ? [{ full, written: word, spelling }] : []));
}

function findShort(text: string, spellings: Spellings): readonly Begun[] {
  return [...spellings].flatMap(([full, spelling]): readonly Begun[] => {
    if (full === text.slice(0, 2)) return [{ full, written: full, spelling, glued: text.slice(2) }];
    return full.startsWith(text) ? [{ full, written: text, spelling }] : [];
  });
}
