/** `--profile auto`: the best that this machine can do, and why. Pure. */
import { DeployError } from '../core/error.ts';
import { type Message, say } from '../core/message.ts';
import { toSizeText } from '../core/units.ts';
import { type Gpu, type GpuObservation, toCapability } from '../gpu/gpu.ts';
import type { Profile } from '../profile/profile.ts';
import { leastCapability, toGpuText as toText } from './gpu-choice.ts';
import { toGpuNeed } from './gpu-need.ts';

/** Whether a vLLM of one kind can run here; `why` when it cannot. */
export type Availability = { readonly is: 'installed' | 'installable' } | { readonly is: 'impossible'; readonly why: Message };

export interface AutoFacts {
  readonly gpus: GpuObservation;
  readonly gpuEngine: Availability;
  readonly cpuEngine: Availability;
  /** Weights of the `cpu` profile lie on this machine. */
  readonly cached: boolean;
  readonly hubReachable: boolean;
  /** Those of `gpuProfiles` that there are. */
  readonly profiles: readonly Profile[];
}

/** What is chosen from, the best answers first: the first one that the GPU computes natively and has room for. */
export const gpuProfiles = ['fp8', 'int4', 'low-memory', 'int8'] as const;

type GpuProfile = (typeof gpuProfiles)[number];

export interface AutoChoice {
  readonly profile: string;
  readonly reason: Message;
}

/** An error only for a GPU that does not answer: to step down from it in silence would hide the fault. */
export function chooseAuto(facts: AutoFacts): AutoChoice | DeployError {
  const { gpus, gpuEngine, cpuEngine } = facts;
  if (gpus.is === 'silent') return DeployError.of('host/gpu-silent', { signs: gpus.signs.join(', '), evidence: gpus.evidence });
  if (gpus.is === 'absent') return chooseWithoutGpu(facts, gpus.evidence);
  const best = toBestGpu(gpus.gpus);
  const fitting = best && chooseForGpu(best, facts.profiles);
  if (best === undefined || fitting === undefined)
    return chooseWithoutGpu(facts, say('auto.gpu-unfit', { gpu: gpus.gpus.map(toText).join(', ') }));
  const { profile, need } = fitting;
  if (gpuEngine.is !== 'impossible') return { profile, reason: say(`auto.${profile}`, { gpu: toText(best), need: toSizeText(need) }) };
  if (cpuEngine.is === 'installed') return chooseWithoutGpu(facts, gpuEngine.why);
  return { profile: 'demo', reason: say('auto.demo', { why: gpuEngine.why }) };
}

function chooseWithoutGpu({ cpuEngine, cached, hubReachable }: AutoFacts, why: Message): AutoChoice {
  if (cpuEngine.is === 'impossible') return { profile: 'demo', reason: say('auto.demo', { why: cpuEngine.why }) };
  if (cached) return { profile: 'cpu', reason: say('auto.cpu-cached', { why }) };
  if (hubReachable) return { profile: 'cpu', reason: say('auto.cpu-hub', { why }) };
  return { profile: 'tiny', reason: say('auto.tiny', { why }) };
}

function toBestGpu(gpus: readonly Gpu[]): Gpu | undefined {
  return gpus
    .filter((gpu) => (toCapability(gpu) ?? leastCapability) >= leastCapability)
    .toSorted((a, b) => (b.memoryTotalBytes ?? 0) - (a.memoryTotalBytes ?? 0) || a.index - b.index)[0];
}

/** From 8.9 on there is arithmetic for it; below, FP8 only saves memory, and int4 saves more. */
const leastCapabilityOf: Readonly<Partial<Record<GpuProfile, number>>> = { fp8: 8.9 };

interface Fitting {
  readonly profile: GpuProfile;
  /** Of the GPU's memory, with what its share leaves to others, bytes. */
  readonly need: number;
}

/** By all of its memory and not by what is free: the choice must be the same while the engine runs as it was before. */
function chooseForGpu(gpu: Gpu, profiles: readonly Profile[]): Fitting | undefined {
  // A GPU that shares the machine's memory does not tell how much there is; these have plenty.
  const bytes = gpu.memoryTotalBytes ?? Number.POSITIVE_INFINITY;
  const capability = toCapability(gpu) ?? leastCapability;
  return gpuProfiles
    .filter((name) => capability >= (leastCapabilityOf[name] ?? leastCapability))
    .flatMap((name) => {
      const profile = profiles.find((one) => one.name === name);
      return profile === undefined ? [] : [{ profile: name, need: toWholeNeed(profile) }];
    })
    .find(({ need }) => need <= bytes);
}

function toWholeNeed(profile: Profile): number {
  const share = profile.vllm['gpu-memory-utilization'];
  return toGpuNeed(profile).bytes / (typeof share === 'number' ? share : 0.85);
}
