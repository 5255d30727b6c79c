/** Whether a profile, the GPUs that it gets, its engine and the driver fit together, by the rules of compatibility. Pure. */
import { chooseCuda } from '../engine/cuda.ts';
import { type Combination, type CompatibilityHit, checkCombination } from '../gpu/compatibility.ts';
import type { Scheme } from '../gpu/compatibility-rules.ts';
import { type Gpu, toCapability } from '../gpu/gpu.ts';
import type { Profile } from '../profile/profile.ts';
import { toModel, toWord } from '../profile/rules/read.ts';
import type { Facts } from './facts.ts';
import { chooseGpus } from './gpu-choice.ts';

/** What is known of the driver beside its version; the doctor looks, a plan does not. */
export interface FitnessOptions {
  readonly kernelModule?: 'open' | 'proprietary';
  /** In place of those that the profile gets. */
  readonly gpus?: readonly Gpu[];
}

/** Each rule once, of the weakest GPU first. What is broken anyway needs no advice. */
export function checkFitness(profile: Profile, facts: Facts, { kernelModule, gpus }: FitnessOptions = {}): readonly CompatibilityHit[] {
  const chosen = gpus ?? chooseGpus(profile, facts).gpus;
  const ordered = chosen.toSorted((a, b) => (toCapability(a) ?? 0) - (toCapability(b) ?? 0));
  const about = toSubject(profile, facts);
  const hits = ordered.flatMap((gpu) =>
    checkCombination({ ...about, ...toGpuPart(gpu, facts), ...(kernelModule ? { kernelModule } : {}) }),
  );
  const distinct = [...new Map(hits.toReversed().map((hit) => [hit.code, hit])).values()].toReversed();
  const broken = distinct.filter(({ severity }) => severity === 'error').map(({ about: subject }) => subject);
  return distinct.filter(({ severity, about: subject }) => severity === 'error' || !broken.includes(subject));
}

/** CUDA of the engine that would run: of the one that is installed, else of the one that an installation would take. */
export function toEngineCuda(profile: Profile, facts: Facts): string | undefined {
  const { version, variant, executable, image } = profile.engine;
  if (variant !== 'gpu' || facts.backend === 'simulator') return undefined;
  const standard = chooseCuda(undefined, version).cuda;
  if (facts.backend === 'docker') return parseCuda(image) ?? (image === undefined ? standard : undefined);
  if (executable !== undefined) return undefined;
  const installed = facts.engines.find((engine) => engine.variant === 'gpu' && engine.version === version);
  if (installed) return parseCuda(installed.torch) ?? standard;
  if (facts.executable?.asked === 'path') return undefined;
  // An installation looks at the driver and takes the older build for an older one.
  const oldest = '12.9';
  const driver = toDriver(facts);
  return driver !== undefined && Number.parseInt(driver, 10) < firstDriverOfCuda13 ? oldest : standard;
}

const firstDriverOfCuda13 = 580;

/** `2.13.0+cu129`, `…:v0.32.0-cu129` → `12.9`. A version of torch without that part is the index's own build. */
function parseCuda(name = ''): string | undefined {
  const match = /[+-]cu(\d+)(\d)\b/.exec(name);
  return match ? `${match[1]}.${match[2]}` : undefined;
}

function toDriver({ gpus }: Facts): string | undefined {
  return gpus?.is === 'present'
    ? (gpus.driverVersion ?? gpus.gpus.find((gpu) => gpu.driverVersion !== undefined)?.driverVersion)
    : undefined;
}

function toSubject(profile: Profile, facts: Facts): Omit<Combination, 'gpu' | 'capability' | 'driver'> {
  const method = profile.quantization === 'auto' ? toModel(profile)?.method : profile.quantization;
  const scheme = toScheme(profile);
  const cuda = toEngineCuda(profile, facts);
  const cacheDtype = toWord(profile, 'kv-cache-dtype');
  return {
    version: profile.engine.version,
    dtype: toWord(profile, 'dtype') ?? 'auto',
    ...(method === undefined ? {} : { method }),
    ...(scheme === undefined ? {} : { scheme }),
    ...(cacheDtype === undefined ? {} : { cacheDtype }),
    ...(cuda === undefined ? {} : { cuda: Number(cuda) }),
  };
}

/** As the usual publishers of such checkpoints write it into their names: the method alone (compressed-tensors) does not tell. */
function toScheme({ model }: Profile): Scheme | undefined {
  const name = model.path ?? model.id;
  if (/nvfp4/i.test(name)) return 'nvfp4';
  if (/w4a8/i.test(name)) return 'w4a8';
  return /w8a8/i.test(name) && !/fp8/i.test(name) ? 'int8-w8a8' : undefined;
}

function toGpuPart(gpu: Gpu, facts: Facts): Pick<Combination, 'gpu' | 'capability' | 'driver'> {
  const capability = toCapability(gpu);
  const driver = gpu.driverVersion ?? toDriver(facts);
  return {
    gpu: `GPU ${gpu.index} (${gpu.name})`,
    ...(capability === undefined ? {} : { capability }),
    ...(driver === undefined ? {} : { driver }),
  };
}
