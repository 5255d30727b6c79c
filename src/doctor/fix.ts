/**
 * What `doctor --fix` does by itself: directories and permissions inside of our own places, and settings in the
 * person's own profile. Everything else is only told. Whatever it does can be undone.
 */
import { constants } from 'node:fs';
import { lstat, mkdir, open, realpath } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve } from 'node:path';
import { DeployError } from '../core/error.ts';
import { type Message, say } from '../core/message.ts';
import type { Places } from '../host/environment.ts';
import { errnoOf } from '../host/files.ts';
import type { Profile } from '../profile/profile.ts';
import type { CheckResult, Fix } from './check.ts';
import { type ProfileEdit, planProfileEdit, writeProfileEdit } from './profile-edit.ts';

interface PlaceChange {
  readonly is: 'directory' | 'mode';
  /** Of the checks that ask for it. */
  readonly ids: readonly string[];
  readonly path: string;
  readonly mode: number;
}

interface ProfileChange extends ProfileEdit {
  readonly is: 'profile';
  readonly ids: readonly string[];
}

export type Change = PlaceChange | ProfileChange;

/** What is left to the person, and why. */
export interface Advice {
  readonly id: string;
  readonly text: Message;
}

export interface FixPlan {
  readonly changes: readonly Change[];
  readonly advice: readonly Advice[];
}

export interface FixPlace {
  readonly places: Places;
  readonly profile?: Profile;
  /** For the name of the backup. */
  readonly now: Date;
}

/** Looks, and changes nothing. */
export async function planFixes(results: readonly CheckResult[], place: FixPlace): Promise<FixPlan> {
  const wanted = results.filter(({ status }) => status === 'warn' || status === 'fail').flatMap(toWanted);
  const settings = wanted.flatMap(({ id, fix }) => (fix.is === 'profile' ? [{ id, set: fix.set }] : []));
  const others = await Promise.all(wanted.map(({ id, fix }) => planOne(id, fix, place)));
  const parts = settings.length === 0 ? others : [...others, await planProfile(settings, place)];
  return { changes: parts.flatMap(({ changes }) => changes), advice: parts.flatMap(({ advice }) => advice) };
}

interface Wanted {
  readonly id: string;
  readonly fix: Fix;
}

function toWanted({ id, fix }: CheckResult): readonly Wanted[] {
  return fix === undefined ? [] : [{ id, fix }];
}

const nothing: FixPlan = { changes: [], advice: [] };

async function planOne(id: string, fix: Fix, { places }: FixPlace): Promise<FixPlan> {
  if (fix.is === 'profile') return nothing;
  if (fix.is === 'command') return { changes: [], advice: [{ id, text: say('doctor.fix.command', { command: fix.command }) }] };
  const { is, path, mode } = fix;
  const problem = await findStranger(path, places);
  if (problem) return { changes: [], advice: [{ id, text: say('doctor.fix.not-ours', { path, problem }) }] };
  return { changes: [{ is, ids: [id], path, mode }], advice: [] };
}

/** Why a path is not to be touched: only what lies in our places, belongs to this user and is reached through no link. */
async function findStranger(path: string, places: Places): Promise<Message | undefined> {
  const place = Object.values(places).find((one: string) => path === one || path.startsWith(`${one}/`));
  if (place === undefined || !isAbsolute(path) || resolve(path) !== path) return say('doctor.fix.outside');
  const steps = relative(place, path).split('/').filter(Boolean);
  const below = steps.map((_, index) => join(place, ...steps.slice(0, index + 1)));
  for (const one of [await realpath(place).catch(() => place), ...below]) {
    const facts = await lstat(one).catch(() => undefined);
    if (facts === undefined) return undefined;
    if (facts.isSymbolicLink()) return say('doctor.fix.link', { path: one });
    if (facts.uid !== process.getuid?.()) return say('doctor.fix.owner', { path: one, uid: facts.uid });
  }
  return undefined;
}

type WantedSettings = readonly { readonly id: string; readonly set: Readonly<Record<string, unknown>> }[];

/** All settings in one change: they go into one file. */
async function planProfile(wanted: WantedSettings, { profile, now }: FixPlace): Promise<FixPlan> {
  const set = Object.assign({}, ...wanted.map((one) => one.set));
  const planned = await planProfileEdit(set, { ...(profile ? { profile } : {}), now });
  if (planned.is === 'same') return nothing;
  if (planned.is === 'edit') return { changes: [{ is: 'profile', ids: wanted.map(({ id }) => id), ...planned.edit }], advice: [] };
  return { changes: [], advice: wanted.map((one) => ({ id: one.id, text: planned.toAdvice(one.set) })) };
}

/** Throws `host/not-written`. */
export async function applyChange(change: Change): Promise<void> {
  try {
    if (change.is === 'profile') await writeProfileEdit(change);
    else if (change.is === 'mode') await changeMode(change.path, change.mode);
    else await mkdir(change.path, { recursive: true, mode: change.mode });
  } catch (cause) {
    const file = change.is === 'profile' ? change.file : change.path;
    const problem = errnoOf(cause);
    throw problem === undefined ? cause : DeployError.of('host/not-written', { file, problem }, { cause });
  }
}

/** By a descriptor, so that nobody can put a link there in between. */
async function changeMode(path: string, mode: number): Promise<void> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    await handle.chmod(mode);
  } finally {
    await handle.close();
  }
}
