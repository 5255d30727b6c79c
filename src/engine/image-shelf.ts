/**
 * What was brought here, one file per reference: a tag can be moved to another image, by whoever pushes to the
 * registry or by `docker tag`, and nothing but this memory would notice.
 */
import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Finding } from '../core/finding.ts';
import { say } from '../core/message.ts';
import type { Places } from '../host/environment.ts';
import { ensurePrivateDirectory, readTextFile, writeFileAtomic } from '../host/files.ts';
import type { PresentImage } from './image.ts';
import { parseImageName } from './image-reference.ts';
import { listNames } from './installed.ts';

export interface ShelvedImage {
  readonly reference: string;
  readonly id: string;
  readonly digest?: string;
  readonly version?: string;
  readonly architecture: string;
  readonly sizeBytes: number;
  /** ISO 8601: when it was brought, or last found as expected by `engine install image`. */
  readonly at: string;
  /** `engine`: Docker had it already when this program was asked for it. */
  readonly from: ImageOrigin;
}

export type ImageOrigin = 'registry' | 'archive' | 'engine';

export function toShelfDirectory(places: Pick<Places, 'data'>): string {
  return join(places.data, 'images');
}

export async function writeShelvedImage(
  places: Pick<Places, 'data'>,
  image: PresentImage,
  { from, at }: Pick<ShelvedImage, 'from' | 'at'>,
): Promise<ShelvedImage> {
  const { id, digest, version, architecture, sizeBytes } = image;
  const reference = toKey(image.reference);
  const told = { ...(digest === undefined ? {} : { digest }), ...(version === undefined ? {} : { version }) };
  const shelved: ShelvedImage = { reference, id, ...told, architecture, sizeBytes, at, from };
  for (const path of [places.data, toShelfDirectory(places)]) await ensurePrivateDirectory(path);
  await writeFileAtomic(toPath(places, reference), `${JSON.stringify({ schema: 1, ...shelved }, null, 2)}\n`);
  return shelved;
}

/** Undefined also for a file that is cut short: then nothing is known, which is what it was before the first pull. */
export async function readShelvedImage(places: Pick<Places, 'data'>, reference: string): Promise<ShelvedImage | undefined> {
  const shelved = parseShelvedImage(await readTextFile(toPath(places, toKey(reference))));
  return shelved?.reference === toKey(reference) ? shelved : undefined;
}

/** By reference. */
export async function listShelvedImages(places: Pick<Places, 'data'>): Promise<readonly ShelvedImage[]> {
  const directory = toShelfDirectory(places);
  const names = (await listNames(directory)).filter((name) => name.endsWith('.json'));
  const images = await Promise.all(names.map(async (name) => parseShelvedImage(await readTextFile(join(directory, name)))));
  return images.filter((image) => image !== undefined).sort((a, b) => a.reference.localeCompare(b.reference));
}

/** Of the record alone; the image itself is Docker's. */
export async function removeShelvedImage(places: Pick<Places, 'data'>, reference: string): Promise<void> {
  await rm(toPath(places, toKey(reference)), { force: true });
}

export interface ImageChange {
  readonly reference: string;
  readonly before: string;
  readonly now: string;
}

/**
 * Whether the reference means another image than the one that was brought. Equal digests are the same image although
 * the ids differ: an engine that moves to another image store counts ids in another way.
 */
export function toImageChange(image: PresentImage, shelved: ShelvedImage | undefined): ImageChange | undefined {
  if (shelved === undefined || shelved.id === image.id) return undefined;
  if (shelved.digest !== undefined && shelved.digest === image.digest) return undefined;
  return { reference: shelved.reference, before: shelved.id, now: image.id };
}

export function toChangeFinding(change: ImageChange): Finding {
  const { reference } = change;
  return {
    code: 'engine/image-changed',
    severity: 'warning',
    message: say('engine.image-changed', { ...change }),
    hint: say('engine.image-changed-hint', { reference }),
    path: 'engine.image',
    evidence: change.now,
  };
}

function toKey(reference: string): string {
  return parseImageName(reference)?.text ?? reference;
}

/** Readable in front, unique behind: a reference may be longer than a file name, and has slashes. */
function toPath(places: Pick<Places, 'data'>, reference: string): string {
  const hash = createHash('sha256').update(reference).digest('hex').slice(0, 16);
  return join(toShelfDirectory(places), `${reference.replace(/[^\w.-]+/g, '_').slice(0, 80)}-${hash}.json`);
}

function parseShelvedImage(text: string | undefined): ShelvedImage | undefined {
  if (text === undefined) return undefined;
  try {
    const value: Partial<ShelvedImage> | null = JSON.parse(text);
    const { reference, id, digest, version, architecture, sizeBytes, at, from } = value ?? {};
    if (typeof reference !== 'string' || typeof id !== 'string' || typeof at !== 'string') return undefined;
    if (typeof architecture !== 'string' || typeof sizeBytes !== 'number') return undefined;
    const told = { ...(typeof digest === 'string' ? { digest } : {}), ...(typeof version === 'string' ? { version } : {}) };
    return { reference, id, ...told, architecture, sizeBytes, at, from: from === 'registry' || from === 'archive' ? from : 'engine' };
  } catch {
    // cut short or not ours
    return undefined;
  }
}
