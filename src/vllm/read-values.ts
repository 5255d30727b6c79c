/** Words → the value of a setting, in the kind that its flag has. What does not fit stays text: the checks say what is wrong. */
import type { SettingValue } from '../profile/profile.ts';
import type { Flag } from './flags.ts';

/** Of the words behind a flag that takes values; none is the flag standing alone. */
export function toSettingValue(words: readonly string[], flag: Flag): SettingValue {
  if (words.length === 0) return true;
  if (flag.kind === 'list') {
    const items = flag.separator === undefined ? words : words.flatMap((word) => word.split(flag.separator ?? ','));
    return items.map((word) => toItem(word, flag));
  }
  return toScalar(words[0] ?? '', flag);
}

/** A word behind a dotted name is read as JSON, then as a size, then as text. */
export function toDottedValue(word: string): SettingValue {
  const read = parseJson(word);
  // As text, these would be read once more, and as something else.
  if (typeof read === 'string') return parseJson(read) === undefined ? read : word;
  return read === undefined || !isKeepable(read, word) ? word : (read as SettingValue);
}

/** Of a flag that nobody knows: as YAML would read it. */
export function toGuess(word: string): SettingValue {
  if (isNumber(word)) return Number(word);
  return /^\s*[[{]/.test(word) ? toJsonValue(word) : word;
}

function toItem(word: string, { item }: Flag): SettingValue {
  if (item === 'integer') return toWhole(word);
  if (item === 'number') return isNumber(word) ? Number(word) : word;
  return item === 'key-value-or-json' && word.trim().startsWith('{') ? toJsonValue(word) : word;
}

function toScalar(word: string, flag: Flag): SettingValue {
  switch (flag.kind) {
    case 'integer':
    case 'human-integer':
    case 'human-integer-or-auto':
      return toWhole(word);
    case 'number':
      return isNumber(word) ? Number(word) : word;
    case 'json':
      return toJsonValue(word);
    case 'json-or-string':
      return /^\s*\{.*\}\s*$/s.test(word) ? toJsonValue(word) : word;
    default: {
      const list = flag.choices ?? flag.known ?? [];
      return list.find((choice) => typeof choice === 'number' && String(choice) === word) ?? word;
    }
  }
}

function toWhole(word: string): SettingValue {
  const value = Number(word);
  return /^\s*[+-]?\d+\s*$/.test(word) && Number.isSafeInteger(value) ? value : word;
}

function isNumber(word: string): boolean {
  return /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(word) && Number.isFinite(Number(word));
}

function toJsonValue(word: string): SettingValue {
  const read = parseJson(word);
  return typeof read === 'object' && isKeepable(read, word) ? (read as SettingValue) : word;
}

/** In a profile null takes a setting away, and numbers are no longer than JavaScript's: such JSON stays as it was written. */
function isKeepable(read: unknown, word: string): boolean {
  return !hasNull(read) && !/\d{16}/.test(word);
}

function hasNull(value: unknown): boolean {
  if (value === null) return true;
  return typeof value === 'object' && Object.entries(value).some(([key, inner]) => key === '__proto__' || hasNull(inner));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // not JSON, which is an answer
    return undefined;
  }
}
