/** An image from a registry. The answer begins with a good status before anything was tried: how it went stands in it. */
import { waitFor } from '../../core/clock.ts';
import { DeployError } from '../../core/error.ts';
import { type Credentials, readCredentials, toRegistry } from './credentials.ts';
import type { Image, PullOptions, TransferProgress } from './docker.ts';
import type { Door } from './door.ts';
import { parseJson, toField, toNumber, toText } from './fields.ts';
import { readLines } from './frames.ts';
import { toPullError, toPullPause } from './problems.ts';
import { splitReference } from './reference.ts';
import { type Room, withRoom } from './room.ts';

export interface Pulling extends PullOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly architecture: string;
  readonly inspect: (reference: string) => Promise<Image | undefined>;
  /** Of the engine's disk, before. */
  readonly room: Room | undefined;
}

/**
 * Again where that may help: when too much was asked of the registry, and when a connection broke. Not once it is
 * about layers: the engine has then tried several times itself, going on where it broke, and would fetch them all anew.
 */
export async function pullImage(door: Door, image: string, pulling: Pulling): Promise<void> {
  const { signal, onProgress, room } = pulling;
  for (let tries = 1; ; tries += 1) {
    const layers = new Layers();
    try {
      return await pullOnce(door, image, { ...pulling, layers });
    } catch (error) {
      const progress = layers.toProgress();
      const waitMs = progress.layers > 0 ? undefined : toPullPause(error, tries, door.limits.againMs);
      if (waitMs === undefined || signal?.aborted) throw withRoom(error, room, { what: image, neededBytes: progress.totalBytes ?? 0 });
      onProgress?.({ ...progress, phase: 'waiting', waitMs });
      await waitFor(waitMs, signal);
      if (signal?.aborted) throw DeployError.of('command/interrupted', {}, { cause: error });
    }
  }
}

interface Try extends Pulling {
  readonly layers: Layers;
}

async function pullOnce(door: Door, image: string, pulling: Try): Promise<void> {
  const { env, architecture, inspect, signal, onProgress, layers } = pulling;
  const credentials = await readCredentials(env, image);
  const fail = (problem: string) => {
    return toPullError({ image, registry: toRegistry(image), architecture, problem: toWords(problem, credentials) });
  };
  const { name, tag } = splitReference(image);
  const headers = credentials.header ? { 'X-Registry-Auth': credentials.header } : {};
  const call = { method: 'POST', path: '/images/create', query: { fromImage: name, tag }, headers } as const;
  const opened = await door.open(call, { beginMs: door.limits.silenceMs, ...(signal ? { signal } : {}) });
  if ('problem' in opened) throw fail(opened.problem);
  for await (const line of readLines(opened.chunks(door.limits.silenceMs))) {
    const message = parseJson(line.toString());
    const problem = toText(toField(message, 'errorDetail'), 'message') ?? toText(message, 'error');
    if (problem !== undefined) throw fail(problem);
    if (layers.take(message)) onProgress?.(layers.toProgress());
  }
  if (signal?.aborted) throw DeployError.of('command/interrupted', {});
  const got = await inspect(image);
  if (got === undefined) throw fail('the engine ended without an error, and the image is not here');
  // An image for one machine alone is fetched whatever machine it is for.
  if (architecture !== '' && got.architecture !== '' && got.architecture !== architecture) {
    throw DeployError.of('docker/wrong-architecture', { image, architecture, problem: `it is for ${got.architecture}` });
  }
}

function toWords(problem: string, credentials: Credentials): string {
  return credentials.problem === undefined ? problem : `${problem} (${credentials.problem})`;
}

interface Layer {
  readonly doneBytes: number;
  readonly totalBytes: number;
  readonly isFetched: boolean;
  readonly isDone: boolean;
  /** Until the engine tries it again by itself. */
  readonly waitMs?: number;
}

const fresh: Layer = { doneBytes: 0, totalBytes: 0, isFetched: false, isDone: false };

class Layers {
  private readonly byId = new Map<string, Layer>();

  /** Whether it says something of a layer. */
  take(message: unknown): boolean {
    const [id, status] = [toText(message, 'id'), toText(message, 'status')];
    if (id === undefined || status === undefined || status.startsWith('Pulling from')) return false;
    this.byId.set(id, toLayer(this.byId.get(id) ?? fresh, status, toField(message, 'progressDetail')));
    return true;
  }

  toProgress(): TransferProgress {
    const layers = [...this.byId.values()];
    const totalBytes = layers.reduce((sum, layer) => sum + layer.totalBytes, 0);
    const waitMs = Math.max(0, ...layers.map((layer) => layer.waitMs ?? 0));
    return {
      phase: waitMs > 0 ? 'waiting' : layers.every(({ isFetched }) => isFetched) ? 'unpacking' : 'downloading',
      ...(waitMs > 0 ? { waitMs } : {}),
      layersDone: layers.filter(({ isDone }) => isDone).length,
      layers: layers.length,
      doneBytes: layers.reduce((sum, layer) => sum + layer.doneBytes, 0),
      ...(totalBytes > 0 ? { totalBytes } : {}),
    };
  }
}

function toLayer({ waitMs: _, ...layer }: Layer, status: string, detail: unknown): Layer {
  const [, seconds] = /^Retrying in (\d+) seconds?$/.exec(status) ?? [];
  if (seconds !== undefined) return { ...layer, waitMs: Number(seconds) * 1000 };
  const fetched = { ...layer, doneBytes: layer.totalBytes, isFetched: true };
  switch (status) {
    case 'Downloading':
      return { ...layer, doneBytes: toNumber(detail, 'current') ?? 0, totalBytes: toNumber(detail, 'total') ?? layer.totalBytes };
    case 'Verifying Checksum':
    case 'Download complete':
    case 'Extracting':
      return fetched;
    case 'Pull complete':
    case 'Already exists':
      return { ...fetched, isDone: true };
    default:
      return layer;
  }
}
