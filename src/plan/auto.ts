/** `--profile auto`: the best that this machine can do, and why. Pure. */
import { DeployError } from '../core/error.ts';
import { type Message, say } from '../core/message.ts';
import { toSizeText } from '../core/units.ts';
import { type Gpu, type GpuObservation, toCapability } from '../gpu/gpu.ts';
import { leastCapability } from './gpu-choice.ts';

/** Whether a vLLM of one kind can run here; `why` when it cannot. */
export type Availability = { readonly is: 'installed' | 'installable' } | { readonly is: 'impossible'; readonly why: Message };

export interface AutoFacts {
  readonly gpus: GpuObservation;
  readonly gpuEngine: Availability;
  readonly cpuEngine: Availability;
  /** Weights of the `cpu` profile lie on this machine. */
  readonly cached: boolean;
  readonly hubReachable: boolean;
}

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
  const profile = best && chooseForGpu(best);
  if (best === undefined || profile === undefined)
    return chooseWithoutGpu(facts, say('auto.gpu-unfit', { gpu: gpus.gpus.map(toText).join(', ') }));
  if (gpuEngine.is !== 'impossible') return { profile, reason: say(`auto.${profile}`, { gpu: toText(best) }) };
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

const gib = 2 ** 30;
/** From 8.9 on there is arithmetic for it; below, FP8 only saves memory, and int4 saves more. */
const fp8Capability = 8.9;
/** Estimated need of each profile, divided by the share of the GPU that it may use (0.85). */
const leastBytes = { fp8: 7.3 * gib, int4: 5.5 * gib, int8: 3.1 * gib };

/** A GPU that shares the machine's memory does not tell how much there is; these have plenty. */
function chooseForGpu(gpu: Gpu): 'fp8' | 'int4' | 'int8' | undefined {
  const bytes = gpu.memoryTotalBytes ?? Number.POSITIVE_INFINITY;
  if ((toCapability(gpu) ?? 0) >= fp8Capability && bytes >= leastBytes.fp8) return 'fp8';
  if (bytes >= leastBytes.int4) return 'int4';
  return bytes >= leastBytes.int8 ? 'int8' : undefined;
}

function toText({ name, computeCapability, memoryTotalBytes }: Gpu): string {
  const facts = [memoryTotalBytes === undefined ? undefined : toSizeText(memoryTotalBytes), computeCapability];
  const known = facts.filter((fact) => fact !== undefined);
  return known.length === 0 ? name : `${name}, ${known.join(', ')}`;
}
