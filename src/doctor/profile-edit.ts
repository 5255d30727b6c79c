/** Settings written into a person's own profile: comments stay, the text as it was is kept beside it. */
import { constants } from 'node:fs';
import { copyFile, lstat, readFile, realpath, rename } from 'node:fs/promises';
import { DeployError } from '../core/error.ts';
import { type Message, say } from '../core/message.ts';
import { errnoOf, writeFileAtomic } from '../host/files.ts';
import { type SettingChange, toEditedProfile } from '../profile/edit.ts';
import type { Profile } from '../profile/profile.ts';
import { toSetWords } from './set-words.ts';

export interface ProfileEdit {
  readonly file: string;
  /** Where the text is kept as it was. */
  readonly backup: string;
  readonly text: string;
  readonly settings: readonly SettingChange[];
}

type Settings = Readonly<Record<string, unknown>>;

export type PlannedEdit =
  | { readonly is: 'edit'; readonly edit: ProfileEdit }
  /** The file says so already. */
  | { readonly is: 'same' }
  /** It is not ours to write: why, and what to do instead. */
  | { readonly is: 'refused'; readonly toAdvice: (set: Settings) => Message };

export interface EditPlace {
  readonly profile?: Pick<Profile, 'name' | 'source'>;
  /** For the name of the backup. */
  readonly now: Date;
}

/** Looks, and changes nothing. */
export async function planProfileEdit(set: Settings, { profile, now }: EditPlace): Promise<PlannedEdit> {
  const refuse = (toAdvice: (set: Settings) => Message): PlannedEdit => ({ is: 'refused', toAdvice });
  if (profile === undefined || profile.source.startsWith('shipped:'))
    return refuse((own) => say('doctor.fix.shipped', { name: profile?.name ?? '', sets: toSetWords(own) }));
  try {
    const file = await realpath(profile.source);
    const { uid } = await lstat(file);
    if (uid !== process.getuid?.()) return refuse((own) => say('doctor.fix.profile-owner', { file, uid, sets: toSetWords(own) }));
    const { text, changes: settings } = toEditedProfile(await readFile(file, 'utf8'), set, file);
    if (settings.length === 0) return { is: 'same' };
    const backup = `${file}.bak-${now.toISOString().replace(/[-:]|\.\d+Z$/g, '')}`;
    return { is: 'edit', edit: { file, backup, text, settings } };
  } catch (error) {
    const problem = error instanceof DeployError ? String(error.params.problem) : errnoOf(error);
    if (problem === undefined) throw error;
    return refuse((own) => say('doctor.fix.by-hand', { file: profile.source, problem, sets: toSetWords(own) }));
  }
}

/** Throws what the system says. */
export async function writeProfileEdit({ file, backup, text }: Pick<ProfileEdit, 'file' | 'backup' | 'text'>): Promise<void> {
  await copyFile(file, backup, constants.COPYFILE_EXCL);
  await writeFileAtomic(file, text, (await lstat(file)).mode & 0o777);
}

/** The text as it was, and no backup beside it. */
export async function undoProfileEdit({ file, backup }: Pick<ProfileEdit, 'file' | 'backup'>): Promise<void> {
  await rename(backup, file);
}
