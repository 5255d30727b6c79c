/** What `adapt` measures, and what there is to measure. */
import { say } from '../../core/message.ts';
import type { Profile } from '../../profile/profile.ts';
import type { RuleHit } from '../../profile/rules/rule.ts';
import type { Facts } from '../facts.ts';
import type { PlanRule } from './rule.ts';

export const adaptPlanRules: readonly PlanRule[] = [
  {
    code: 'plan/adapt-no-gpu',
    severity: 'warning',
    source: 'nvidia-smi: memory and temperature are told by it alone',
    facts: 'host',
    check: checkGpu,
  },
];

function checkGpu({ adapt, engine }: Profile, { gpus }: Facts): readonly RuleHit[] {
  if (adapt === undefined || (engine.variant === 'gpu' && gpus?.is !== 'absent')) return [];
  const { gpuMemoryPercent, gpuTemperature } = adapt.when;
  const settings = [
    ...(gpuMemoryPercent === undefined ? [] : ['adapt.when.gpu-memory']),
    ...(gpuTemperature === undefined ? [] : ['adapt.when.gpu-temperature']),
  ];
  return settings.map((setting) => ({ path: setting, message: say('rule.adapt-no-gpu', { setting }) }));
}
