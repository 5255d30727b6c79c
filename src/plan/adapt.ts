/** Whether a lighter profile leaves a way back: vLLM takes its share of the GPU at once, and keeps it. */
import type { Finding } from '../core/finding.ts';
import { say } from '../core/message.ts';
import type { Profile } from '../profile/profile.ts';
import { placeHit } from '../profile/rules/place.ts';
import type { LaunchSpec } from './launch-spec.ts';

export interface PlannedStep {
  readonly profile: Profile;
  readonly spec: LaunchSpec;
}

export function checkReturn(base: Profile, steps: readonly PlannedStep[]): readonly Finding[] {
  const { adapt } = base;
  const limit = adapt?.when.gpuMemoryPercent;
  if (adapt === undefined || limit === undefined) return [];
  const below = Math.round((limit * adapt.backBelowPercent) / 100);
  return steps.flatMap(({ profile, spec }) => {
    const share = toSharePercent(spec.args);
    if (share === undefined || share < below) return [];
    const message = say('rule.adapt-hardly-back', { step: profile.name, share, below });
    const hit = { path: 'adapt.back-below', message, hint: say('rule.adapt-hardly-back.hint') };
    return [{ code: 'plan/adapt-hardly-back', severity: 'warning' as const, ...placeHit(hit, base) }];
  });
}

function toSharePercent(args: readonly string[]): number | undefined {
  const at = args.indexOf('--gpu-memory-utilization');
  const share = at < 0 ? Number.NaN : Number(args[at + 1]);
  return Number.isFinite(share) ? Math.round(share * 100) : undefined;
}
