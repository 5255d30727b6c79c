/** Options of every command, read before the line is parsed, so that even a mistyped line fails in the asked-for form. */
import { type AskedOutput, outputModes } from '../views/choose.ts';

export interface Globals {
  readonly output: AskedOutput;
  readonly lang: string;
  readonly debug: boolean;
}

export function readGlobals(argv: readonly string[]): Globals {
  const end = argv.indexOf('--');
  const words = end < 0 ? argv : argv.slice(0, end);
  const output = findValue(words, '--output', '-o');
  return {
    output: outputModes.find((mode) => mode === output) ?? 'auto',
    lang: findValue(words, '--lang') ?? 'en',
    debug: words.includes('--debug'),
  };
}

function findValue(words: readonly string[], long: string, short?: string): string | undefined {
  let found: string | undefined;
  for (const [index, word] of words.entries()) {
    if (word === long || (short !== undefined && word === short)) found = words[index + 1];
    else if (word.startsWith(`${long}=`)) found = word.slice(long.length + 1);
    else if (short !== undefined && word.startsWith(short) && !word.startsWith('--')) found = word.slice(short.length);
  }
  return found;
}
