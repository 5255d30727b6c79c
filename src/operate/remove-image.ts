/** Takes an engine away, whatever it is: a directory of ours, or an image that was brought here. */
import { DeployError } from '../core/error.ts';
import { observeImage } from '../engine/image.ts';
import { isImageId, parseImageName } from '../engine/image-reference.ts';
import { listShelvedImages, removeShelvedImage, type ShelvedImage } from '../engine/image-shelf.ts';
import type { Docker } from '../host/docker/docker.ts';
import { labelNames } from '../runtime/docker/labels.ts';
import type { Context } from './context.ts';
import { type RemovedEngine, removeEngine } from './engine-remove.ts';
import { openDocker } from './image-request.ts';

export interface RemovedImage {
  readonly kind: 'RemovedImage';
  readonly version: 1;
  readonly reference: string;
  readonly id: string;
  /** False when Docker had it no more. */
  readonly wasThere: boolean;
}

export type Removed = ({ readonly kind: 'RemovedEngine'; readonly version: 1 } & RemovedEngine) | RemovedImage;

type RemoveContext = Pick<Context, 'places' | 'env' | 'signal'>;

/** By id of an engine, reference or id of an image. Throws what `removeEngine` throws, and `engine/image-in-use`. */
export async function removeInstalled({ id }: { readonly id: string }, context: RemoveContext, given?: Docker): Promise<Removed> {
  const shelved = findShelved(id, await listShelvedImages(context.places));
  if (shelved === undefined) return { kind: 'RemovedEngine', version: 1, ...(await removeEngine({ id }, context)) };
  return removeImage(given ?? (await openDocker(context)), shelved, context);
}

/** An id that fits several names means none of them: removing one would leave the image where it is. */
function findShelved(id: string, shelved: readonly ShelvedImage[]): ShelvedImage | undefined {
  const text = parseImageName(id)?.text;
  const named = shelved.find(({ reference }) => reference === text || reference === id);
  if (named || !isImageId(id)) return named;
  const fits = shelved.filter((image) => image.id.replace(/^sha256:/, '').startsWith(id.replace(/^sha256:/, '')));
  return fits.length === 1 ? fits[0] : undefined;
}

/**
 * Containers of ours hold it also when they do not run: they may be started again. Those of others are Docker's to
 * refuse. The record goes last: what could not be removed stays listed.
 */
async function removeImage(docker: Docker, { reference, id }: ShelvedImage, { places }: RemoveContext): Promise<RemovedImage> {
  const found = await observeImage(docker, reference);
  const [first, ...others] = found.present ? await listUsers(docker, found.id) : [];
  if (first !== undefined) {
    throw DeployError.of('engine/image-in-use', { reference, deployments: [first, ...others].join(', '), first });
  }
  const wasThere = found.present && (await docker.images.remove(reference));
  await removeShelvedImage(places, reference);
  return { kind: 'RemovedImage', version: 1, reference, id: found.present ? found.id : id, wasThere };
}

/** The list names images as they were asked for when the container was made; what they are tells only each container. */
async function listUsers(docker: Docker, imageId: string): Promise<readonly string[]> {
  const ours = await docker.list([labelNames.instance]);
  const containers = await Promise.all(ours.map(({ id }) => docker.inspect(id)));
  const names = containers
    .filter((container) => container !== undefined)
    .filter((container) => container.imageId === imageId)
    .map(({ labels, name }) => labels[labelNames.instance] ?? name);
  return [...new Set(names)].sort();
}
