/** Settings → the words of `vllm serve`. The only place that spells flags. */
import type { SettingValue } from '../profile/profile.ts';
import type { Setting } from './settings.ts';

/** These come first: what is served and where is what people look for in a long line. */
const first = ['host', 'port', 'served-model-name'];

/** The model comes first of all: a flag that takes several words would swallow it. */
export function toServeArgs(model: string, settings: readonly Setting[]): readonly string[] {
  const leading = first.flatMap((name) => settings.filter((setting) => setting.name === name));
  const others = settings.filter((setting) => !first.includes(setting.name));
  return ['serve', model, ...[...leading, ...others].flatMap(({ name, value }) => toWords(name, value))];
}

/** vLLM takes no value after a switch: `--x` and `--no-x` are the two words for it. */
export function toWords(name: string, value: SettingValue): readonly string[] {
  if (value === true) return [`--${name}`];
  if (value === false) return [`--no-${name}`];
  if (Array.isArray(value)) return [`--${name}`, ...value.map(toWord)];
  const word = toWord(value);
  // A word that looks like a flag must hang on its own; a negative number does not look like one.
  return /^-(?!\d)/.test(word) ? [`--${name}=${word}`] : [`--${name}`, word];
}

function toWord(value: SettingValue): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
