/** The image that `up` needs, fetched when it is not here. */
import { createImageReporter } from '../engine/image-progress.ts';
import type { Context } from './context.ts';
import { ensureImage } from './ensure-image.ts';
import { openDocker } from './image-request.ts';

export interface BringImageOptions {
  readonly install: boolean;
  readonly version: string;
}

/** True when it was fetched. Throws what `ensureImage` throws, and `docker/…`. */
export async function bringImage(reference: string, { install, version }: BringImageOptions, context: Context): Promise<boolean> {
  const docker = await openDocker(context);
  const onProgress = createImageReporter(context.emit);
  const options = { places: context.places, allowPull: install, version, onProgress, signal: context.signal };
  const { pulled, findings } = await ensureImage(docker, reference, options);
  for (const { message } of findings) context.emit({ type: 'said', level: 'warning', text: message });
  return pulled;
}
