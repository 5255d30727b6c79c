/** Rules across the settings of one profile, as one table. */
import type { Finding } from '../../core/finding.ts';
import type { FlagCatalogue } from '../../vllm/flags.ts';
import type { Profile } from '../profile.ts';
import type { ProfileRule } from './rule.ts';

export const profileRules: readonly ProfileRule[] = [];

/** Findings with the place where the setting was written; of one that was not written, without. */
export function checkProfileRules(profile: Profile, catalogue: FlagCatalogue | undefined): readonly Finding[] {
  const known = catalogue ? { catalogue } : {};
  return profileRules.flatMap(({ code, severity, check }) =>
    check(profile, known).map((hit) => ({ code, severity, ...hit, ...toPlace(hit.path, profile) })),
  );
}

function toPlace(path: string, { origins }: Profile): Pick<Finding, 'file' | 'line' | 'column'> {
  const origin = Object.hasOwn(origins, path) ? origins[path] : undefined;
  return origin?.from === 'profile' ? { file: origin.file, line: origin.line, column: origin.column } : {};
}
