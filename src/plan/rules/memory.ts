/** What is predicted of a GPU's memory, where it is too close to be sure. What cannot fit is refused in preflight.ts. */
import { say } from '../../core/message.ts';
import { toSizeText } from '../../core/units.ts';
import type { Profile } from '../../profile/profile.ts';
import type { RuleHit } from '../../profile/rules/rule.ts';
import type { Facts } from '../facts.ts';
import { planMemoryOf } from '../memory/of-facts.ts';
import type { PlanRule } from './rule.ts';

export const memoryPlanRules: readonly PlanRule[] = [
  {
    code: 'plan/memory-tight',
    severity: 'warning',
    source: '46 starts of vLLM 0.7 to 0.26 that print what they take; v1/worker/gpu_worker.py, 0.32',
    facts: 'gpu',
    check: checkTight,
  },
];

function checkTight(profile: Profile, facts: Facts): readonly RuleHit[] {
  const memory = planMemoryOf(profile, facts);
  if (memory?.fits !== 'tight') return [];
  const { suggestion, gpu = '', kvBytes } = memory;
  const mend = suggestion?.message ?? say('memory.another-profile');
  return [
    {
      path: 'vllm.gpu-memory-utilization',
      message: say('memory.tight', { gpu, kv: toSizeText(Math.max(kvBytes, 0)) }),
      hint: say('memory.tight.hint', { mend }),
      ...(suggestion?.set ? { fix: suggestion.set } : {}),
    },
  ];
}
