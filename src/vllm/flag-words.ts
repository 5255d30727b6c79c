/** One setting as the words of `vllm serve`, as one version spells them. */
import type { SettingValue } from '../profile/profile.ts';
import { toWord } from './flag-values.ts';
import type { Flag, FlagCatalogue } from './flags.ts';

/** Without a catalogue (a version that has none) the shape of the value decides. */
export function toFlagWords(name: string, value: SettingValue, flag?: Flag): readonly string[] {
  if (name.includes('.')) return toPair(name, toDottedWord(value));
  if (value === true) return [`--${name}`];
  if (value === false) return [(flag?.kind === 'boolean' && flag.negative) || `--no-${name}`];
  if (!Array.isArray(value) || flag?.kind.startsWith('json')) return toPair(name, toWord(value));
  const words = value.map((item: SettingValue) => toWord(item));
  if (flag?.separator !== undefined) return toPair(name, words.join(flag.separator));
  if (flag?.repeat) return words.flatMap((word) => toPair(name, word));
  return words.length === 1 ? toPair(name, words[0] ?? '') : [`--${name}`, ...words];
}

/** What toFlagWords needs of a catalogue, a tenth of it. */
export function toSpellings({ version, flags }: FlagCatalogue): FlagCatalogue {
  const told = Object.entries(flags).flatMap(([name, { kind, negative, separator, repeat }]): readonly (readonly [string, Flag])[] => {
    const odd = (kind === 'boolean' && negative) || separator !== undefined || repeat || kind.startsWith('json');
    if (!odd) return [];
    const spelling = {
      ...(negative ? { negative } : {}),
      ...(separator === undefined ? {} : { separator }),
      ...(repeat ? { repeat } : {}),
    };
    return [[name, { kind, group: 0, ...spelling }]];
  });
  return { version, groups: [], flags: Object.fromEntries(told) };
}

/**
 * A word that looks like a flag must hang on its own. A negative whole number does not look like one, and a negative
 * decimal does to vLLM: it takes `-0.5` for a dotted name and the next word for its value.
 */
function toPair(name: string, word: string): readonly string[] {
  return /^-(?!\d+$)/.test(word) ? [`--${name}=${word}`] : [`--${name}`, word];
}

/** Text stays as it is: vLLM reads it as JSON, then as a size (`80g`), then as text. */
function toDottedWord(value: SettingValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
