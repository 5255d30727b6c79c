import { listProfiles, loadProfile, type ProfileEntry } from '../profile/load.ts';
import type { Profile } from '../profile/profile.ts';
import type { Context } from './context.ts';

export interface ProfileList {
  readonly kind: 'ProfileList';
  readonly version: 1;
  readonly profiles: readonly ProfileEntry[];
}

/** Every profile that can be named here. */
export async function readProfileList({ places, cwd }: Pick<Context, 'places' | 'cwd'>): Promise<ProfileList> {
  return { kind: 'ProfileList', version: 1, profiles: await listProfiles({ places, cwd }) };
}

/** One profile with everything it inherits, and where each value was written (`origins`). */
export function readProfileShown(
  asked: { readonly ref: string; readonly sets: readonly string[] },
  { places, cwd }: Pick<Context, 'places' | 'cwd'>,
): Promise<Profile> {
  return loadProfile(asked.ref, { places, cwd, sets: asked.sets });
}
