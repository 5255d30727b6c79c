/** `--profile auto`: the best that this machine can do, and why. Pure. */
import { DeployError } from '../core/error.ts';
import { type Message, say } from '../core/message.ts';
import { toSizeText } from '../core/units.ts';
import type { GpuObservation } from '../gpu/gpu.ts';
import type { Profile } from '../profile/profile.ts';
import type { Facts } from './facts.ts';
import { toGpusText } from './gpu-choice.ts';
import { toGpuNeed } from './gpu-need.ts';
import { generalProfiles, type RankedProfile, rankProfiles, toGpusOf } from './rank.ts';

/** Whether a vLLM of one kind can run here; `why` when it cannot. */
export type Availability = { readonly is: 'installed' | 'installable' } | { readonly is: 'impossible'; readonly why: Message };

export interface AutoFacts extends Partial<Pick<Facts, 'visibleGpus' | 'memoryTotalBytes'>> {
  readonly gpus: GpuObservation;
  readonly gpuEngine: Availability;
  readonly cpuEngine: Availability;
  /** Weights of the `cpu` profile lie on this machine. */
  readonly cached: boolean;
  readonly hubReachable: boolean;
  /** Those of `gpuProfiles` that there are. */
  readonly profiles: readonly Profile[];
}

/** What is chosen from: who named nothing wants a model for everything, and on one GPU. */
export const gpuProfiles = generalProfiles;

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
  const ranked = rankProfiles(facts.profiles, facts);
  const best = findBest(ranked, facts.profiles);
  if (best === undefined) return chooseWithoutGpu(facts, toUnfit(facts, ranked));
  if (gpuEngine.is !== 'impossible') return { profile: best.name, reason: toReason(best, facts) };
  if (cpuEngine.is === 'installed') return chooseWithoutGpu(facts, gpuEngine.why);
  return { profile: 'demo', reason: say('auto.demo', { why: gpuEngine.why }) };
}

type General = Profile & { readonly name: GpuProfile };

/** The ranking's first one that runs as it is: nothing is changed in a profile that nobody named. */
function findBest(ranked: readonly RankedProfile[], profiles: readonly Profile[]): General | undefined {
  const name = ranked.find(({ verdict }) => verdict === 'runs-well' || verdict === 'runs')?.name;
  return profiles.find((profile): profile is General => profile.name === name && isGeneral(profile.name));
}

function isGeneral(name: string): name is GpuProfile {
  return gpuProfiles.some((one) => one === name);
}

function toReason(profile: General, facts: AutoFacts): Message {
  const share = profile.vllm['gpu-memory-utilization'];
  const need = toGpuNeed(profile).bytes / (typeof share === 'number' ? share : 0.85);
  return say(`auto.${profile.name}`, { gpu: toGpusText(toGpusOf(profile, facts)), need: toSizeText(need) });
}

/** In the words of what would run with a change, else of the least demanding one. */
function toUnfit({ gpus }: AutoFacts, ranked: readonly RankedProfile[]): Message {
  const nearest = ranked.find(({ verdict }) => verdict === 'needs-change') ?? ranked.at(-1);
  const gpu = toGpusText(gpus.is === 'present' ? gpus.gpus : []);
  return say('auto.gpu-unfit', { gpu, why: nearest?.why ?? say('rank.too-small', { gpu }) });
}

function chooseWithoutGpu({ cpuEngine, cached, hubReachable }: AutoFacts, why: Message): AutoChoice {
  if (cpuEngine.is === 'impossible') return { profile: 'demo', reason: say('auto.demo', { why: cpuEngine.why }) };
  if (cached) return { profile: 'cpu', reason: say('auto.cpu-cached', { why }) };
  if (hubReachable) return { profile: 'cpu', reason: say('auto.cpu-hub', { why }) };
  return { profile: 'tiny', reason: say('auto.tiny', { why }) };
}
