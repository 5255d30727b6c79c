/** The steps of `fallback:` by paths as in `--set`, and a profile as what has to be set on top of another one. */
import { isMap } from './map.ts';
import type { FallbackStep, Profile, WrittenStep } from './profile.ts';
import { toWrittenSettings } from './written.ts';

/** What `max-model-len` of a step may be: the length that vLLM itself says there is room for. */
export const estimated = 'estimated';
export const lengthPath = 'vllm.max-model-len';

/** Every step with its settings by their paths. */
export function toFallbackSteps(written: readonly WrittenStep[]): readonly FallbackStep[] {
  return written.map(({ profile, ...settings }): FallbackStep => {
    if (typeof profile === 'string') return { name: profile, profile };
    const set = toPaths(settings);
    const words = Object.entries(set).map(([path, value]) => `${path}=${value === null ? 'null' : toWord(value)}`);
    return { name: words.join(', '), set };
  });
}

function toWord(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Blocks whose settings have paths of their own; all else is set as a whole, as `--set` does. */
const blocks = ['vllm', 'engine', 'engine.env', 'resources', 'health', 'restart', 'stop', 'model'];

function toPaths(tree: Readonly<Record<string, unknown>>, block = ''): Readonly<Record<string, unknown>> {
  const entries = Object.entries(tree).flatMap(([key, value]): readonly (readonly [string, unknown])[] => {
    const path = block === '' ? key : `${block}.${key}`;
    return isMap(value) && blocks.includes(path) ? Object.entries(toPaths(value, path)) : [[path, value]];
  });
  return Object.fromEntries(entries);
}

/** What clients and people know it by stays that of the profile, as with a step of `adapt`. */
const kept = /^(server|served-names|replicas|notify|logs|labels|adapt|fallback|lora|vllm)(\.|$)/;

/** What has to be set on top of one profile to start what another one does. */
export function toDifference(base: Profile, other: Profile): Readonly<Record<string, unknown>> {
  const [old, now] = [toPlain(base), toPlain(other)];
  const vllm = toMapDifference(base.vllm, other.vllm);
  const lora = JSON.stringify(base.lora) === JSON.stringify(other.lora) ? {} : { lora: toAdapters(base, other) };
  return {
    ...toMapDifference(old, now),
    ...Object.fromEntries(Object.entries(vllm).map(([name, value]) => [`vllm.${name}`, value])),
    ...lora,
  };
}

function toPlain(profile: Profile): Readonly<Record<string, unknown>> {
  return Object.fromEntries([...toWrittenSettings(profile)].filter(([path]) => !kept.test(path)));
}

/** Maps merge with what is there, so that what the other one does not have is taken away field by field. */
function toMapDifference(
  old: Readonly<Record<string, unknown>>,
  now: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const gone = Object.keys(old).flatMap((key) => (Object.hasOwn(now, key) ? [] : [[key, null] as const]));
  const changed = Object.entries(now).flatMap(([key, value]) => {
    const before = Object.hasOwn(old, key) ? old[key] : undefined;
    if (JSON.stringify(before) === JSON.stringify(value)) return [];
    return [[key, isMap(before) && isMap(value) ? toMapDifference(before, value) : value] as const];
  });
  return Object.fromEntries([...gone, ...changed]);
}

function toAdapters(base: Profile, other: Profile): Readonly<Record<string, unknown>> {
  const gone = Object.keys(base.lora).map((name) => [name, null] as const);
  const now = Object.entries(other.lora).map(([name, { path, baseModel }]) => [name, { path, 'base-model': baseModel ?? null }] as const);
  return Object.fromEntries([...gone, ...now]);
}
