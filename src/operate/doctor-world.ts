/** What the checks may see of the world, each thing looked at once. */
import { basename } from 'node:path';
import type { DoctorContext, DoctorSubject } from '../doctor/check.ts';
import { toInstallEnvironment } from '../engine/environment.ts';
import { observePythons } from '../engine/python.ts';
import type { GpuObservation } from '../gpu/gpu.ts';
import type { DockerObservation } from '../host/docker/observe.ts';
import { type RunResult, runProgram } from '../host/exec.ts';
import { readAssumedGpus } from './assume-gpus.ts';
import { readCompletedGpus } from './complete-gpus.ts';
import type { Context } from './context.ts';
import { parseSavedSmi, type SavedSmi } from './doctor-smi.ts';

export interface WorldRequest {
  /** A card in place of those of this machine. */
  readonly gpu?: string;
  /** What nvidia-smi printed on another machine. */
  readonly smi?: SavedSmi;
  readonly offline: boolean;
}

export interface World {
  /** For people: the card, or the name of the file, when it is another machine. */
  readonly elsewhere?: string;
  /** With what is known by their names where nvidia-smi did not say it. */
  readonly gpus: () => Promise<GpuObservation>;
  /** As nvidia-smi said it. */
  readonly seen: () => Promise<GpuObservation>;
  readonly docker: () => Promise<DockerObservation>;
  /** `signal`: of one check. */
  readonly toContext: (subject: DoctorSubject | undefined, signal: AbortSignal) => DoctorContext;
}

/** Throws `usage/not-smi`, `host/gpu-name` and `host/gpu-unclear` for another machine that nobody understands. */
export async function openWorld({ gpu, smi, offline }: WorldRequest, { env, places, cwd, signal }: Context): Promise<World> {
  const foreign = smi ? await parseSavedSmi(smi) : gpu === undefined ? undefined : await readAssumedGpus(gpu);
  const elsewhere = smi ? basename(smi.name) : gpu;
  // Shared by all checks: one that is given up must not take it from the others.
  const seen = once(async () => foreign ?? (await import('../gpu/query.ts')).observeGpus(env, { signal, depth: 'health' }));
  const gpus = once(async () => readCompletedGpus(await seen(), { elsewhere: foreign !== undefined }));
  const pythons = once(() => observePythons(toInstallEnvironment(env), signal));
  const docker = once(async () => (await import('../host/docker/observe.ts')).observeDocker(env, { signal, timeoutMs: dockerLimitMs }));
  const leftContainers = async () => (await import('./left-containers.ts')).findLeftContainers({ env, places });
  return {
    ...(elsewhere === undefined ? {} : { elsewhere }),
    gpus,
    seen,
    docker,
    toContext: (subject, own) => ({
      root: '/',
      env,
      places,
      cwd,
      signal: own,
      offline,
      ...(subject ? { subject } : {}),
      gpus,
      gpusFromFile: foreign !== undefined,
      docker,
      leftContainers,
      pythons,
      run: (program, args) => run(program, args, { env, signal: own }),
    }),
  };
}

function once<T>(observe: () => Promise<T>): () => Promise<T> {
  let seen: Promise<T> | undefined;
  return () => {
    seen ??= observe();
    return seen;
  };
}

/** Shorter than the limit of the checks that ask for it. */
const dockerLimitMs = 1200;

/** Beyond it a program is of no use to any check. */
const programLimitMs = 10_000;

async function run(
  program: string,
  args: readonly string[],
  { env, signal }: { readonly env: NodeJS.ProcessEnv; readonly signal: AbortSignal },
): Promise<RunResult> {
  try {
    return await runProgram(program, args, { env, signal, timeoutMs: programLimitMs });
  } catch (error) {
    // Given up before it could begin.
    return { code: undefined, signal: undefined, stdout: '', stderr: '', problem: error instanceof Error ? error.name : String(error) };
  }
}
