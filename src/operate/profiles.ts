import { DeployError } from '../core/error.ts';
import type { Finding } from '../core/finding.ts';
import type { Message } from '../core/message.ts';
import type { Decision, DecisionOrigin } from '../plan/plan.ts';
import { checkIdleSettings } from '../profile/idle.ts';
import { listProfiles, loadProfileAndFlags, type ProfileEntry } from '../profile/load.ts';
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

export interface ShowAsked {
  readonly ref: string;
  readonly sets: readonly string[];
  /** Also what this machine, the model and our defaults decide where the profile says nothing. */
  readonly explain: boolean;
}

export interface ShownDecision {
  readonly setting: string;
  readonly value: unknown;
  readonly from: DecisionOrigin | 'environment';
  readonly reason: Message;
}

export interface ProfileShown {
  readonly profile: Profile;
  /** What was found in it that does not stand in its way. */
  readonly findings: readonly Finding[];
  /** Absent where they were not asked for, or where this machine cannot even be looked at. */
  readonly decisions?: readonly ShownDecision[];
}

/** One profile with everything it inherits, and where each value comes from. */
export async function readProfileShown({ ref, sets, explain }: ShowAsked, context: Context): Promise<ProfileShown> {
  const { places, cwd } = context;
  const { profile, notes } = await loadProfileAndFlags(ref, { places, cwd, sets });
  const shown = { profile, findings: [...notes, ...checkIdleSettings(profile)] };
  if (!explain) return shown;
  const decisions = await readDecisions({ ref, sets }, context);
  return { ...shown, ...(decisions ? { decisions } : {}) };
}

async function readDecisions({ ref, sets }: Omit<ShowAsked, 'explain'>, context: Context): Promise<readonly ShownDecision[] | undefined> {
  const { makePlans } = await import('./plan.ts');
  try {
    const { first } = await makePlans({ profileRef: ref, sets }, context);
    return first.plan.decisions.map(toShown);
  } catch (error) {
    // A machine that cannot be planned for is no reason not to show what the profile says.
    if (error instanceof DeployError) return undefined;
    throw error;
  }
}

/** A plan counts CUDA_VISIBLE_DEVICES to the machine; who asks where a value comes from wants to hear of their environment. */
function toShown({ setting, value, from, reason }: Decision): ShownDecision {
  return { setting, value, reason, from: reason.id === 'plan.gpus-environment' ? 'environment' : from };
}
