/** Profiles, checked as far as they alone can show what is wrong. */
import { DeployError } from '../core/error.ts';
import type { Finding } from '../core/finding.ts';
import { say } from '../core/message.ts';
import type { CheckedProfile } from '../profile/checked.ts';
import { createRecall } from '../profile/recall.ts';
import { toErrorText } from '../text/render.ts';
import type { Context } from './context.ts';

export interface CheckAsked {
  /** Names and paths; none is every profile that a name reaches. */
  readonly refs: readonly string[];
  readonly sets: readonly string[];
  /** As if every profile named it. */
  readonly engineVersion?: string;
}

export interface ProfileCheck {
  readonly kind: 'ProfileCheck';
  readonly version: 1;
  readonly files: readonly CheckedFile[];
}

export interface CheckedFile {
  /** A path, or `shipped:NAME`; of what is not there, as it was asked for. */
  readonly file: string;
  readonly findings: readonly Finding[];
}

/** Each on its own: one that cannot even be read keeps none of the others from being checked. */
export async function checkProfiles(asked: CheckAsked, { places, cwd }: Pick<Context, 'places' | 'cwd'>): Promise<ProfileCheck> {
  const version = asked.engineVersion === undefined ? [] : [`engine.version="${asked.engineVersion}"`];
  const checkOf = createRecall({ places, cwd, sets: [...asked.sets, ...version] });
  const refs = asked.refs.length > 0 ? asked.refs : await listNames({ places, cwd });
  const files = await Promise.all(refs.map((ref) => checkOne(ref, checkOf)));
  return { kind: 'ProfileCheck', version: 1, files };
}

async function listNames(where: Pick<Context, 'places' | 'cwd'>): Promise<readonly string[]> {
  const { listProfiles } = await import('../profile/load.ts');
  return (await listProfiles(where)).map(({ name }) => name);
}

async function checkOne(ref: string, checkOf: (ref: string) => Promise<CheckedProfile>): Promise<CheckedFile> {
  try {
    const { source, findings } = await checkOf(ref);
    return { file: source, findings };
  } catch (error) {
    if (!(error instanceof DeployError) || !error.code.startsWith('profile/')) throw error;
    return { file: ref, findings: [toFinding(error)] };
  }
}

/** What ends another command is one finding among others here. */
function toFinding(error: DeployError): Finding {
  const { message, hint } = toErrorText(error);
  const words = (text: string) => say('profiles.check.problem', { text });
  return { code: error.code, severity: 'error', message: words(message), ...(hint === undefined ? {} : { hint: words(hint) }) };
}
