import { chooseBackend } from '../plan/engine-choice.ts';
import { type Facts, observeFacts } from '../plan/facts.ts';
import type { LaunchSpec } from '../plan/launch-spec.ts';
import { planDeployment } from '../plan/make-plan.ts';
import type { Plan } from '../plan/plan.ts';
import { loadProfileAndFlags } from '../profile/load.ts';
import type { BackendName, Profile } from '../profile/profile.ts';
import type { Context } from './context.ts';

export interface PlanAsked {
  /** A profile's name or path; `auto` must have been decided before (choose.ts). */
  readonly profileRef: string;
  /** Of the deployment; the profile's name when not given. */
  readonly name?: string;
  readonly sets: readonly string[];
  readonly backend?: BackendName;
}

export interface MadePlan {
  readonly profile: Profile;
  readonly plan: Plan;
  readonly spec: LaunchSpec;
  readonly facts: Facts;
}

/** Reads the profile, looks once at the machine, decides everything. Nothing is started, installed or refused here. */
export async function makePlan(asked: PlanAsked, context: Context): Promise<MadePlan> {
  const { places, env, cwd, signal, programs } = context;
  const { profile, catalogue, notes } = await loadProfileAndFlags(asked.profileRef, { places, cwd, sets: asked.sets });
  const backend = chooseBackend(profile, asked.backend);
  const facts = await observeFacts(profile, { places, env, signal, backend });
  const { plan, spec } = planDeployment({
    profile,
    name: asked.name ?? profile.name,
    facts,
    places,
    simulatorEntry: programs.simulator,
    notes,
    ...(catalogue ? { catalogue } : {}),
    ...(asked.backend === undefined ? {} : { backend: asked.backend }),
  });
  return { profile, plan, spec, facts };
}
