/** Writes an image to a file that `engine install image --from`, or `docker load`, takes on a machine without network. */
import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { DeployError } from '../core/error.ts';
import { say } from '../core/message.ts';
import { toSizeText } from '../core/units.ts';
import type { PresentImage } from '../engine/image.ts';
import { createImageReporter, imageStep } from '../engine/image-progress.ts';
import { parseImageName } from '../engine/image-reference.ts';
import type { Docker } from '../host/docker/docker.ts';
import { errnoOf, readFreeBytes } from '../host/files.ts';
import { ensureImage, toInterrupted } from './ensure-image.ts';
import { type ImageContext, type ImageRequest, openDocker, toAskedReference } from './image-request.ts';

export interface ExportImageRequest extends ImageRequest {
  readonly out: string;
}

export interface ExportedImage {
  readonly kind: 'ExportedImage';
  readonly version: 1;
  readonly reference: string;
  readonly id: string;
  readonly engineVersion?: string;
  readonly file: string;
  readonly sizeBytes: number;
}

/** Fetches it first where it is not here. Throws what `ensureImage` throws, and `host/not-written`. */
export async function exportImage(request: ExportImageRequest, context: ImageContext, given?: Docker): Promise<ExportedImage> {
  const { places, cwd, env, emit, signal } = context;
  const reference = toAskedReference(request, env);
  const file = resolve(cwd, request.out);
  const docker = given ?? (await openDocker(context));
  const onProgress = createImageReporter(emit);
  emit({ type: 'step-started', step: imageStep, text: say('engine.image-writing', { reference, file }) });
  const needs = request.reference === undefined || request.version === undefined ? {} : { version: request.version };
  const { image, findings } = await ensureImage(docker, reference, { places, allowPull: true, signal, onProgress, ...needs });
  for (const { message } of findings) emit({ type: 'said', level: 'warning', text: message });
  if (parseImageName(reference)?.digest !== undefined) {
    emit({ type: 'said', level: 'warning', text: say('engine.image-nameless', { reference }) });
  }
  await refuseFullDisk(file, image);
  try {
    await docker.images.save(reference, file, { signal, onProgress });
  } catch (error) {
    throw toInterrupted(error, reference, signal) ?? error;
  }
  const { size } = await stat(file);
  emit({ type: 'step-done', step: imageStep, text: say('engine.image-saved', { reference, file, size: toSizeText(size) }) });
  const { id, version } = image;
  return { kind: 'ExportedImage', version: 1, reference, id, ...(version ? { engineVersion: version } : {}), file, sizeBytes: size };
}

/** Before minutes of writing. An archive is as large as what is unpacked, never much smaller unless the store compresses. */
async function refuseFullDisk(file: string, { sizeBytes }: PresentImage): Promise<void> {
  const directory = dirname(file);
  const found = await stat(directory).catch((error: unknown) => errnoOf(error) ?? String(error));
  if (typeof found === 'string') throw DeployError.of('host/not-written', { file, problem: found });
  const free = await readFreeBytes(directory);
  if (free >= sizeBytes) return;
  const problem = say('engine.image-no-room', { need: toSizeText(sizeBytes), have: toSizeText(free) });
  throw DeployError.of('host/not-written', { file, problem });
}
