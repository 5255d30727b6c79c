/** What an engine may take of the machine, each with its reason. */
import { say } from '../core/message.ts';
import type { BackendName, Profile } from '../profile/profile.ts';
import { toDecision } from './decide.ts';
import type { Facts } from './facts.ts';
import { type GpuChoice, toGpusText } from './gpu-choice.ts';
import type { LaunchResources } from './launch-spec.ts';
import { chooseNearCpus, type NearCpus } from './near-cpus.ts';
import type { Decision } from './plan.ts';

export interface ResourceContext {
  readonly facts: Facts;
  readonly gpus: GpuChoice;
  readonly backend: BackendName;
}

export interface PlannedResources {
  readonly resources: LaunchResources;
  readonly decisions: readonly Decision[];
}

export function planResources(profile: Profile, { facts, gpus, backend }: ResourceContext): PlannedResources {
  const near = profile.resources.cpus === 'auto' ? chooseNearCpus(profile, { facts, gpus: gpus.gpus, backend }) : undefined;
  const resources = toLaunchResources(profile, near);
  const decide = (key: string, value: unknown) =>
    toDecision(profile, { setting: `resources.${key}`, value, otherwise: { from: 'default', reason: say('plan.default-resources') } });
  const { memoryBytes, nice, pids, nofile } = resources;
  const optional = { memory: memoryBytes, nice, pids, nofile };
  const decisions = [
    ...(backend === 'simulator' ? [] : toGpuDecisions(profile, gpus, facts.gpusAssumed ?? false)),
    toCpuDecision(decide('cpus', resources.cpus ?? 'all'), near),
    ...Object.entries(optional).flatMap(([key, value]) => (value === undefined ? [] : [decide(key, value)])),
  ];
  return { resources, decisions };
}

/** `all` is what a process has anyway, and says nothing; shared memory is capped for containers only. */
function toLaunchResources({ resources }: Profile, near: NearCpus | undefined): LaunchResources {
  const { memoryBytes, nice, pids, nofile } = resources;
  const cpus = near ? near.cpus : resources.cpus;
  return {
    ...(cpus === undefined || cpus === 'all' ? {} : { cpus }),
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
    ...(nice === undefined ? {} : { nice }),
    ...(pids === undefined ? {} : { pids }),
    ...(nofile === undefined ? {} : { nofile }),
  };
}

/** Who wrote `auto` sees it in the profile; why it came to this is what they ask the plan. */
function toCpuDecision(decision: Decision, near: NearCpus | undefined): Decision {
  return near ? { ...decision, from: 'machine', reason: near.reason } : decision;
}

function toGpuDecisions({ engine, resources }: Profile, { gpus, by }: GpuChoice, assumed: boolean): readonly Decision[] {
  if (engine.variant !== 'gpu' || gpus.length === 0) return [];
  const decided = { setting: 'resources.gpus', value: gpus.map((gpu) => `${gpu.index}: ${gpu.name}`) };
  if (assumed) return [{ ...decided, from: 'set', reason: say('plan.gpus-assumed', { gpus: toGpusText(gpus) }) }];
  const reasons = {
    profile: say('plan.gpus-named'),
    environment: say('plan.gpus-environment'),
    machine: typeof resources.gpus === 'number' ? say('plan.gpus-counted', { count: resources.gpus }) : say('plan.gpus-largest'),
  };
  return [{ ...decided, from: by === 'profile' || typeof resources.gpus === 'number' ? 'profile' : 'machine', reason: reasons[by] }];
}
