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

export function renderProfileList(profiles: readonly ProfileSummary[], palette: Palette): string {
  const head = [say('views.column.name'), say('views.column.model'), say('views.column.description')].map(toText);
  return renderTable([head, ...profiles.map(({ name, model, description }) => [name, model, description])], palette);
}

export function renderProfile(profile: Profile, palette: Palette): string {
  const { name, source, description, origins, ...settings } = profile;
  const rows = flatten('', settings).map(([path, value]) => [path, value, toOriginText(findOrigin(path, origins))]);
  const head = [say('views.column.setting'), say('views.column.value'), say('views.column.from')].map(toText);
  const title = `${palette.strong(name)}  ${palette.dim(toText(say('views.profile.source', { source })))}\n`;
  return `${title}${description ? `${description}\n` : ''}\n${renderTable([head, ...rows], palette)}`;
}

function flatten(path: string, value: unknown): readonly (readonly [string, string])[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return [[path, typeof value === 'string' ? value : JSON.stringify(value)]];
  }
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return entries.flatMap(([key, inner]) => flatten(path === '' ? toKebab(key) : `${path}.${toKebab(key)}`, inner));
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
