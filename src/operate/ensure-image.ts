/** The image of an engine: what Docker has of it, else what a registry gives. */
import { DeployError } from '../core/error.ts';
import type { Finding } from '../core/finding.ts';
import { observeImage, type PresentImage, toMachineNeeds, toUnfit } from '../engine/image.ts';
import { readShelvedImage, toChangeFinding, toImageChange, writeShelvedImage } from '../engine/image-shelf.ts';
import type { Docker, ProgressOptions } from '../host/docker/docker.ts';
import type { Places } from '../host/environment.ts';
import { toErrorText } from '../text/render.ts';

export interface EnsureImageOptions extends ProgressOptions {
  readonly places: Pick<Places, 'data'>;
  /** Else one that is not here is `engine/image-absent`. */
  readonly allowPull: boolean;
  /** Of vLLM: an image that says another one is refused. */
  readonly version?: string;
}

export interface EnsuredImage {
  readonly image: PresentImage;
  readonly pulled: boolean;
  /** `engine/image-changed`: it runs, and is not what was brought here. */
  readonly findings: readonly Finding[];
}

/**
 * Returns at once when Docker has it. Throws `engine/image-absent`, what `pullImage` throws, and before anything is
 * started `engine/image-architecture`, `engine/image-digest`, `engine/image-version`.
 */
export async function ensureImage(docker: Docker, reference: string, options: EnsureImageOptions): Promise<EnsuredImage> {
  const { places, allowPull, version } = options;
  const found = await observeImage(docker, reference);
  if (!found.present) {
    if (!allowPull) throw DeployError.of('engine/image-absent', { reference });
    return { image: await pullImage(docker, reference, options), pulled: true, findings: [] };
  }
  refuseUnfit(docker, found, version);
  const change = toImageChange(found, await readShelvedImage(places, reference));
  return { image: found, pulled: false, findings: change === undefined ? [] : [toChangeFinding(change)] };
}

export type PullImageOptions = Omit<EnsureImageOptions, 'allowPull'>;

/**
 * Also when it is here, for a tag may mean another image by now. Puts it on the shelf. Throws `engine/image-unreachable`,
 * `engine/image-interrupted` and, as Docker's door does, `docker/image-not-found`, `docker/image-denied`, `docker/disk-full`.
 */
export async function pullImage(docker: Docker, reference: string, options: PullImageOptions): Promise<PresentImage> {
  const { places, version, signal, onProgress } = options;
  try {
    await docker.images.pull(reference, { ...(signal ? { signal } : {}), ...(onProgress ? { onProgress } : {}) });
  } catch (error) {
    throw toPullError(error, reference, signal);
  }
  const image = await observeImage(docker, reference);
  // Between the two somebody has removed it.
  if (!image.present) throw DeployError.of('engine/image-absent', { reference });
  refuseUnfit(docker, image, version);
  await writeShelvedImage(places, image, { from: 'registry', at: new Date().toISOString() });
  return image;
}

/** Throws `engine/image-architecture`, `engine/image-digest`, `engine/image-version`. */
export function refuseUnfit(docker: Docker, image: PresentImage, version: string | undefined): void {
  const unfit = toUnfit(image, { ...toMachineNeeds(docker), ...(version === undefined ? {} : { version }) });
  if (unfit) throw unfit;
}

/** A transfer that was given up on purpose ends in all kinds of errors; the reason is known here. */
export function toInterrupted(error: unknown, reference: string, signal: AbortSignal | undefined): DeployError | undefined {
  return signal?.aborted ? DeployError.of('engine/image-interrupted', { reference }, { cause: error }) : undefined;
}

function toPullError(error: unknown, reference: string, signal: AbortSignal | undefined): unknown {
  const interrupted = toInterrupted(error, reference, signal);
  if (interrupted) return interrupted;
  if (!(error instanceof DeployError) || error.code !== 'docker/registry') return error;
  const problem = error.params['problem'] ?? toErrorText(error).message;
  return DeployError.of('engine/image-unreachable', { reference, problem }, { cause: error });
}
