/** Profiles as a table, and one in full with where each value comes from. */
import type { Finding } from '../core/finding.ts';
import { say } from '../core/message.ts';
import type { Profile } from '../profile/profile.ts';
import { toText } from '../text/render.ts';
import { toFindingDocument } from './documents.ts';
import { type Decided, findOrigin, type ProfileSetting, toExplained, toOriginDocuments } from './profile-origins.ts';
import type { Palette } from './screen.ts';
import { renderTable } from './tables.ts';

export interface ProfileSummary {
  readonly name: string;
  readonly description: string;
  readonly model: string;
  readonly source?: string;
  /** Others of its name, which the name does not reach. */
  readonly shadows?: readonly string[];
}

/** `width` of the terminal, where there is one. */
export function renderProfileList(profiles: readonly ProfileSummary[], palette: Palette, width?: number): string {
  const head = [say('views.column.name'), say('views.column.model'), say('views.column.description')].map(toText);
  const table = renderTable([head, ...profiles.map(({ name, model, description }) => [name, model, description])], palette, width);
  const notes = profiles.flatMap(({ source = '', shadows = [] }) =>
    shadows.map((shadowed) => palette.dim(toText(say('views.profile.shadows', { source, shadowed })))),
  );
  return notes.length === 0 ? table : `${table}\n${notes.join('\n')}\n`;
}

export interface ShownProfile {
  readonly profile: Profile;
  readonly findings: readonly Finding[];
  /** What a plan makes of it on this machine; absent where that was not asked, or could not be said. */
  readonly decisions?: readonly Decided[];
}

/** The Profile document; `origins` of every value only where they were asked for. */
export function toProfileDocument({ profile, findings, decisions = [] }: ShownProfile, { explain }: { readonly explain: boolean }): object {
  const { origins: _, ...settings } = profile;
  const origins = explain ? { origins: toOriginDocuments(profile, toSettings(profile), decisions) } : {};
  const said = findings.length > 0 ? { findings: findings.map(toFindingDocument) } : {};
  return { kind: 'Profile', version: 1, ...settings, ...origins, ...said };
}

export interface ProfileForm {
  readonly palette: Palette;
  /** Everything, with its origin; otherwise what somebody wrote. */
  readonly explain: boolean;
  /** Of the terminal, where there is one. */
  readonly width?: number;
}

export function renderProfile({ profile, decisions = [] }: ShownProfile, { palette, explain, width }: ProfileForm): string {
  const { name, source, description } = profile;
  const settings = toSettings(profile);
  const isWritten = ({ path }: ProfileSetting) => findOrigin(path, profile.origins) !== undefined || path === 'model.id';
  const cells = explain
    ? toExplained(profile, settings, decisions).map(({ path, value, from }) => [path, value, from])
    : settings.filter(isWritten).map(({ path, value }) => [path, value]);
  const head = [say('views.column.setting'), say('views.column.value'), ...(explain ? [say('views.column.from')] : [])].map(toText);
  const title = `${palette.strong(name)}  ${palette.dim(toText(say('views.profile.source', { source })))}\n`;
  return `${title}${description ? `${description}\n` : ''}\n${renderTable([head, ...cells], palette, width)}`;
}

function toSettings({ name: _, source: __, description: ___, origins: ____, ...settings }: Profile): readonly ProfileSetting[] {
  return flatten('', settings);
}

/** Values as one writes them: `30s` and not `30000`, and under the key that takes it. */
function flatten(path: string, value: unknown): readonly ProfileSetting[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [toSetting(path, value)];
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  // Names of variables and of vLLM's own settings are not ours to respell.
  const respell = path === 'vllm' || path === 'engine.env' || path === 'labels' ? (key: string) => key : toKebab;
  return entries.flatMap(([key, inner]) => flatten(path === '' ? toKebab(key) : `${path}.${respell(key)}`, inner));
}

function toSetting(path: string, value: unknown): ProfileSetting {
  const ours = !path.startsWith('vllm.') && !path.startsWith('engine.env.') && typeof value === 'number';
  if (ours && path.endsWith('-ms')) return { path: path.slice(0, -3), value: toUnitText(value, durations, 'ms') };
  if (ours && path.endsWith('-bytes')) return { path: path.slice(0, -6), value: toUnitText(value, sizes, 'B') };
  if (ours && path.endsWith('-percent')) return { path: path.slice(0, -8), value: `${value}%` };
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
  ['GB', 1e9],
  ['MiB', 2 ** 20],
  ['MB', 1e6],
  ['KiB', 2 ** 10],
];

/** In the largest unit that needs no fraction. */
function toUnitText(amount: number, units: Units, least: string): string {
  const [unit, factor] = units.find(([, size]) => amount >= size && amount % size === 0) ?? [least, 1];
  return `${amount / factor}${unit}`;
}

function toKebab(key: string): string {
  return key.replace(/[a-z][A-Z]/g, (pair) => `${pair[0]}-${pair[1]?.toLowerCase()}`);
}
