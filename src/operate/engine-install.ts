/** Installs a managed engine, or says what that would do. One installer at a time per engine; done once is done. */
import { join } from 'node:path';
import { waitFor } from '../core/clock.ts';
import { DeployError } from '../core/error.ts';
import { say } from '../core/message.ts';
import type { GpuEvidence } from '../engine/cuda.ts';
import type { InstalledEngine } from '../engine/engine.ts';
import { toInstallEnvironment } from '../engine/environment.ts';
import { observeInstallFacts } from '../engine/facts.ts';
import { install } from '../engine/install.ts';
import { openInstallLog } from '../engine/install-log.ts';
import { readEngine, toEngineId, toEnginesDirectory, writeMarker } from '../engine/installed.ts';
import { type InstallPlan, type InstallRequest, planInstall, toShellLines } from '../engine/plan-install.ts';
import { isVersion } from '../engine/version.ts';
import { ensurePrivateDirectory, readFreeBytes, readTextFile } from '../host/files.ts';
import { type Lock, tryLock } from '../host/lock.ts';
import type { EngineVariant } from '../profile/profile.ts';
import { defaultEngineVersion } from '../profile/resolve.ts';
import type { Context } from './context.ts';

export interface EngineInstallRequest {
  readonly variant: EngineVariant;
  /** The default is the version that profiles have without asking for one. */
  readonly version?: string;
  /** What is known of this machine's GPU; observed here when it is not given. */
  readonly gpu?: GpuEvidence;
}

export type EngineInstallContext = Pick<Context, 'places' | 'env' | 'emit' | 'signal'> & {
  /** For tests of full disks. */
  readonly readFreeBytes?: typeof readFreeBytes;
};

export interface PlannedInstall {
  readonly plan: InstallPlan;
  /** Every command, as one would type it. */
  readonly lines: readonly string[];
}

/** Runs nothing but questions to Python and uv, so it also answers for a GPU engine on a machine without a GPU. */
export async function planEngineInstall(
  request: EngineInstallRequest,
  context: Pick<EngineInstallContext, 'places' | 'env' | 'signal'>,
): Promise<PlannedInstall> {
  const whole = await complete(request, context);
  const plan = planInstall(whole, await observeInstallFacts(whole, context));
  return { plan, lines: toShellLines(plan) };
}

/** Returns at once when it is installed. */
export async function installEngine(request: EngineInstallRequest, context: EngineInstallContext): Promise<InstalledEngine> {
  const { variant, version = defaultEngineVersion } = request;
  if (!isVersion(version)) throw DeployError.of('usage/bad-version', { version });
  const id = toEngineId(variant, version);
  const there = await readEngine(context.places, id);
  if (there) return there;
  const whole = await complete(request, context);
  if (whole.variant === 'gpu' && !whole.gpu?.present) throw DeployError.of('engine/gpu-needs-gpu', { evidence: whole.gpu?.evidence ?? '' });
  const directory = join(toEnginesDirectory(context.places), id);
  for (const path of [context.places.data, toEnginesDirectory(context.places), directory]) await ensurePrivateDirectory(path);
  const lock = await takeLock(join(directory, 'lock'), { id, request: whole, context });
  try {
    return (await readEngine(context.places, id)) ?? (await installLocked(whole, id, context));
  } finally {
    await lock.release();
  }
}

async function installLocked(request: InstallRequest, id: string, context: EngineInstallContext): Promise<InstalledEngine> {
  const facts = await observeInstallFacts(request, context);
  const log = openInstallLog(join(facts.directory, 'install.log'));
  try {
    const env = toInstallEnvironment(context.env);
    const marker = await install(request, facts, { readFreeBytes, ...context, env, log });
    await writeMarker(facts.directory, marker);
  } finally {
    await log.close();
  }
  const engine = await readEngine(context.places, id);
  if (engine) return engine;
  throw DeployError.of('engine/broken', { id, variant: request.variant, problem: join(facts.directory, 'venv', 'bin', 'vllm') });
}

async function complete(request: EngineInstallRequest, context: Pick<EngineInstallContext, 'env' | 'signal'>): Promise<InstallRequest> {
  const { variant, version = defaultEngineVersion } = request;
  if (variant === 'cpu') return { variant, version };
  return { variant, version, gpu: request.gpu ?? (await observeGpuEvidence(context)) };
}

/** Only for the GPU engine, so the GPU room is loaded only then. */
async function observeGpuEvidence({ env, signal }: Pick<EngineInstallContext, 'env' | 'signal'>): Promise<GpuEvidence> {
  const { observeGpus } = await import('../gpu/query.ts');
  const found = await observeGpus(env, { signal });
  if (found.is !== 'present') return { present: false, evidence: found.evidence };
  const { driverVersion, cudaVersion } = found;
  return { present: true, evidence: '', ...(driverVersion ? { driverVersion } : {}), ...(cudaVersion ? { cudaVersion } : {}) };
}

const lockPollMs = 500;

interface Waiting {
  readonly id: string;
  readonly request: InstallRequest;
  readonly context: EngineInstallContext;
}

/** Waits while another installer works, saying so once. Throws `engine/install-interrupted`. */
async function takeLock(path: string, { id, request, context }: Waiting): Promise<Lock> {
  for (let round = 0; ; round += 1) {
    const { variant, version } = request;
    if (context.signal.aborted) throw DeployError.of('engine/install-interrupted', { variant, version });
    const lock = await tryLock(path);
    if (lock) {
      await lock.describe(`${process.pid}\n`);
      return lock;
    }
    if (round === 0) {
      const holder = ((await readTextFile(path)) ?? '').trim();
      context.emit({ type: 'said', level: 'info', text: say('engine.waiting', { id, holder: holder || '?' }) });
    }
    await waitFor(lockPollMs, context.signal);
  }
}
