/** What several rules ask of a profile. All of it total: what was not written, or is no such value, is undefined. */
import { type ModelFacts, toModelFacts } from '../../model/catalogue.ts';
import { parseHumanInteger } from '../../vllm/flag-values.ts';
import { isNewer } from '../../vllm/flag-version.ts';
import { isMap } from '../map.ts';
import type { Profile, SettingValue } from '../profile.ts';

/** A whole number of vLLM's: `8K` is 8192. `auto` is -1, as vLLM has it. */
export function toWhole({ vllm }: Profile, name: string): number | undefined {
  const value = vllm[name];
  if (typeof value === 'number') return Number.isInteger(value) ? value : undefined;
  if (typeof value !== 'string') return undefined;
  return value.trim().toLowerCase() === 'auto' ? -1 : parseHumanInteger(value);
}

export function toWord({ vllm }: Profile, name: string): string | undefined {
  const value = vllm[name];
  return typeof value === 'string' ? value : undefined;
}

export function isOn({ vllm }: Profile, name: string): boolean {
  return vllm[name] === true;
}

export function isOff({ vllm }: Profile, name: string): boolean {
  return vllm[name] === false;
}

export function isWritten({ vllm }: Profile, name: string): boolean {
  return Object.hasOwn(vllm, name);
}

/** Of several settings, those that were written. */
export function toWritten(profile: Profile, names: readonly string[]): readonly string[] {
  return names.filter((name) => isWritten(profile, name));
}

export type Fields = Readonly<Record<string, SettingValue>>;

/** A JSON setting as one map, whether it was written as one or in dotted parts. Undefined: not there, or no map. */
export function toFields({ vllm }: Profile, name: string): Fields | undefined {
  const whole = vllm[name];
  if (whole !== undefined) return isMap(whole) ? (whole as Fields) : undefined;
  const parts = Object.entries(vllm).filter(([key]) => key.startsWith(`${name}.`));
  if (parts.length === 0) return undefined;
  return parts.reduce<Fields>((map, [key, value]) => putAt(map, key.slice(name.length + 1).split('.'), value), {});
}

function putAt(map: Fields, [step = '', ...rest]: readonly string[], value: SettingValue): Fields {
  if (rest.length === 0) return { ...map, [step]: value };
  const below = map[step];
  return { ...map, [step]: putAt(isMap(below) ? (below as Fields) : {}, rest, value) };
}

export function toField(fields: Fields | undefined, name: string): Fields | undefined {
  const value = fields?.[name];
  return isMap(value) ? (value as Fields) : undefined;
}

export function toNumber(value: SettingValue | undefined): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

/** Where a field was written, in the map or by its own dotted key; of one that was not, where the setting was. */
export function toFieldPath({ vllm }: Profile, name: string, field: string): string {
  const whole = vllm[name];
  if (isMap(whole)) return Object.hasOwn(whole, field) ? `vllm.${name}.${field}` : `vllm.${name}`;
  const dotted = Object.keys(vllm).find((key) => key === `${name}.${field}` || key.startsWith(`${name}.${field}.`));
  return dotted === undefined ? `vllm.${name}` : `vllm.${dotted}`;
}

/** A change of one field, in the manner in which the setting was written; maps merge, and null takes a field away. */
export function toFieldFix({ vllm }: Profile, name: string, change: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  if (isMap(vllm[name])) return { [`vllm.${name}`]: change };
  return Object.fromEntries(Object.entries(change).map(([field, value]) => [`vllm.${name}.${field}`, value]));
}

/** Of a model of the hub that the catalogue knows; a local checkpoint may be anything. */
export function toModel({ model }: Profile): ModelFacts | undefined {
  return model.source === 'hub' ? toModelFacts(model.id) : undefined;
}

export function isCpu({ engine }: Profile): boolean {
  return engine.variant === 'cpu';
}

/** Whether the engine's version is that one or newer. */
export function isSince({ engine }: Profile, version: string): boolean {
  return !isNewer(version, engine.version);
}

/** The longest request: as written, else the model's own, as vLLM takes it; `auto` begins with the model's, too. */
export function toLength(profile: Profile): number | undefined {
  const written = toWhole(profile, 'max-model-len');
  if (written !== undefined && written > 0) return written;
  // Overrides may change what the model's own length is.
  const changed = toFields(profile, 'hf-overrides') !== undefined || isWritten(profile, 'hf-overrides');
  return changed ? undefined : toModel(profile)?.maxPositions;
}
