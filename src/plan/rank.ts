/**
 * Shipped profiles, the best for this machine first, each with its verdict and the reason. Pure, and by all of a GPU's
 * memory instead of what is free: the answer must be the same while an engine runs as it was before.
 */
import { type Message, say } from '../core/message.ts';
import type { Gpu, GpuObservation } from '../gpu/gpu.ts';
import type { Profile } from '../profile/profile.ts';
import type { Facts } from './facts.ts';
import { chooseGpus } from './gpu-choice.ts';
import { toUsableGpus } from './rank-gpus.ts';
import { toSetText, withSettings } from './rank-set.ts';
import { type Drawback, type Trial, tryOnGpus } from './rank-trial.ts';
import { checkPlanRules } from './rules/index.ts';

/** `needs-change`: with the settings of `set`; `no`: not on this machine. */
export type RankVerdict = 'runs-well' | 'runs' | 'needs-change' | 'no';

export interface RankedProfile {
  readonly name: string;
  readonly verdict: RankVerdict;
  readonly why: Message;
  /** `--set`-able; only with `needs-change`. */
  readonly set?: Readonly<Record<string, unknown>>;
}

/** What is known of the machine; what is absent is not held against any profile. */
export interface RankFacts extends Partial<Pick<Facts, 'visibleGpus' | 'memoryTotalBytes' | 'engines'>> {
  readonly gpus: GpuObservation;
}

/** For everything, the best answers first; all others are for one purpose. */
export const generalProfiles = ['fp8', 'int4', 'low-memory', 'fp16', 'int8'] as const;

/** Best first; among equals those for everything before those for one purpose, and what always runs at their end. */
export function rankProfiles(profiles: readonly Profile[], facts: RankFacts): readonly RankedProfile[] {
  const known = toFacts(facts);
  return profiles
    .map((profile) => ({ profile, ...judge(profile, known) }))
    .toSorted((a, b) => compare(toKey(a), toKey(b)) || (a.profile.name < b.profile.name ? -1 : 1))
    .map(({ profile, verdict, why, set }) => ({ name: profile.name, verdict, why, ...(set ? { set } : {}) }));
}

/** Those that a profile would get. */
export function toGpusOf(profile: Profile, facts: RankFacts): readonly Gpu[] {
  return chooseGpus(profile, toFacts(facts)).gpus;
}

function toFacts({ gpus, memoryTotalBytes, engines = [], visibleGpus }: RankFacts): Facts {
  return {
    backend: 'process',
    gpus: toUsableGpus(gpus, memoryTotalBytes),
    ...(visibleGpus === undefined ? {} : { visibleGpus }),
    cpus: [],
    memoryTotalBytes: memoryTotalBytes ?? Number.POSITIVE_INFINITY,
    engines,
    model: { is: 'hub', cached: true },
    port: { is: 'free' },
  };
}

interface Judgement extends Omit<RankedProfile, 'name'> {
  /** How far it stands behind its equals. */
  readonly weight: number;
}

function judge(profile: Profile, facts: Facts): Judgement {
  if (profile.engine.backend === 'simulator') return { verdict: 'runs', why: say('rank.simulated'), weight: 0 };
  if (profile.engine.variant === 'cpu') return judgeOnCpu(profile, facts);
  const { gpus } = facts;
  if (gpus?.is !== 'present') {
    return { verdict: 'no', why: say('rank.no-gpu', { evidence: gpus?.evidence ?? '' }), weight: 0 };
  }
  return judgeOnGpus(profile, facts);
}

function judgeOnCpu(profile: Profile, facts: Facts): Judgement {
  const problem = checkPlanRules(profile, facts).find(({ severity }) => severity === 'error');
  if (problem) return { verdict: 'no', why: problem.message, weight: 0 };
  return { verdict: 'runs', why: say(profile.model.source === 'miniature' ? 'rank.noise' : 'rank.cpu'), weight: 0 };
}

/** One change may show the need of another: fewer GPUs, and then less memory. */
const mostChanges = 3;

/** Cut down to less than this part of its length, a profile is not what it is for any more. */
const leastPart = 1 / 4;

function judgeOnGpus(profile: Profile, facts: Facts): Judgement {
  const first = tryOnGpus(profile, facts);
  if (first.is === 'good') return toGood(first);
  let set: Readonly<Record<string, unknown>> = {};
  let trial: Trial = first;
  for (let change = 0; change < mostChanges && trial.is === 'bad' && trial.set; change += 1) {
    set = { ...set, ...trial.set };
    const changed = withSettings(profile, set);
    if (changed === undefined) break;
    trial = tryOnGpus(changed, facts);
  }
  if (trial.is === 'bad' || isCutShort(profile, set)) return { verdict: 'no', why: first.why, weight: 0 };
  const why = say('rank.change', { why: first.why, set: toSetText(set) });
  return { verdict: 'needs-change', why, set, weight: toWeight(trial.drawbacks) };
}

function isCutShort({ vllm }: Profile, set: Readonly<Record<string, unknown>>): boolean {
  const [before, after] = [vllm['max-model-len'], set['vllm.max-model-len']];
  return typeof before === 'number' && typeof after === 'number' && after < before * leastPart;
}

function toGood({ drawbacks, why }: Trial & { readonly is: 'good' }): Judgement {
  const [gravest] = drawbacks;
  return gravest === undefined
    ? { verdict: 'runs-well', why, weight: 0 }
    : { verdict: 'runs', why: gravest.why, weight: toWeight(drawbacks) };
}

function toWeight(drawbacks: readonly Drawback[]): number {
  return drawbacks.reduce((sum, { weight }) => sum + weight, 0);
}

const verdicts: readonly RankVerdict[] = ['runs-well', 'runs', 'needs-change', 'no'];

function toKey({ profile, verdict, weight }: Judgement & { readonly profile: Profile }): readonly number[] {
  const general: readonly string[] = generalProfiles;
  const place = general.indexOf(profile.name);
  return [verdicts.indexOf(verdict), toKind(profile), place < 0 ? 1 : 0, weight, place];
}

/** Real answers from a GPU, from the CPU, noise, and what is not real at all. */
function toKind({ engine, model }: Profile): number {
  if (engine.backend === 'simulator') return 3;
  if (engine.variant === 'gpu') return 0;
  return model.source === 'miniature' ? 2 : 1;
}

function compare(a: readonly number[], b: readonly number[]): number {
  return a.map((value, at) => value - (b[at] ?? 0)).find((step) => step !== 0) ?? 0;
}
