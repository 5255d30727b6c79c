/** Where each value of a profile comes from: a line of a file, `--set`, or what decides where nobody wrote anything. */
import { type Message, say } from '../core/message.ts';
import type { Origin, Profile } from '../profile/profile.ts';
import { toText } from '../text/render.ts';

export interface ProfileSetting {
  /** As in a profile and in `--set`. */
  readonly path: string;
  readonly value: string;
}

/** A decision of a plan, with the person's environment told from the rest of the machine. */
export interface Decided {
  readonly setting: string;
  readonly value: unknown;
  readonly from: string;
  readonly reason: Message;
}

export interface Explained extends ProfileSetting {
  readonly from: string;
}

/** The settings of the profile, and below them what a plan adds to them. */
export function toExplained(profile: Profile, settings: readonly ProfileSetting[], decisions: readonly Decided[]): readonly Explained[] {
  const own = settings.map(({ path, value }) => {
    const origin = findOrigin(path, profile.origins);
    const decided = findDecided(path, decisions);
    const written = origin && toOriginText(origin, profile);
    if (decided === undefined) return { path, value, from: written ?? toText(say('views.profile.default')) };
    const from = [written, toDecidedText(decided)].filter((part) => part !== undefined).join('; ');
    return { path, value: isOpen(path, value) ? toArrow(value, toValueText(decided.value)) : value, from };
  });
  const added = toAdded(settings, decisions).map(({ path, decided }) => ({
    path,
    value: toValueText(decided.value),
    from: toDecidedText(decided),
  }));
  return [...own, ...added];
}

/** Key path → origin, for the same settings. */
export function toOriginDocuments(profile: Profile, settings: readonly ProfileSetting[], decisions: readonly Decided[]): object {
  const own = settings.map(({ path }) => {
    const origin = findOrigin(path, profile.origins);
    const decided = findDecided(path, decisions);
    const written = origin && { ...origin, ...(isInherited(origin, profile) ? { inherited: true } : {}) };
    const machine = decided && toDecidedDocument(decided);
    return [path, written ? { ...written, ...(machine ? { decided: machine } : {}) } : (machine ?? { from: 'default' })] as const;
  });
  const added = toAdded(settings, decisions).map(({ path, decided }) => [path, toDecidedDocument(decided)] as const);
  return { ...profile.origins, ...Object.fromEntries(own), ...Object.fromEntries(added) };
}

function toDecidedDocument({ value, from, reason }: Decided): object {
  return { from, value, reason: toText(reason) };
}

/** A setting without an origin of its own may have been written as part of a block. */
export function findOrigin(path: string, origins: Profile['origins']): Origin | undefined {
  const own = Object.hasOwn(origins, path) ? origins[path] : undefined;
  if (own !== undefined || !path.includes('.')) return own;
  return findOrigin(path.slice(0, path.lastIndexOf('.')), origins);
}

/** Of what the profile itself does not say. */
function findDecided(path: string, decisions: readonly Decided[]): Decided | undefined {
  return decisions.find(({ setting, from }) => setting === path && !isWritten(from));
}

function isWritten(from: string): boolean {
  return from === 'profile' || from === 'set';
}

/** What a plan decides on its own: flags and variables that no profile mentions. */
function toAdded(settings: readonly ProfileSetting[], decisions: readonly Decided[]) {
  return decisions
    .filter(({ setting, from }) => !isWritten(from) && !settings.some(({ path }) => path === setting))
    .map((decided) => ({ path: toPath(decided.setting), decided }));
}

/** As one would write it to have it otherwise. */
function toPath(setting: string): string {
  if (setting === 'argv.program') return 'engine.executable';
  return setting.replace(/^argv\./, 'vllm.').replace(/^env\./, 'engine.env.');
}

/** The value leaves something to the machine, which is shown beside it. */
function isOpen(path: string, value: string): boolean {
  return value === 'auto' || path === 'resources.gpus';
}

function toArrow(value: string, decided: string): string {
  return value === decided ? value : toText(say('views.profile.decided', { value, decided }));
}

function toOriginText(origin: Origin, profile: Profile): string {
  const parts = [...(origin.onto ?? []), origin].map((part) => toPlaceText(part, profile));
  return parts.join(' + ');
}

function toPlaceText(origin: Origin, profile: Profile): string {
  if (origin.from === 'set') return toText(say('views.profile.set'));
  const place = `${origin.file}:${origin.line}`;
  return isInherited(origin, profile) ? toText(say('views.profile.inherited', { place })) : place;
}

function isInherited(origin: Origin, { source }: Profile): boolean {
  return origin.from === 'profile' && origin.file !== source;
}

function toDecidedText({ from, reason }: Decided): string {
  return toText(say('views.plan.origin', { from, reason }));
}

function toValueText(value: unknown): string {
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value.join(', ');
  return typeof value === 'string' ? value : JSON.stringify(value);
}
