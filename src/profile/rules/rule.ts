import type { Severity } from '../../core/finding.ts';
import type { Message } from '../../core/message.ts';
import type { FlagCatalogue } from '../../vllm/flags.ts';
import type { Profile } from '../profile.ts';

/** What settings of one profile have to do with each other. Pure; knows no machine (those are in plan/rules). */
export interface ProfileRule {
  /** `profile/NAME`, explained as `finding.profile/NAME` in the catalogue of texts. */
  readonly code: string;
  readonly severity: Severity;
  /** Where the fact comes from: file or page of vLLM's sources or documentation, and the version. */
  readonly source: string;
  readonly check: (profile: Profile, known: RuleKnowledge) => readonly RuleHit[];
}

export interface RuleKnowledge {
  /** What the engine's version knows; absent where nothing is known of it, and a rule that needs it then says nothing. */
  readonly catalogue?: FlagCatalogue;
}

export interface RuleHit {
  /** The setting to point at, as in `--set`. */
  readonly path: string;
  readonly message: Message;
  readonly hint?: Message;
  /** A `--set`-able map that would cure it. */
  readonly fix?: Readonly<Record<string, unknown>>;
}
