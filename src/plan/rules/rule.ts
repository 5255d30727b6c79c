import type { Severity } from '../../core/finding.ts';
import type { Message } from '../../core/message.ts';
import type { Profile } from '../../profile/profile.ts';
import type { RuleHit } from '../../profile/rules/rule.ts';
import type { Facts } from '../facts.ts';

/** What settings have to do with the machine they are to run on. Pure; what starts an engine in vain is in preflight.ts. */
export interface PlanRule {
  /** `plan/NAME`, explained as `finding.plan/NAME` in the catalogue of texts. */
  readonly code: string;
  readonly severity: Severity;
  /** Where the fact comes from: file or page of vLLM's sources or documentation, and the version. */
  readonly source: string;
  /** What it looks at: GPUs that answer, or what is always there. */
  readonly facts: 'gpu' | 'host';
  /** What nobody knows without them, said once for all rules of the same subject. */
  readonly subject?: Message;
  readonly check: (profile: Profile, facts: Facts) => readonly RuleHit[];
}
