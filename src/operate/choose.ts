/** Gathers what the choice of a profile for this machine needs to know, and makes it. */
import { totalmem } from 'node:os';
import { DeployError } from '../core/error.ts';
import { type Message, say } from '../core/message.ts';
import { checkInstallable } from '../engine/installable.ts';
import { listEngines } from '../engine/installed.ts';
import { findOnPath } from '../engine/path.ts';
import type { GpuObservation } from '../gpu/gpu.ts';
import { observeGpus } from '../gpu/query.ts';
import { isHubReachable } from '../host/hub.ts';
import { type AutoChoice, type Availability, chooseAuto, gpuProfiles } from '../plan/auto.ts';
import { isCached, observeProgram } from '../plan/facts.ts';
import { type RankedProfile, rankProfiles } from '../plan/rank.ts';
import { listShelf, toShelves } from '../profile/find.ts';
import type { EngineVariant, Profile } from '../profile/profile.ts';
import { createRecall, recallProfile } from '../profile/recall.ts';
import { readAssumedGpus } from './assume-gpus.ts';
import { readCompletedGpus } from './complete-gpus.ts';
import type { Context } from './context.ts';

type ChooseContext = Pick<Context, 'places' | 'env' | 'cwd' | 'signal'>;

/** The profile for `--profile auto`. Throws `host/gpu-silent`. */
export async function chooseProfile(
  context: ChooseContext,
  { noInstall, gpu, observed, offline, trusting = false }: ChooseOptions,
): Promise<AutoChoice> {
  const named = gpu === undefined ? undefined : await readAssumedGpus(gpu);
  const assumed = observed?.elsewhere ? observed.gpus : named;
  const seen = assumed ?? observed?.gpus ?? (await observeGpus(context.env, { signal: context.signal }));
  const gpus = await readCompletedGpus(seen, { elsewhere: assumed !== undefined });
  const asked = { ...context, noInstall, trusting };
  const { profile: cpu } = await recallProfile('cpu', { places: context.places, cwd: context.cwd, sets: [] });
  const unneeded: Availability = { is: 'impossible', why: say('auto.no-install') };
  // Whether a card that is not here can run a vLLM is not for this machine to say.
  const elsewhere: Availability = { is: 'installable' };
  const [gpuEngine, cpuEngine, cached, hubReachable, profiles] = await Promise.all([
    assumed ? elsewhere : gpus.is === 'present' ? observeAvailability('gpu', cpu, asked) : unneeded,
    gpus.is === 'silent' ? unneeded : observeAvailability('cpu', cpu, asked),
    isCached(cpu.model.id, context.env),
    offline ? false : isHubReachable(cpu.model.id, context.env),
    gpus.is === 'present' ? loadProfiles(gpuProfiles, context) : [],
  ]);
  const machine = toMachine(context, assumed !== undefined);
  const choice = chooseAuto({ gpus, gpuEngine, cpuEngine, cached, hubReachable, profiles, ...machine });
  if (choice instanceof DeployError) throw choice;
  return choice;
}

interface ChooseOptions {
  readonly noInstall: boolean;
  /** A card to choose for in place of those of this machine. */
  readonly gpu?: string;
  /** GPUs that were observed already; `elsewhere`: they are of another machine. */
  readonly observed?: { readonly gpus: GpuObservation; readonly elsewhere: boolean };
  /** Does not ask the hub. */
  readonly offline?: boolean;
  /** Whatever could install an engine is taken to do so; whether it does takes seconds to find out. */
  readonly trusting?: boolean;
}

export interface RankOptions {
  readonly gpus: GpuObservation;
  /** They are not of this machine: what its environment says about GPUs does not matter. */
  readonly elsewhere?: boolean;
}

/** All shipped profiles, the best for these GPUs first. A profile that cannot be read is left out. */
export async function rankForMachine(context: ChooseContext, { gpus, elsewhere = false }: RankOptions): Promise<readonly RankedProfile[]> {
  const shelves = toShelves(context).filter(({ shipped }) => shipped);
  const names = (await Promise.all(shelves.map(listShelf))).flat().map(({ name }) => name);
  const engines = elsewhere ? [] : await listEngines(context.places);
  const known = await readCompletedGpus(gpus, { elsewhere });
  return rankProfiles(await loadProfiles(names, context), { gpus: known, engines, ...toMachine(context, elsewhere) });
}

function toMachine({ env }: ChooseContext, elsewhere: boolean): { readonly visibleGpus?: string; readonly memoryTotalBytes?: number } {
  const visibleGpus = env.CUDA_VISIBLE_DEVICES;
  if (elsewhere) return {};
  return { memoryTotalBytes: totalmem(), ...(visibleGpus === undefined ? {} : { visibleGpus }) };
}

async function loadProfiles(names: readonly string[], { places, cwd }: ChooseContext): Promise<readonly Profile[]> {
  const recall = createRecall({ places, cwd, sets: [] });
  const checked = await Promise.all(names.map(recall));
  return checked.flatMap(({ profile }) => profile ?? []);
}

/** The shipped profiles all ask for the same version, so that of one of them stands for all. */
async function observeAvailability(
  variant: EngineVariant,
  profile: Profile,
  context: ChooseContext & Required<Pick<ChooseOptions, 'noInstall' | 'trusting'>>,
): Promise<Availability> {
  const { version } = profile.engine;
  const engines = await listEngines(context.places);
  if (engines.some((engine) => engine.variant === variant && engine.version === version)) return { is: 'installed' };
  const found = await observeProgram(undefined, context.env);
  if (found && !('problem' in found) && found.variant === variant && found.version === version) return { is: 'installed' };
  if (context.noInstall) return { is: 'impossible', why: say('auto.no-install') };
  const { places, env, signal, trusting } = context;
  if (trusting) return (await hasInstaller(env)) ? { is: 'installable' } : { is: 'impossible', why: say('auto.no-python') };
  const answer = await checkInstallable(variant, version, { places, env, signal });
  return answer.ok ? { is: 'installable' } : { is: 'impossible', why: toWhy(answer.error) };
}

async function hasInstaller(env: NodeJS.ProcessEnv): Promise<boolean> {
  const found = await Promise.all(['uv', 'python3', 'python3.13', 'python3.12', 'python3.11'].map((name) => findOnPath(name, env)));
  return found.some((path) => path !== undefined);
}

/** Short, because it is part of a sentence; `engine install` tells the whole of it. */
export function toWhy({ code }: DeployError): Message {
  if (code === 'engine/no-python') return say('auto.no-python');
  if (code === 'engine/no-venv') return say('auto.no-venv');
  if (code === 'engine/no-index') return say('auto.no-index');
  if (code === 'host/disk-full') return say('auto.disk-full');
  return say('auto.not-installable', { code });
}
