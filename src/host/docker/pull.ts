/** An image from a registry. The answer begins with a good status before anything was tried: how it went stands in it. */
import { DeployError } from '../../core/error.ts';
import { type Credentials, readCredentials, toRegistry } from './credentials.ts';
import type { Image, PullOptions, TransferProgress } from './docker.ts';
import type { Door } from './door.ts';
import { parseJson, toField, toNumber, toText } from './fields.ts';
import { readLines } from './frames.ts';
import { toPullError } from './problems.ts';
import { splitReference } from './reference.ts';

export interface Pulling extends PullOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly architecture: string;
  readonly inspect: (reference: string) => Promise<Image | undefined>;
}

export async function pullImage(door: Door, image: string, pulling: Pulling): Promise<void> {
  const { env, architecture, inspect, signal, onProgress } = pulling;
  const credentials = await readCredentials(env, image);
  const fail = (problem: string) => {
    return toPullError({ image, registry: toRegistry(image), architecture, problem: toWords(problem, credentials) });
  };
  const { name, tag } = splitReference(image);
  const headers = credentials.header ? { 'X-Registry-Auth': credentials.header } : {};
  const call = { method: 'POST', path: '/images/create', query: { fromImage: name, tag }, headers } as const;
  const opened = await door.open(call, { beginMs: door.limits.silenceMs, ...(signal ? { signal } : {}) });
  if ('problem' in opened) throw fail(opened.problem);
  const layers = new Layers();
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
    return {
      phase: layers.every(({ isFetched }) => isFetched) ? 'unpacking' : 'downloading',
      layersDone: layers.filter(({ isDone }) => isDone).length,
      layers: layers.length,
      doneBytes: layers.reduce((sum, layer) => sum + layer.doneBytes, 0),
      ...(totalBytes > 0 ? { totalBytes } : {}),
    };
  }
}

function toLayer(layer: Layer, status: string, detail: unknown): Layer {
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
