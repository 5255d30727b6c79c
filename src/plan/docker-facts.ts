/** What is true of the Docker engine here, for a plan that runs in it. Asked once, with a time limit. */
import { type ObservedImage, observeImage } from '../engine/image.ts';
import { toImageReference, toImageSettings } from '../engine/image-reference.ts';
import type { DockerObservation } from '../host/docker/observe.ts';
import { toLoadBytes } from '../profile/load-need.ts';
import type { Profile } from '../profile/profile.ts';
import { findRefusedMount, type RefusedMount } from './mounts.ts';
import { dockerAnswerMs } from './preflight-docker.ts';

export interface DockerFacts {
  readonly engine: DockerObservation;
  /** The image that is wanted. */
  readonly reference: string;
  /** Absent while the engine cannot be asked. */
  readonly image?: ObservedImage;
  /** How it hands over GPUs; absent: not at all. */
  readonly gpuWay?: 'nvidia' | 'cdi';
  /** `UID:GID` of whoever asks; absent for root, whose containers run as the image says. */
  readonly user?: string;
  /** What `engine.mounts` names and no container gets. */
  readonly refusedMount?: RefusedMount;
  /** What loading alone takes, as far as is known. */
  readonly loadBytes: number;
  /** Directory of the model cache of huggingface_hub, on this machine. */
  readonly hubCache: string;
}

/** Whether a container would get the GPUs of this machine. */
export async function canGiveGpus(env: NodeJS.ProcessEnv): Promise<boolean> {
  const { observeDocker } = await import('../host/docker/observe.ts');
  const engine = await observeDocker(env, { timeoutMs: dockerAnswerMs });
  return engine.is === 'present' && toGpuWay(engine) !== undefined;
}

export async function observeForDocker(profile: Profile, env: NodeJS.ProcessEnv): Promise<Omit<DockerFacts, 'hubCache'>> {
  const { version, variant, image, mounts } = profile.engine;
  const reference = toImageReference(version, variant, toImageSettings(env, image));
  // Loaded only for who needs it.
  const { observeDocker } = await import('../host/docker/observe.ts');
  const engine = await observeDocker(env, { timeoutMs: dockerAnswerMs });
  const user = toOwnUser(engine);
  const refusedMount = await findRefusedMount(mounts, env);
  const known = {
    engine,
    reference,
    loadBytes: toLoadBytes(profile),
    ...(user === undefined ? {} : { user }),
    ...(refusedMount ? { refusedMount } : {}),
  };
  if (engine.is !== 'present') return known;
  const { connectDocker } = await import('../host/docker/connect.ts');
  const docker = await connectDocker(env, { timeoutMs: dockerAnswerMs });
  const gpuWay = toGpuWay(engine);
  return { ...known, image: await observeImage(docker, reference), ...(gpuWay ? { gpuWay } : {}) };
}

/** CDI first: its devices survive a reload of systemd, which takes those of the old way from a running container. */
function toGpuWay({ runtimes, cdiDevices = [] }: Extract<DockerObservation, { is: 'present' }>): DockerFacts['gpuWay'] {
  if (cdiDevices.some((device) => device.startsWith('nvidia.com/gpu='))) return 'cdi';
  return runtimes.includes('nvidia') ? 'nvidia' : undefined;
}

/** What the engine writes into our caches must stay ours. Without root, the root of a container is who asks anyway. */
function toOwnUser(engine: DockerObservation): string | undefined {
  const uid = process.getuid?.() ?? 0;
  if (uid === 0 || (engine.is === 'present' && engine.rootless)) return undefined;
  return `${uid}:${process.getgid?.() ?? uid}`;
}
