/** Makes wrong profiles of good ones, always the same ones for the same seed. */

export type Random = () => number;

/** mulberry32: small, and good enough to choose by. */
export function createRandom(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** One to four changes of different kinds. */
export function mutate(text: string, others: readonly string[], random: Random): string {
  let changed = text;
  for (let count = 1 + Math.floor(random() * 4); count > 0; count -= 1) changed = pick(changes, random)(changed, { others, random });
  return changed;
}

interface ChangeOptions {
  readonly others: readonly string[];
  readonly random: Random;
}

type Change = (text: string, options: ChangeOptions) => string;

function pick<T>(list: readonly T[], random: Random): T {
  return list[Math.floor(random() * list.length)] as T;
}

function atLine(text: string, random: Random, change: (lines: string[], index: number) => void): string {
  const lines = text.split('\n');
  change(lines, Math.floor(random() * lines.length));
  return lines.join('\n');
}

const oddTexts = [
  '\t',
  '\0',
  '\u0007',
  '\uFEFF',
  '\u2028',
  '🚀',
  'ﬀ',
  '٣',
  '"',
  "'",
  '`',
  '@',
  '%',
  '|',
  '>',
  '*a',
  '&a ',
  '!x ',
  '- ',
  '? ',
  ': ',
  ', ',
  '#',
  '{',
  '}',
  '[',
  ']',
  '<<: ',
  '---\n',
  '\r',
];
const oddValues = [
  '',
  '~',
  'true',
  'no',
  'off',
  '0',
  '-1',
  '1e400',
  '.nan',
  '010',
  '0x1F',
  '1_000',
  '9007199254740993',
  '2024-01-01',
  '1:30',
  '"8"',
  '[]',
  '{}',
  '[1, [2, [3]]]',
  '{a: {b: c}}',
  '!!binary aGk=',
  '*nobody',
  '&here 1',
  'env:',
  'file:',
  '../..',
  '\u202Eabc',
  '"\\0"',
  "'it''s'",
  'é'.repeat(300),
  'hf_0123456789abcdefABCDEF',
];
const oddKeys = [
  '__proto__',
  'constructor',
  'toString',
  '1',
  'true',
  '~',
  '"a b"',
  'modle',
  'served_names',
  'x-mine',
  'vllm',
  'served-names+',
  'extends',
  'hasOwnProperty',
  'max-model-len',
  '? a',
  '[a]',
  'port',
];

const changes: readonly Change[] = [
  (text, { random }) => text.slice(0, Math.floor(random() * text.length)),
  (text, { random }) => atLine(text, random, (lines, index) => lines.splice(index, 1)),
  (text, { random }) => atLine(text, random, (lines, index) => lines.splice(index, 0, lines[Math.floor(random() * lines.length)] ?? '')),
  (text, { random }) =>
    atLine(text, random, (lines, index) => {
      const other = Math.floor(random() * lines.length);
      [lines[index], lines[other]] = [lines[other] ?? '', lines[index] ?? ''];
    }),
  (text, { random }) =>
    atLine(text, random, (lines, index) => {
      lines[index] = `${pick(['', ' ', '  ', '    ', '\t'], random)}${(lines[index] ?? '').trimStart()}`;
    }),
  (text, { random }) =>
    atLine(text, random, (lines, index) => {
      lines[index] = (lines[index] ?? '').replace(/:( .*)?$/, `: ${pick(oddValues, random)}`);
    }),
  (text, { random }) =>
    atLine(text, random, (lines, index) => {
      lines[index] = (lines[index] ?? '').replace(/^(\s*)[^\s#:][^:]*:/, (_, indent: string) => `${indent}${pick(oddKeys, random)}:`);
    }),
  (text, { random }) => {
    const at = Math.floor(random() * text.length);
    return text.slice(0, at) + pick(oddTexts, random) + text.slice(at + Math.floor(random() * 3));
  },
  (text, { random }) => {
    const at = Math.floor(random() * text.length);
    return text.slice(0, at) + text.slice(at + Math.floor(random() * 20));
  },
  (text, { others, random }) => {
    const other = pick(others, random);
    return text.slice(0, Math.floor(random() * text.length)) + other.slice(Math.floor(random() * other.length));
  },
  (text, { random }) => `${text}\nfallback: ${'['.repeat(Math.floor(random() * 100))}1${']'.repeat(Math.floor(random() * 100))}\n`,
  (text, { random }) => text.replaceAll('\n', pick(['\r\n', '\n\n', '\n  ', ' '], random)),
  (text, { random }) => text.replaceAll(pick([': ', '"', '  ', '#', '- '], random), pick(['', ':', "'", '\t', '  '], random)),
  (text, { random }) =>
    [...text].map((character) => (random() < 0.01 ? String.fromCodePoint(32 + Math.floor(random() * 0x2500)) : character)).join(''),
];
