/** What `adapt` has to do with the rest of the profile. */
import { say } from '../../core/message.ts';
import type { Profile } from '../profile.ts';
import type { ProfileRule, RuleHit } from './rule.ts';

export const adaptRules: readonly ProfileRule[] = [
  {
    code: 'profile/adapt-replicas',
    severity: 'warning',
    source: 'docs/profiles.md: one supervisor per replica, each with its own judgement',
    check: checkReplicas,
  },
];

function checkReplicas({ adapt, replicas }: Profile): readonly RuleHit[] {
  if (adapt === undefined || replicas === 1) return [];
  return [{ path: 'adapt', message: say('rule.adapt-replicas', { replicas }), hint: say('rule.adapt-replicas.hint') }];
}
