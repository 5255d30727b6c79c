/** What makes a start useless, found before the minutes that it takes. Pure; what the facts do not say is not held against anybody. */
import { DeployError } from '../core/error.ts';
import { say } from '../core/message.ts';
import { toSizeText } from '../core/units.ts';
import { type Gpu, toCapability } from '../gpu/gpu.ts';
import type { Profile } from '../profile/profile.ts';
import { toWhole } from '../profile/rules/read.ts';
import { parseCpuList } from './cpu-list.ts';
import { checkExposure } from './exposure.ts';
import type { Facts } from './facts.ts';
import { chooseGpus, leastCapability } from './gpu-choice.ts';
import { toGpuNeed } from './gpu-need.ts';
import { toCudaFree, toCudaTotal } from './memory/cuda-total.ts';
import { type Estimated, estimateMemory } from './memory/estimate.ts';
import { toMemoryRequest } from './memory/of-facts.ts';
import { type MemoryRequest, planMemory } from './memory/plan-memory.ts';
import { checkDocker } from './preflight-docker.ts';
import { checkPort } from './preflight-port.ts';

export interface PreflightOptions {
  /** The deployment itself is up: the port and the GPU memory that are taken may be taken by it. */
  readonly running?: boolean;
  /** Its number among replicas, from 1. */
  readonly replica?: number;
}

/** The first thing in the way, the gravest first; undefined when nothing is. */
export function checkPlan(profile: Profile, facts: Facts, options: PreflightOptions = {}): DeployError | undefined {
  return findProblems(profile, facts, options)[0];
}

/** Everything in the way, the gravest first. */
export function findProblems(profile: Profile, facts: Facts, options: PreflightOptions = {}): readonly DeployError[] {
  const { running = false } = options;
  const held = running ? undefined : checkPort(profile, facts);
  const found =
    facts.backend === 'simulator'
      ? [held]
      : [
          checkDocker(profile, facts),
          checkGpus(profile, facts, options),
          checkModel(profile, facts),
          checkAdapters(facts),
          checkExecutable(profile, facts),
          checkCpus(profile, facts),
          checkExposure(profile),
          held,
        ];
  return found.filter((problem) => problem !== undefined);
}

function checkGpus(profile: Profile, facts: Facts, { running = false, replica }: PreflightOptions): DeployError | undefined {
  if (facts.gpus === undefined || profile.engine.variant !== 'gpu') return undefined;
  const { gpus: observed } = facts;
  const need = toGpuNeed(profile);
  if (observed.is === 'absent')
    return DeployError.of('host/no-gpu', { evidence: observed.evidence, profile: profile.name, need: toSizeText(need.bytes) });
  if (observed.is === 'silent') return DeployError.of('host/gpu-silent', { signs: observed.signs.join(', '), evidence: observed.evidence });
  const { gpus, missing, by } = chooseGpus(profile, facts, replica);
  if (missing.length > 0)
    return DeployError.of('host/gpu-unknown', { missing: missing.join(', '), have: observed.gpus.map(toName).join(', ') });
  // The person's own list may name what no list of GPUs has (parts of one); then vLLM judges.
  if (by === 'environment' && gpus.length < need.gpus) return undefined;
  const old = (gpus.length > 0 ? gpus : observed.gpus).find((gpu) => (toCapability(gpu) ?? leastCapability) < leastCapability);
  if (old)
    return DeployError.of('host/gpu-unsupported', { gpu: toName(old), capability: old.computeCapability ?? '?', least: leastCapability });
  if (gpus.length < need.gpus) return DeployError.of('host/gpu-count', { profile: profile.name, need: need.gpus, have: gpus.length });
  for (const gpu of gpus) {
    const problem = checkMemory(profile, facts, { gpu, running });
    if (problem) return problem;
  }
  return undefined;
}

const gib = 2 ** 30;
/** Predictions of what is needed are as often wrong as right within it. */
const toleranceBytes = 0.3 * gib;
/** What vLLM may be given of a GPU at the most. */
const mostShare = 0.95;

interface Held {
  readonly gpu: Gpu;
  readonly running: boolean;
}

/** Only what is certain: `tight` is no reason to refuse, nor is a model that nobody knows. */
function checkMemory(profile: Profile, facts: Facts, { gpu, running }: Held): DeployError | undefined {
  const request = toMemoryRequest(profile, facts, { gpus: [gpu] });
  const estimated = estimateMemory(request);
  const total = toCudaTotal(gpu);
  const share = 'kv-cache-memory-bytes' in profile.vllm ? undefined : toShare(profile);
  const needBytes = estimated?.needBytes ?? toGpuNeed(profile).bytes;
  const budgetBytes = total && share !== undefined ? total.bytes * share : undefined;
  const small = estimated ? estimated.memory.fits === 'no' : budgetBytes !== undefined && needBytes - toleranceBytes > budgetBytes;
  if (small) return toSmall(profile, gpu, { request, estimated, needBytes });
  const free = gpu.memoryFreeBytes;
  if (running || free === undefined) return undefined;
  if (needBytes - toleranceBytes > free)
    return DeployError.of('host/gpu-memory', {
      profile: profile.name,
      need: toSizeText(needBytes),
      gpu: toName(gpu),
      have: toSizeText(free),
    });
  if (total === undefined || share === undefined || budgetBytes === undefined || budgetBytes <= free) return undefined;
  const fits = Math.max(Math.floor(((toCudaFree(gpu) ?? free) / total.bytes) * 100) / 100, 0.05);
  return DeployError.of('host/gpu-share', { share, asked: toSizeText(budgetBytes), gpu: toName(gpu), have: toSizeText(free), fits });
}

interface Short {
  readonly request: MemoryRequest;
  readonly estimated: Estimated | undefined;
  readonly needBytes: number;
}

function toSmall(profile: Profile, gpu: Gpu, { request, estimated, needBytes }: Short): DeployError {
  const mend = (estimated && planMemory(request)?.suggestion?.message) ?? say('memory.another-profile');
  const cache = toWhole(profile, 'kv-cache-memory-bytes');
  const totalBytes = toCudaTotal(gpu)?.bytes ?? 0;
  if (cache !== undefined && needBytes <= totalBytes && estimated) {
    const needed = needBytes - estimated.memory.budgetBytes + cache;
    return DeployError.of('host/gpu-cache', { profile: profile.name, have: toSizeText(cache), need: toSizeText(needed), mend });
  }
  const share = cache === undefined ? toShare(profile) : mostShare;
  const have = toSizeText(share * totalBytes);
  return DeployError.of('host/gpu-small', { profile: profile.name, need: toSizeText(needBytes), gpu: toName(gpu), share, have, mend });
}

function toShare({ vllm }: Profile): number {
  const share = vllm['gpu-memory-utilization'];
  return typeof share === 'number' ? share : 0.85;
}

function toName(gpu: Gpu): string {
  return `GPU ${gpu.index} (${gpu.name})`;
}

function checkModel(profile: Profile, { model }: Facts): DeployError | undefined {
  if (model.is !== 'local' || model.problem === undefined) return undefined;
  return DeployError.of('model/missing', { path: profile.model.path ?? '', problem: model.problem });
}

function checkAdapters({ adapters = [] }: Facts): DeployError | undefined {
  const bad = adapters.find(({ problem }) => problem !== undefined);
  return bad?.problem && DeployError.of('model/adapter', { name: bad.name, path: bad.path, problem: bad.problem });
}

function checkExecutable({ engine }: Profile, { executable }: Facts): DeployError | undefined {
  if (engine.executable === undefined || executable === undefined) return undefined;
  if ('problem' in executable) return DeployError.of('engine/no-executable', { path: executable.path, problem: executable.problem });
  const { version, path } = executable;
  if (version === undefined || version === engine.version) return undefined;
  return DeployError.of('engine/version-mismatch', { program: path, found: version, wanted: engine.version });
}

function checkCpus({ resources }: Profile, { cpus }: Facts): DeployError | undefined {
  // What `auto` comes to may be used; where it cannot be told, it is all.
  if (resources.cpus === 'all' || resources.cpus === 'auto') return undefined;
  const missing = parseCpuList(resources.cpus).filter((cpu) => !cpus.includes(cpu));
  if (missing.length === 0) return undefined;
  const problem = say('plan.cpus-missing', { cpus: missing.slice(0, 8).join(', ') });
  return DeployError.of('host/cpus', { cpus: resources.cpus, problem, have: cpus.join(', ') });
}
