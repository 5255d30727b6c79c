import { DeployError } from '../core/error.ts';
import { say } from '../core/message.ts';
import { observeImage } from '../engine/image.ts';
import { listShelvedImages, type ShelvedImage, toImageChange } from '../engine/image-shelf.ts';
import type { Docker } from '../host/docker/docker.ts';
import { toErrorText } from '../text/render.ts';
import type { Context } from './context.ts';
import { openDocker } from './image-request.ts';

export interface ListedImage extends ShelvedImage {
  /** What Docker has under that name now. */
  readonly docker: 'here' | 'gone' | 'changed' | 'unknown';
}

/** What was brought here. Docker is asked only where there is something to ask for; where it cannot be, that is said. */
export async function listImages(
  { places, env, emit, signal }: Pick<Context, 'places' | 'env' | 'emit' | 'signal'>,
  given?: Docker,
): Promise<readonly ListedImage[]> {
  const shelved = await listShelvedImages(places);
  if (shelved.length === 0) return [];
  try {
    const docker = given ?? (await openDocker({ env, signal }));
    return await Promise.all(shelved.map((image) => toListed(docker, image)));
  } catch (error) {
    if (!(error instanceof DeployError)) throw error;
    emit({ type: 'said', level: 'warning', text: say('engine.image-unlisted', { problem: toErrorText(error).message }) });
    return shelved.map((image) => ({ ...image, docker: 'unknown' }));
  }
}

async function toListed(docker: Docker, shelved: ShelvedImage): Promise<ListedImage> {
  const found = await observeImage(docker, shelved.reference);
  if (!found.present) return { ...shelved, docker: 'gone' };
  return { ...shelved, docker: toImageChange(found, shelved) ? 'changed' : 'here' };
}
