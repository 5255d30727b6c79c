/** Gathers what the choice of a profile for this machine needs to know, and makes it. */
import { DeployError } from '../core/error.ts';
import { type Message, say } from '../core/message.ts';
import { checkInstallable } from '../engine/installable.ts';
import { listEngines } from '../engine/installed.ts';
import { observeGpus } from '../gpu/query.ts';
import { type AutoChoice, type Availability, chooseAuto, gpuProfiles } from '../plan/auto.ts';
import { isCached, observeProgram } from '../plan/facts.ts';
import { loadProfile } from '../profile/load.ts';
import type { EngineVariant, Profile } from '../profile/profile.ts';
import { readAssumedGpus } from './assume-gpus.ts';
import type { Context } from './context.ts';

type ChooseContext = Pick<Context, 'places' | 'env' | 'cwd' | 'signal'>;

/** The profile for `--profile auto`. Throws `host/gpu-silent`. */
export async function chooseProfile(context: ChooseContext, { noInstall, gpu }: ChooseOptions): Promise<AutoChoice> {
  const assumed = gpu === undefined ? undefined : await readAssumedGpus(gpu);
  const gpus = assumed ?? (await observeGpus(context.env, { signal: context.signal }));
  const cpu = await loadProfile('cpu', { places: context.places, cwd: context.cwd, sets: [] });
  const unneeded: Availability = { is: 'impossible', why: say('auto.no-install') };
  // Whether a card that is not here can run a vLLM is not for this machine to say.
  const elsewhere: Availability = { is: 'installable' };
  const [gpuEngine, cpuEngine, cached, hubReachable, profiles] = await Promise.all([
    assumed ? elsewhere : gpus.is === 'present' ? observeAvailability('gpu', cpu, { ...context, noInstall }) : unneeded,
    gpus.is === 'silent' ? unneeded : observeAvailability('cpu', cpu, { ...context, noInstall }),
    isCached(cpu.model.id, context.env),
    isHubReachable(cpu.model.id, context.env),
    gpus.is === 'present' ? loadGpuProfiles(context) : [],
  ]);
  const choice = chooseAuto({ gpus, gpuEngine, cpuEngine, cached, hubReachable, profiles });
  if (choice instanceof DeployError) throw choice;
  return choice;
}

interface ChooseOptions {
  readonly noInstall: boolean;
  /** A card to choose for in place of those of this machine. */
  readonly gpu?: string;
}

function loadGpuProfiles({ places, cwd }: ChooseContext): Promise<readonly Profile[]> {
  return Promise.all(gpuProfiles.map((name) => loadProfile(name, { places, cwd, sets: [] })));
}

/** The shipped profiles all ask for the same version, so that of one of them stands for all. */
async function observeAvailability(
  variant: EngineVariant,
  profile: Profile,
  context: ChooseContext & { readonly noInstall: boolean },
): Promise<Availability> {
  const { version } = profile.engine;
  const engines = await listEngines(context.places);
  if (engines.some((engine) => engine.variant === variant && engine.version === version)) return { is: 'installed' };
  const found = await observeProgram(undefined, context.env);
  if (found && !('problem' in found) && found.variant === variant && found.version === version) return { is: 'installed' };
  if (context.noInstall) return { is: 'impossible', why: say('auto.no-install') };
  const { places, env, signal } = context;
  const answer = await checkInstallable(variant, version, { places, env, signal });
  return answer.ok ? { is: 'installable' } : { is: 'impossible', why: toWhy(answer.error) };
}

/** Short, because it is part of a sentence; `engine install` tells the whole of it. */
export function toWhy({ code }: DeployError): Message {
  if (code === 'engine/no-python') return say('auto.no-python');
  if (code === 'engine/no-venv') return say('auto.no-venv');
  if (code === 'engine/no-index') return say('auto.no-index');
  if (code === 'host/disk-full') return say('auto.disk-full');
  return say('auto.not-installable', { code });
}

const defaultHub = 'https://huggingface.co';
const hubLimitMs = 3000;

/** Whether the files of a model can be had: asked of the hub that the engine will ask, within three seconds. */
export async function isHubReachable(id: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  if (env.HF_HUB_OFFLINE === '1') return false;
  const endpoint = (env.HF_ENDPOINT || defaultHub).replace(/\/$/, '');
  try {
    const reply = await fetch(`${endpoint}/${id}/resolve/main/config.json`, {
      method: 'HEAD',
      redirect: 'manual',
      signal: AbortSignal.timeout(hubLimitMs),
    });
    return reply.status < 400;
  } catch {
    // No answer. Node's fetch goes past proxies, so where one is set the engine may still reach what we cannot.
    return (env.HTTPS_PROXY ?? env.https_proxy ?? env.ALL_PROXY ?? env.all_proxy) !== undefined;
  }
}
