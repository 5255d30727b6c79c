/** What an engine may take of the machine, each with its reason. */
import { say } from '../core/message.ts';
import type { BackendName, Profile } from '../profile/profile.ts';
import { toDecision } from './decide.ts';
import { type GpuChoice, toGpusText } from './gpu-choice.ts';
import type { LaunchResources } from './launch-spec.ts';
import type { Decision } from './plan.ts';

/** `all` is what a process has anyway, and says nothing; shared memory is capped for containers only. */
export function toLaunchResources({ resources }: Profile): LaunchResources {
  const { cpus, memoryBytes, nice, pids, nofile } = resources;
  return {
    ...(cpus === 'all' ? {} : { cpus }),
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
    ...(nice === undefined ? {} : { nice }),
    ...(pids === undefined ? {} : { pids }),
    ...(nofile === undefined ? {} : { nofile }),
  };
}

export interface ResourceContext {
  readonly resources: LaunchResources;
  readonly gpus: GpuChoice;
  readonly backend: BackendName;
  /** The GPUs were named instead of looked for. */
  readonly assumed: boolean;
}

export function planResources(profile: Profile, { resources, gpus, backend, assumed }: ResourceContext): readonly Decision[] {
  const decide = (key: string, value: unknown) =>
    toDecision(profile, { setting: `resources.${key}`, value, otherwise: { from: 'default', reason: say('plan.default-resources') } });
  const { memoryBytes, nice, pids, nofile } = resources;
  const optional = { memory: memoryBytes, nice, pids, nofile };
  return [
    ...(backend === 'simulator' ? [] : toGpuDecisions(profile, gpus, assumed)),
    decide('cpus', resources.cpus ?? 'all'),
    ...Object.entries(optional).flatMap(([key, value]) => (value === undefined ? [] : [decide(key, value)])),
  ];
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
