/** A resolved profile as one would write it: paths as in `--set`, `30s` and not 30000. */
import { isMap } from './map.ts';
import type { Profile, SettingValue } from './profile.ts';

/** Every setting that has a value, defaults too; name, source and description are about the profile and not of it. */
export function toWrittenSettings(profile: Profile): ReadonlyMap<string, SettingValue> {
  const { name: _, source: __, description: ___, origins: ____, ...settings } = profile;
  return new Map(toEntries([], settings));
}

/** Names below these are the person's or vLLM's; nothing is respelled. */
const foreign = [['vllm'], ['labels'], ['engine', 'env']];

function toEntries(path: readonly string[], value: unknown): readonly (readonly [string, SettingValue])[] {
  // What is absent, and a map with nothing in it, has not been set.
  if (value === undefined) return [];
  if (!isMap(value)) return [toEntry(path, value as SettingValue)];
  return Object.entries(value).flatMap(([key, inner]) => toEntries([...path, key], inner));
}

function toEntry(path: readonly string[], value: SettingValue): readonly [string, SettingValue] {
  if (foreign.some((block) => block.every((step, index) => path[index] === step))) return [path.join('.'), value];
  // Adapters are named by the person, their fields by us.
  const steps = path.map((step, index) => (path[0] === 'lora' && index === 1 ? step : toKebab(step)));
  const [, key, unit] = /^(.*)-(ms|bytes|percent)$/.exec(steps.at(-1) ?? '') ?? [];
  if (key === undefined || typeof value !== 'number') return [steps.join('.'), value];
  if (unit === 'percent') return [[...steps.slice(0, -1), key].join('.'), `${value}%`];
  return [[...steps.slice(0, -1), key].join('.'), unit === 'ms' ? toDuration(value) : toSize(value)];
}

function toKebab(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function toDuration(ms: number): string {
  if (ms % 1000 !== 0) return `${ms}ms`;
  const seconds = ms / 1000;
  if (seconds % 3600 === 0 && seconds > 0) return `${seconds / 3600}h`;
  return seconds % 60 === 0 && seconds > 0 ? `${seconds / 60}m` : `${seconds}s`;
}

/** In the units that make the shorter number of it. */
function toSize(bytes: number): string {
  const of = (base: number, steps: readonly string[]) => {
    const power = steps.findLastIndex((_, index) => bytes % base ** index === 0);
    return { value: bytes / base ** power, unit: steps[power] };
  };
  const [binary, decimal] = [of(1024, ['B', 'KiB', 'MiB', 'GiB']), of(1000, ['B', 'kB', 'MB', 'GB'])];
  const { value, unit } = decimal.value < binary.value ? decimal : binary;
  return bytes === 0 ? '0B' : `${value}${unit}`;
}
