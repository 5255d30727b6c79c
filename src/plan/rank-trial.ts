/** One profile on the GPUs that it would get: whether it runs, and what speaks against it. Pure. */
import { type Message, say } from '../core/message.ts';
import { toSizeText } from '../core/units.ts';
import type { CompatibilityHit } from '../gpu/compatibility.ts';
import { type Gpu, toCapability } from '../gpu/gpu.ts';
import { toParallel } from '../profile/parallel.ts';
import type { Profile } from '../profile/profile.ts';
import type { Facts } from './facts.ts';
import { checkFitness } from './fitness.ts';
import { chooseGpus, leastCapability } from './gpu-choice.ts';
import { planMemory } from './memory/plan-memory.ts';
import type { Memory } from './plan.ts';
import { checkPlan } from './preflight.ts';
import type { UsableGpu } from './rank-gpus.ts';
import { withSettings } from './rank-set.ts';
import { checkReplicas } from './replicas.ts';
import { checkPlanRules } from './rules/index.ts';

/** What speaks against a profile though it runs. `weight`: how far it moves down among its equals. */
export interface Drawback {
  readonly why: Message;
  readonly weight: 0 | 1 | 2;
}

/** `drawbacks`: gravest first. `set`: a change that may help. */
export type Trial =
  | { readonly is: 'good'; readonly why: Message; readonly drawbacks: readonly Drawback[] }
  | { readonly is: 'bad'; readonly why: Message; readonly set?: Readonly<Record<string, unknown>> };

type Bad = Trial & { readonly is: 'bad' };

export function tryOnGpus(profile: Profile, facts: Facts): Trial {
  const { gpus } = chooseGpus(profile, facts);
  const missing = checkCount(profile, facts, gpus);
  if (missing) return missing;
  const hits = checkFitness(profile, facts, { gpus: gpus.map(toKnown) });
  const memory = planMemory({ profile, gpus, version: profile.engine.version });
  const bad = checkKind(profile, facts, hits) ?? checkShares(profile, facts) ?? checkMemory(profile, facts, { gpus, memory });
  if (bad) return bad;
  const drawbacks = [...toMemoryDrawbacks(profile, gpus, memory), ...toKindDrawbacks(gpus, hits)];
  return { is: 'good', why: toWell(memory), drawbacks };
}

function checkCount(profile: Profile, facts: Facts, gpus: readonly UsableGpu[]): Bad | undefined {
  const { gpus: need } = toParallel(profile);
  if (gpus.length === 0) return toNothing(profile, facts);
  const slices = gpus.some(({ slice }) => slice);
  if (gpus.length >= need && !(slices && need > 1)) return undefined;
  const have = slices ? 1 : gpus.length;
  const why = slices ? say('rank.slices', { need }) : say('rank.gpu-count', { need, have });
  // Heads are shared out evenly, so by powers of two.
  const fewer = 2 ** Math.floor(Math.log2(have));
  return { is: 'bad', why, ...(typeof profile.resources.gpus === 'number' ? { set: { 'resources.gpus': fewer } } : {}) };
}

/** No GPU to choose from: hidden, cut without slices, or too old all of them. */
function toNothing(profile: Profile, facts: Facts): Bad {
  const all = facts.gpus?.is === 'present' ? facts.gpus.gpus : [];
  if (all.length === 0) return { is: 'bad', why: say('rank.no-slices') };
  const old = checkFitness(profile, facts, { gpus: all }).find(({ code }) => code === 'gpu/unsupported');
  return { is: 'bad', why: old?.short ?? say('rank.hidden', { visible: facts.visibleGpus ?? '' }) };
}

/** A driver that does not tell the capability is an old one: then only what every GPU can do is counted on. */
function toKnown(gpu: Gpu): Gpu {
  return toCapability(gpu) === undefined ? { ...gpu, computeCapability: leastCapability.toFixed(1) } : gpu;
}

function checkKind(profile: Profile, facts: Facts, hits: readonly CompatibilityHit[]): Bad | undefined {
  const hit = hits.find(({ severity }) => severity === 'error');
  if (hit) return { is: 'bad', why: hit.short, ...(hit.cure ? { set: hit.cure } : {}) };
  const finding = checkPlanRules(profile, facts).find(({ severity }) => severity === 'error');
  return finding && { is: 'bad', why: finding.message, ...(finding.fix ? { set: finding.fix } : {}) };
}

function checkShares(profile: Profile, facts: Facts): Bad | undefined {
  const problem = checkReplicas(profile, facts);
  if (problem === undefined) return undefined;
  const { count = profile.replicas, gpu = '', fits } = problem.params;
  const set = typeof fits === 'number' ? { 'vllm.gpu-memory-utilization': fits } : undefined;
  return { is: 'bad', why: say('rank.replicas', { count, gpu }), ...(set ? { set } : {}) };
}

interface Held {
  readonly gpus: readonly Gpu[];
  readonly memory: Memory | undefined;
}

function checkMemory(profile: Profile, facts: Facts, { gpus, memory }: Held): Bad | undefined {
  const refused = checkPlan(profile, facts)?.code === 'host/gpu-small';
  if (memory?.fits !== 'no' && !refused) return undefined;
  const set = memory?.suggestion?.set;
  if (memory === undefined) return { is: 'bad', why: say('rank.too-small', { gpu: gpus[0]?.name ?? '' }) };
  const words = { budget: toSizeText(memory.budgetBytes), taken: toSizeText(toTaken(memory)) };
  return { is: 'bad', why: say(memory.kvBytes > 0 ? 'rank.memory-short' : 'rank.memory', words), ...(set ? { set } : {}) };
}

function toTaken({ weightsBytes, activationBytes, overheadBytes, graphBytes }: Memory): number {
  return weightsBytes + activationBytes + overheadBytes + graphBytes;
}

function toMemoryDrawbacks(profile: Profile, gpus: readonly UsableGpu[], memory: Memory | undefined): readonly Drawback[] {
  if (memory === undefined) return [{ why: say('rank.memory-unknown'), weight: 0 }];
  const share = profile.vllm['gpu-memory-utilization'];
  const greedy = typeof share === 'number' && share >= 0.9 && gpus.some(({ unified }) => unified);
  const possible: readonly (Drawback | false)[] = [
    memory.fits === 'tight' && { why: say('rank.tight'), weight: 2 },
    greedy && { why: say('rank.unified-share', { share }), weight: 1 },
    isEagerInVain(profile, gpus) && { why: say('rank.eager'), weight: 0 },
  ];
  return possible.filter((one) => one !== false);
}

/** CUDA graphs were given up for their memory, and there is plenty of it: three quarters of the GPU would do with them. */
function isEagerInVain(profile: Profile, gpus: readonly Gpu[]): boolean {
  if (profile.vllm['enforce-eager'] !== true) return false;
  const graphs = withSettings(profile, { 'vllm.enforce-eager': null });
  const smaller = gpus.map((gpu) => ({ ...gpu, memoryTotalBytes: (gpu.memoryTotalBytes ?? 0) * 0.75 }));
  return graphs !== undefined && planMemory({ profile: graphs, gpus: smaller, version: profile.engine.version })?.fits === 'yes';
}

function toKindDrawbacks(gpus: readonly Gpu[], hits: readonly CompatibilityHit[]): readonly Drawback[] {
  const unknown = gpus.some((gpu) => toCapability(gpu) === undefined);
  const own = hits.filter(({ severity, about }) => severity !== 'error' && !(unknown && about === 'gpu')).map(({ short }) => short);
  const kinds = new Set(gpus.map(({ computeCapability, memoryTotalBytes }) => `${computeCapability} ${memoryTotalBytes}`));
  const whys = [...own, ...(unknown ? [say('rank.capability-unknown')] : []), ...(kinds.size > 1 ? [say('rank.mixed')] : [])];
  return whys.map((why) => ({ why, weight: 1 }));
}

function toWell(memory: Memory | undefined): Message {
  if (memory?.kvTokens === undefined || memory.maxConcurrency === undefined) return say('rank.well-unknown');
  const { kvTokens, maxConcurrency, weightsBytes } = memory;
  const requests = maxConcurrency < 10 ? maxConcurrency.toFixed(1) : Math.floor(maxConcurrency);
  return say('rank.well', { weights: toSizeText(weightsBytes), tokens: kvTokens.toLocaleString('en'), requests });
}
