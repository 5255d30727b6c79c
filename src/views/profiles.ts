/** Profiles as a table, and one in full with where each value was written. */
import { say } from '../core/message.ts';
import type { Origin, Profile } from '../profile/profile.ts';
import { toText } from '../text/render.ts';
import type { Palette } from './screen.ts';
import { renderTable } from './tables.ts';

export interface ProfileSummary {
  readonly name: string;
  readonly description: string;
  readonly model: string;
}

/** `width` of the terminal, where there is one. */
export function renderProfileList(profiles: readonly ProfileSummary[], palette: Palette, width?: number): string {
  const head = [say('views.column.name'), say('views.column.model'), say('views.column.description')].map(toText);
  return renderTable([head, ...profiles.map(({ name, model, description }) => [name, model, description])], palette, width);
}

/** The Profile document; `origins` only where they were asked for. */
export function toProfileDocument({ origins, ...settings }: Profile, { explain }: { readonly explain: boolean }): object {
  return { kind: 'Profile', version: 1, ...settings, ...(explain ? { origins } : {}) };
}

export interface ProfileForm {
  readonly palette: Palette;
  /** Everything, with its origin; otherwise what somebody wrote. */
  readonly explain: boolean;
}

export function renderProfile(profile: Profile, { palette, explain }: ProfileForm): string {
  const { name, source, description, origins, ...settings } = profile;
  const rows = flatten('', settings).map(({ path, value }) => ({ path, value, origin: findOrigin(path, origins) }));
  const shown = explain ? rows : rows.filter(({ path, origin }) => origin !== undefined || path === 'model.id');
  const cells = shown.map(({ path, value, origin }) => [path, value, ...(explain ? [toOriginText(origin)] : [])]);
  const head = [say('views.column.setting'), say('views.column.value'), ...(explain ? [say('views.column.from')] : [])].map(toText);
  const title = `${palette.strong(name)}  ${palette.dim(toText(say('views.profile.source', { source })))}\n`;
  return `${title}${description ? `${description}\n` : ''}\n${renderTable([head, ...cells], palette)}`;
}

interface Setting {
  /** As in a profile and in `--set`. */
  readonly path: string;
  readonly value: string;
}

/** Values as one writes them: `30s` and not `30000`, and under the key that takes it. */
function flatten(path: string, value: unknown): readonly Setting[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [toSetting(path, value)];
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  // Names of variables and of vLLM's own settings are not ours to respell.
  const respell = path === 'vllm' || path === 'engine.env' || path === 'labels' ? (key: string) => key : toKebab;
  return entries.flatMap(([key, inner]) => flatten(path === '' ? toKebab(key) : `${path}.${respell(key)}`, inner));
}

function toSetting(path: string, value: unknown): Setting {
  const ours = !path.startsWith('vllm.') && !path.startsWith('engine.env.') && typeof value === 'number';
  if (ours && path.endsWith('-ms')) return { path: path.slice(0, -3), value: toUnitText(value, durations, 'ms') };
  if (ours && path.endsWith('-bytes')) return { path: path.slice(0, -6), value: toUnitText(value, sizes, 'B') };
  return { path, value: typeof value === 'string' ? value : JSON.stringify(value) };
}

type Units = readonly (readonly [string, number])[];

const durations: Units = [
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
];

const sizes: Units = [
  ['GiB', 2 ** 30],
  ['MiB', 2 ** 20],
  ['KiB', 2 ** 10],
];

/** In the largest unit that needs no fraction. */
function toUnitText(amount: number, units: Units, least: string): string {
  const [unit, factor] = units.find(([, size]) => amount >= size && amount % size === 0) ?? [least, 1];
  return `${amount / factor}${unit}`;
}

/** A setting without an origin of its own may have been written as part of a block. */
function findOrigin(path: string, origins: Profile['origins']): Origin | undefined {
  const own = origins[path];
  if (own !== undefined || !path.includes('.')) return own;
  return findOrigin(path.slice(0, path.lastIndexOf('.')), origins);
}

function toOriginText(origin: Origin | undefined): string {
  if (origin === undefined) return toText(say('views.profile.default'));
  return origin.from === 'set' ? toText(say('views.profile.set')) : `${origin.file}:${origin.line}`;
}

function toKebab(key: string): string {
  return key.replace(/[a-z][A-Z]/g, (pair) => `${pair[0]}-${pair[1]?.toLowerCase()}`);
}
