/**
 * Budget − weights − activations − context − CUDA graphs = KV cache, for one GPU; vLLM does the same with what it
 * measures while it starts (determine_available_memory in v1/worker/gpu_worker.py). Pure.
 */
import { type Gpu, toCapability } from '../../gpu/gpu.ts';
import { type ModelShape, toModelFacts } from '../../model/catalogue.ts';
import type { Profile } from '../../profile/profile.ts';
import type { Memory } from '../plan.ts';
import { type Cache, toCache, toConcurrency, toTokens } from './cache.ts';
import { type Calibration, findCalibration } from './calibration.ts';
import { type Card, contextBytes, toCards, toCudaFree } from './cuda-total.ts';
import { type Load, toLoad } from './load.ts';
import { toActivationBytes, toGraphBytes, toOutsideBytes } from './terms.ts';
import { toAdapterBytes, toDraft, toWeightsBytes } from './weights.ts';

export interface MemoryRequest {
  readonly profile: Profile;
  /** Those that the engine gets, all of them; the smallest rules. */
  readonly gpus: readonly Gpu[];
  /** The vLLM that will run; the profile's when not given. */
  readonly version?: string;
  /** Of the checkpoint that lies here; else the catalogue is asked. */
  readonly shape?: ModelShape;
  /** What earlier starts have reported. */
  readonly calibrations?: readonly Calibration[];
  /** What is not written is as the engine has it by itself, not as we would start it. */
  readonly ownDefaults?: boolean;
}

export interface Estimated {
  readonly memory: Memory;
  /** The least that the engine could begin with: room for one request of full length. */
  readonly needBytes: number;
}

/** Undefined for what needs no GPU, for a GPU that does not tell its memory, and for a model that nobody knows. */
export function estimateMemory(request: MemoryRequest): Estimated | undefined {
  const { profile } = request;
  const cards = toCards(request.gpus);
  const [card] = cards;
  const shape = request.shape ?? (profile.model.source === 'hub' ? toModelFacts(profile.model.id) : undefined);
  if (profile.engine.variant !== 'gpu' || card === undefined || shape === undefined) return undefined;
  const version = request.version ?? profile.engine.version;
  const calibration = findCalibration(profile, { gpu: card.gpu.name, version, calibrations: request.calibrations ?? [] });
  const totalBytes = calibration?.totalBytes ?? card.total.bytes;
  const capability = toCapability(card.gpu);
  const load = toLoad(profile, {
    shape,
    version,
    card: { totalBytes, name: card.gpu.name, ...(capability === undefined ? {} : { capability }) },
    ...(request.ownDefaults ? { ownDefaults: true } : {}),
  });
  const parts = calibration ? toMeasured(calibration, shape, load) : toParts(profile, shape, load);
  return toEstimated({ card, cards, totalBytes, shape, load, parts, profile, measured: calibration !== undefined });
}

type Parts = Pick<Memory, 'weightsBytes' | 'activationBytes' | 'graphBytes' | 'overheadBytes'>;

function toParts(profile: Profile, shape: ModelShape, load: Load): Parts {
  return {
    weightsBytes: toWeightsBytes(profile, shape, load),
    activationBytes: toActivationBytes(shape, load),
    graphBytes: toGraphBytes(shape, load),
    overheadBytes: toOutsideBytes(load) + toAdapterBytes(profile, shape, load),
  };
}

/** What the start had in all is certain; how it divides is told only in part. */
function toMeasured({ budgetBytes, kvBytes, ...told }: Calibration, shape: ModelShape, load: Load): Parts {
  const { weightsBytes } = told;
  const graphBytes = told.graphBytes ?? 0;
  const rest = budgetBytes - kvBytes - weightsBytes - (load.countsGraphs ? graphBytes : 0);
  const activationBytes = Math.max(Math.min(told.activationBytes ?? toActivationBytes(shape, load), rest), 0);
  return { weightsBytes, activationBytes, graphBytes, overheadBytes: Math.max(rest - activationBytes, 0) };
}

interface Estimate {
  readonly card: Card;
  readonly cards: readonly Card[];
  readonly totalBytes: number;
  readonly shape: ModelShape;
  readonly load: Load;
  readonly parts: Parts;
  readonly profile: Profile;
  readonly measured: boolean;
}

function toEstimated(estimate: Estimate): Estimated {
  const { card, cards, totalBytes, shape, load, parts, profile, measured } = estimate;
  const taken = parts.weightsBytes + parts.activationBytes + parts.overheadBytes + (load.countsGraphs ? parts.graphBytes : 0);
  const cache = toCache(shape, load, toDraft(profile, shape));
  const budgetBytes = load.cacheBytes === undefined ? Math.ceil(totalBytes * load.share) : taken + load.cacheBytes;
  const kvBytes = budgetBytes - taken;
  const freeBytes = toCudaFree(card.gpu);
  const fits = toFits(estimate, { cache, budgetBytes, kvBytes });
  const now = cards.map((one) => toFitsFree(one, load.cacheBytes === undefined ? one.total.bytes * load.share : budgetBytes));
  const tokens = toTokens(kvBytes, cache, load);
  const sizes = { totalBytes, ...(freeBytes === undefined ? {} : { freeBytes }), budgetBytes, ...parts, kvBytes };
  const memory: Memory = {
    gpu: `GPU ${card.gpu.index} (${card.gpu.name})`,
    gpus: load.parallel.gpus,
    ...toWholeBytes(sizes),
    ...(shape.hybrid
      ? {}
      : { kvBytesPerToken: cache.bytesPerToken, kvTokens: tokens, maxConcurrency: toRounded(toConcurrency(tokens, load)) }),
    fits,
    ...(freeBytes === undefined ? {} : { fitsNow: toWorst([fits, ...now]) }),
    source: measured ? 'calibrated' : shape.hybrid ? 'engine' : 'formula',
  };
  return { memory, needBytes: taken + cache.neededBytes };
}

function toWholeBytes<T extends Readonly<Record<string, number>>>(sizes: T): T {
  return Object.fromEntries(Object.entries(sizes).map(([name, bytes]) => [name, Math.round(bytes)])) as T;
}

function toRounded(times: number): number {
  return Math.round(times * 100) / 100;
}

const gib = 2 ** 30;

interface Room extends Pick<Memory, 'budgetBytes' | 'kvBytes'> {
  readonly cache: Cache;
}

/** Within `doubt` a prediction is as often wrong as right; where the total is a guess, it may be more. */
function toFits(estimate: Estimate, { cache, budgetBytes, kvBytes }: Room): Memory['fits'] {
  const { card, totalBytes, load, parts } = estimate;
  const doubt = toDoubt(estimate);
  // An exact cache is exact: what is not enough for one request is refused.
  if (load.cacheBytes !== undefined && load.cacheBytes < cache.neededBytes) return 'no';
  const exact = load.cacheBytes !== undefined;
  const spare = exact ? totalBytes - budgetBytes : kvBytes - cache.neededBytes;
  const slack = card.total.slackBytes * (exact ? 1 : load.share);
  if (spare + doubt + slack < 0) return 'no';
  // Graphs that nobody counted come out of what lies outside of the share.
  const outside = load.countsGraphs || totalBytes - budgetBytes >= parts.graphBytes;
  return spare >= doubt && outside ? 'yes' : 'tight';
}

/**
 * Right within 0.3 GiB where nothing else lives on a GPU and within 0.5 where a desktop does (identical starts differ by
 * that much); within 1 for several GPUs, pictures, and memory that is the machine's. Graphs were estimated at half to
 * twice of what they took.
 */
function toDoubt({ card, load, parts, measured }: Estimate): number {
  if (card.gpu.memoryKind === 'unified') return gib;
  const base = card.gpu.displayActive ? 0.5 * gib : measured ? 0.15 * gib : 0.3 * gib;
  if (measured) return base;
  if (load.parallel.tensor * load.parallel.pipeline > 1 || load.seesPictures) return gib;
  return Math.max(base, load.countsGraphs ? parts.graphBytes / 2 : 0);
}

/** vLLM refuses to start when its whole share is not free, whatever it would make of it. */
function toFitsFree({ gpu }: Card, budgetBytes: number): Memory['fits'] {
  const freeBytes = toCudaFree(gpu) ?? Number.POSITIVE_INFINITY;
  if (budgetBytes > freeBytes + contextBytes) return 'no';
  return budgetBytes > freeBytes ? 'tight' : 'yes';
}

function toWorst(all: readonly Memory['fits'][]): Memory['fits'] {
  return (['no', 'tight', 'yes'] as const).find((fits) => all.includes(fits)) ?? 'yes';
}
