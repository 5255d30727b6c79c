/** Rules about a profile on a machine, as one table. */
import type { Finding } from '../../core/finding.ts';
import { type Message, say } from '../../core/message.ts';
import type { Profile } from '../../profile/profile.ts';
import { placeHit } from '../../profile/rules/place.ts';
import type { Facts } from '../facts.ts';
import { adaptPlanRules } from './adapt.ts';
import { gpuRules } from './gpu.ts';
import { hostRules } from './host.ts';
import { memoryPlanRules } from './memory.ts';
import type { PlanRule } from './rule.ts';

export const planRules: readonly PlanRule[] = [...gpuRules, ...memoryPlanRules, ...hostRules, ...adaptPlanRules];

/** What is wrong, and one line about what nobody could look at. An engine that is only simulated has nothing to do with the machine. */
export function checkPlanRules(profile: Profile, facts: Facts): readonly Finding[] {
  if (facts.backend === 'simulator') return [];
  const seesGpus = facts.gpus?.is === 'present';
  const asked = planRules.filter((rule) => rule.facts === 'host' || profile.engine.variant === 'gpu');
  const skipped = asked.filter((rule) => rule.facts === 'gpu' && !seesGpus);
  const found = asked
    .filter((rule) => !skipped.includes(rule))
    .flatMap(({ code, severity, check }) => check(profile, facts).map((hit) => ({ code, severity, ...placeHit(hit, profile) })));
  return [...found, ...toSkipped(skipped)];
}

function toSkipped(rules: readonly PlanRule[]): readonly Finding[] {
  const subjects = rules.flatMap(({ subject }) => subject ?? []);
  const [first, ...rest] = [...new Map(subjects.map((subject) => [subject.id, subject])).values()];
  if (first === undefined) return [];
  const what = rest.reduce<Message>((list, next) => say('rule.list', { first: list, rest: next }), first);
  return [{ code: 'plan/not-checked', severity: 'info', message: say('rule.not-checked', { facts: say('rule.facts.gpu'), what }) }];
}
