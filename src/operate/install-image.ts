/** Brings an image of vLLM to this machine's Docker, from a registry or from a file. */
import { resolve } from 'node:path';
import { DeployError } from '../core/error.ts';
import { type Message, say } from '../core/message.ts';
import { toShellWord } from '../core/shell.ts';
import { toSizeText } from '../core/units.ts';
import { observeImage, type PresentImage } from '../engine/image.ts';
import { createImageReporter, imageStep } from '../engine/image-progress.ts';
import { isImageId, parseImageName } from '../engine/image-reference.ts';
import { readShelvedImage, type ShelvedImage, toImageChange, writeShelvedImage } from '../engine/image-shelf.ts';
import type { Docker } from '../host/docker/docker.ts';
import { toErrorText } from '../text/render.ts';
import { pullImage, refuseUnfit, toInterrupted } from './ensure-image.ts';
import { type ImageContext, type ImageRequest, openDocker, sayMovingTag, toAskedReference } from './image-request.ts';

export interface InstallImageRequest extends ImageRequest {
  /** An archive of `docker save`. */
  readonly from?: string;
  /** Fetch again, and take what the tag means now. */
  readonly update?: boolean;
}

export interface InstalledImages {
  readonly kind: 'EngineImages';
  readonly version: 1;
  readonly how: 'here' | 'pulled' | 'updated' | 'loaded';
  readonly images: readonly ShelvedImage[];
}

/** What `--dry-run` answers. */
export interface PlannedImage {
  readonly kind: 'ImagePlan';
  readonly version: 1;
  readonly reference?: string;
  readonly argv: readonly string[];
  /** The same, as one would type it. */
  readonly line: string;
}

/** Asks nobody. */
export function planImageInstall(request: InstallImageRequest, { env, cwd }: Pick<ImageContext, 'env' | 'cwd'>): PlannedImage {
  const toPlan = (...argv: readonly string[]) =>
    ({ kind: 'ImagePlan', version: 1, argv, line: argv.map(toShellWord).join(' ') }) as const satisfies PlannedImage;
  if (request.from !== undefined) return toPlan('docker', 'load', '--input', resolve(cwd, request.from));
  const reference = toAskedReference(request, env);
  return { ...toPlan('docker', 'pull', reference), reference };
}

/**
 * Throws what `pullImage` and `refuseUnfit` throw; `engine/image-changed` when the tag means another image than the one
 * that was brought, and `update` was not asked for; `engine/image-lacking`, `docker/bad-archive`.
 */
export async function installImage(request: InstallImageRequest, context: ImageContext, given?: Docker): Promise<InstalledImages> {
  const asked = request.from !== undefined && request.reference === undefined ? undefined : toAskedReference(request, context.env);
  const docker = given ?? (await openDocker(context));
  try {
    if (request.from !== undefined) return await load(docker, resolve(context.cwd, request.from), { ...request, asked, context });
    return await fetchImage(docker, asked ?? toAskedReference(request, context.env), { ...request, context });
  } catch (error) {
    if (error instanceof DeployError) {
      context.emit({ type: 'step-failed', step: imageStep, text: say('engine.step-failed', { problem: toErrorText(error).message }) });
    }
    throw error;
  }
}

interface Work {
  readonly version?: string;
  readonly update?: boolean;
  readonly context: ImageContext;
}

async function fetchImage(docker: Docker, reference: string, { version, update, context }: Work): Promise<InstalledImages> {
  const { places, emit, signal } = context;
  sayMovingTag(reference, context);
  const [before, shelved] = [await observeImage(docker, reference), await readShelvedImage(places, reference)];
  if (before.present && !update) {
    const change = toImageChange(before, shelved);
    if (change) throw DeployError.of('engine/image-changed', { ...change });
    refuseUnfit(docker, before, version);
    done(say('engine.image-here', toWords(before)), context);
    return toResult('here', [shelved ?? (await shelve(before, 'engine', context))]);
  }
  emit({ type: 'step-started', step: imageStep, text: say('engine.image-fetching', { reference }) });
  const needs = version === undefined ? {} : { version };
  const image = await pullImage(docker, reference, { places, signal, onProgress: createImageReporter(emit), ...needs });
  const now = (await readShelvedImage(places, reference)) ?? (await shelve(image, 'registry', context));
  const old = shelved?.id ?? (before.present ? before.id : undefined);
  if (old === undefined) done(say('engine.image-pulled', toWords(image)), context);
  else if (old === image.id) done(say('engine.image-same', toWords(image)), context);
  else done(say('engine.image-updated', { ...toWords(image), before: old }), context);
  return toResult(old === undefined ? 'pulled' : old === image.id ? 'here' : 'updated', [now]);
}

async function load(docker: Docker, file: string, work: Work & { readonly asked: string | undefined }): Promise<InstalledImages> {
  const { asked, version, context } = work;
  const { emit, signal } = context;
  emit({ type: 'step-started', step: imageStep, text: say('engine.image-opening', { file }) });
  let held: readonly string[];
  try {
    held = await docker.images.load(file, { signal, onProgress: createImageReporter(emit) });
  } catch (error) {
    throw toInterrupted(error, file, signal) ?? error;
  }
  const shelved: ShelvedImage[] = [];
  for (const reference of await chooseHeld(docker, held, { asked, file })) {
    const image = await observeImage(docker, reference);
    if (!image.present) throw DeployError.of('engine/image-absent', { reference });
    refuseUnfit(docker, image, version);
    shelved.push(await shelve(image, 'archive', context));
    done(say('engine.image-loaded', toWords(image)), context);
  }
  return toResult('loaded', shelved);
}

/** All that the archive held, or the one that was asked for; an image without a name gets the one that was asked for. */
async function chooseHeld(
  docker: Docker,
  held: readonly string[],
  { asked, file }: { readonly asked: string | undefined; readonly file: string },
): Promise<readonly string[]> {
  if (asked === undefined) return held;
  const found = held.find((name) => parseImageName(name)?.text === asked);
  if (found !== undefined) return [asked];
  const [only, ...more] = held;
  if (only === undefined || more.length > 0 || !isImageId(only) || parseImageName(asked)?.digest !== undefined) {
    throw DeployError.of('engine/image-lacking', { file, reference: asked, held: held.join(', ') || say('engine.image-held') });
  }
  await docker.images.tag(only, asked);
  return [asked];
}

function shelve(image: PresentImage, from: ShelvedImage['from'], { places }: ImageContext): Promise<ShelvedImage> {
  return writeShelvedImage(places, image, { from, at: new Date().toISOString() });
}

function toResult(how: InstalledImages['how'], images: readonly ShelvedImage[]): InstalledImages {
  return { kind: 'EngineImages', version: 1, how, images };
}

function done(text: Message, { emit }: ImageContext): void {
  emit({ type: 'step-done', step: imageStep, text });
}

function toWords(image: PresentImage) {
  return { reference: image.reference, version: toVersionWords(image), size: toSizeText(image.sizeBytes) };
}

function toVersionWords({ version, versionFrom }: PresentImage): Message {
  if (version === undefined) return say('engine.image-version-unknown');
  return versionFrom === 'tag' ? say('engine.image-version-tag', { version }) : say('engine.image-version', { version });
}
