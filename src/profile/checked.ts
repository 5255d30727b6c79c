/** What reading a profile gives: all that was found, and the profile where nothing stands in its way. */
import { DeployError } from '../core/error.ts';
import type { Finding } from '../core/finding.ts';
import type { FlagCatalogue } from '../vllm/flags.ts';
import type { Profile } from './profile.ts';

export interface CheckedProfile {
  /** For people: `shipped:NAME`, or the path. */
  readonly source: string;
  /** File after file, the profile itself first, and in each from top to bottom. */
  readonly findings: readonly Finding[];
  /** Absent when an error stands in its way. */
  readonly profile?: Profile;
  readonly catalogue?: FlagCatalogue;
}

export interface LoadedProfile {
  readonly profile: Profile;
  /** What its engine's version knows; absent where nothing is known of it. */
  readonly catalogue?: FlagCatalogue;
  /** Findings that are no errors. */
  readonly notes: readonly Finding[];
}

/** Throws `profile/cycle`, and `profile/invalid` with every finding of every file. */
export function toLoaded({ source, findings, profile, catalogue }: CheckedProfile): LoadedProfile {
  if (profile) return { profile, notes: findings, ...(catalogue ? { catalogue } : {}) };
  const errors = findings.filter(({ severity }) => severity === 'error');
  const sorted = [...errors, ...findings.filter(({ severity }) => severity !== 'error')];
  const cycle = errors.find(({ code }) => code === 'profile/cycle');
  if (cycle) throw DeployError.of('profile/cycle', { chain: cycle.message.params.chain ?? '' }, { findings: sorted });
  throw DeployError.of('profile/invalid', { source, count: errors.length }, { findings: sorted });
}
