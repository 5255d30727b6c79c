/** The lighter profiles that a profile steps to under pressure (`adapt.steps`): they are there, sound, and the same to clients. */
import { DeployError } from '../core/error.ts';
import type { Finding } from '../core/finding.ts';
import { type Message, say } from '../core/message.ts';
import { toShown } from './check.ts';
import type { CheckedProfile } from './checked.ts';
import type { AdaptSettings, Profile } from './profile.ts';
import { placeHit } from './rules/place.ts';
import type { RuleHit } from './rules/rule.ts';

export interface StepReading {
  /** As `loadProfile` does, without a look at the steps of a step. Throws `profile/unknown` and `profile/unreadable`. */
  readonly read: (step: string) => Promise<CheckedProfile>;
  /** For who mistyped it. */
  readonly nearestOf: (step: string) => Promise<Message | string>;
}

export interface CheckedSteps {
  readonly profile: Profile;
  readonly findings: readonly Finding[];
}

/** A step that extends the profile inherits `adapt` with itself in it: then it goes on with those after it. */
export async function checkSteps(profile: Profile, { read, nearestOf }: StepReading): Promise<CheckedSteps> {
  const { adapt } = profile;
  if (adapt === undefined) return { profile, findings: [] };
  const looks = await Promise.all(adapt.steps.map((step) => look(step, read)));
  const own = looks.findIndex(({ checked }) => checked?.source === profile.source);
  const origin = profile.origins['adapt.steps'];
  if (own >= 0 && (origin?.from !== 'profile' || origin.file !== profile.source)) {
    return checkSteps(toFrom(profile, adapt, own + 1), { read, nearestOf });
  }
  const found = await Promise.all(looks.map((one, index) => checkStep(profile, one, { index, looks, nearestOf })));
  return { profile, findings: found.flat() };
}

function toFrom(profile: Profile, adapt: AdaptSettings, first: number): Profile {
  const { adapt: _, ...rest } = profile;
  const steps = adapt.steps.slice(first);
  return steps.length === 0 ? rest : { ...rest, adapt: { ...adapt, steps } };
}

interface Look {
  readonly step: string;
  readonly checked?: CheckedProfile;
  readonly error?: DeployError;
}

async function look(step: string, read: StepReading['read']): Promise<Look> {
  try {
    return { step, checked: await read(step) };
  } catch (error) {
    if (!(error instanceof DeployError) || !error.code.startsWith('profile/')) throw error;
    return { step, error };
  }
}

interface Beside {
  readonly index: number;
  readonly looks: readonly Look[];
  readonly nearestOf: StepReading['nearestOf'];
}

async function checkStep(
  profile: Profile,
  { step, checked, error }: Look,
  { index, looks, nearestOf }: Beside,
): Promise<readonly Finding[]> {
  const toFinding = (code: string, hit: Omit<RuleHit, 'path'>): Finding => ({
    code,
    severity: 'error',
    ...placeHit({ path: 'adapt.steps', ...hit }, profile),
  });
  if (error?.code === 'profile/unknown')
    return [toFinding('profile/step-unknown', { message: say('profile.step-unknown', { step, nearest: await nearestOf(step) }) })];
  const problems = checked?.findings.filter(({ severity }) => severity === 'error').length ?? 1;
  if (checked?.profile === undefined) {
    const message = say('profile.step-broken', { step, count: problems });
    return [toFinding('profile/step-broken', { message, hint: say('profile.step-broken.hint', { step }) })];
  }
  const { source } = checked;
  if (source === profile.source) return [toFinding('profile/step-itself', { message: say('profile.step-itself', { step }) })];
  if (looks.slice(0, index).some((earlier) => earlier.checked?.source === source))
    return [toFinding('profile/step-itself', { message: say('profile.step-twice', { step }) })];
  return findLost(profile, checked.profile).map(({ path, own, other }) => {
    const message = say('profile.step-identity', { step, path, own: toShown(own), other: toShown(other) });
    return toFinding('profile/step-identity', { message, hint: say('profile.step-identity.hint', { path, step }) });
  });
}

/** By what clients find and know it. */
const identity: readonly { readonly path: string; readonly read: (profile: Profile) => unknown }[] = [
  { path: 'server.host', read: ({ server }) => server.host },
  { path: 'server.port', read: ({ server }) => server.port },
  { path: 'server.api-key', read: ({ server }) => server.apiKey },
  { path: 'served-names', read: ({ servedNames }) => servedNames },
];

/** Whoever says `--set server.port=…` means this deployment, whatever its profiles say. */
function findLost(profile: Profile, step: Profile): readonly { readonly path: string; readonly own: unknown; readonly other: unknown }[] {
  return identity
    .map(({ path, read }) => ({ path, own: read(profile), other: read(step) }))
    .filter(({ path, own, other }) => {
      const isWritten = step.origins[path] !== undefined;
      return isWritten && profile.origins[path]?.from !== 'set' && JSON.stringify(own) !== JSON.stringify(other);
    });
}
