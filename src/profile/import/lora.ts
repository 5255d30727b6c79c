/** `--lora-modules` → the adapters of a profile. */
import { say } from '../../core/message.ts';
import type { SettingValue } from '../profile.ts';
import { drop, type Notes } from './launch.ts';
import type { Paths } from './paths.ts';
import type { PlacedSetting, Tree } from './place.ts';

/** Takes what it understands out of the settings; adapters need `enable-lora`, so the profile does not repeat it. */
export function toLora(
  set: Map<string, PlacedSetting>,
  { paths, notes }: { readonly paths: Paths; readonly notes: Notes },
): Tree | undefined {
  const modules = set.get('lora-modules');
  if (modules === undefined) return undefined;
  const adapters = [modules.value].flat().map(toAdapter);
  set.delete('lora-modules');
  // The catalogue says what is wrong with it.
  if (adapters.length === 0 || adapters.some((adapter) => adapter === undefined)) return undefined;
  if (set.get('enable-lora')?.value === true) set.delete('enable-lora');
  const entries = adapters.flatMap((adapter) => {
    if (adapter === undefined) return [];
    for (const name of adapter.rest) drop(notes, `${adapter.name}: ${name}`, say('import.why.adapter'));
    const path = paths.toHere(adapter.path);
    return [[adapter.name, adapter.base === undefined ? path : { path, 'base-model': adapter.base }] as const];
  });
  return Object.fromEntries(entries);
}

interface Adapter {
  readonly name: string;
  readonly path: string;
  readonly base?: string;
  /** Fields that a profile has no place for. */
  readonly rest: readonly string[];
}

function toAdapter(value: SettingValue): Adapter | undefined {
  if (typeof value === 'string') {
    const [, name, path] = /^([^=,]+)=([^=,]+)$/.exec(value) ?? [];
    return name !== undefined && path !== undefined ? { name, path, rest: [] } : undefined;
  }
  if (typeof value !== 'object' || Array.isArray(value)) return undefined;
  const { name, path, base_model_name: base, ...rest } = value as Readonly<Record<string, SettingValue>>;
  if (typeof name !== 'string' || typeof path !== 'string') return undefined;
  return { name, path, rest: Object.keys(rest), ...(typeof base === 'string' ? { base } : {}) };
}
