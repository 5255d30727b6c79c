/** Images that the engine has. */
import { DeployError } from '../../core/error.ts';
import { loadImages, saveImage } from './archive.ts';
import type { DockerImages, Image } from './docker.ts';
import type { Door } from './door.ts';
import { toField, toNumber, toText, toTextRecord, toTexts } from './fields.ts';
import { toFamiliarName } from './podman.ts';
import { toLaunchError } from './problems.ts';
import { pullImage } from './pull.ts';
import { splitReference, toPath } from './reference.ts';
import { observeRoom } from './room.ts';

export interface ImagesOptions {
  readonly env: NodeJS.ProcessEnv;
  /** Of the engine, as it says it: `amd64`. */
  readonly architecture: string;
  /** Its disks are this machine's. */
  readonly isLocal: boolean;
}

export function createImages(door: Door, { env, architecture, isLocal }: ImagesOptions): DockerImages {
  const inspect = (reference: string) => inspectImage(door, reference);
  return {
    inspect,
    list: (labels) => listImages(door, labels),
    async pull(reference, options) {
      const room = await observeRoom(door, isLocal);
      await pullImage(door, reference, { ...options, env, architecture, inspect, room });
    },
    async load(path, options) {
      const room = await observeRoom(door, isLocal);
      return loadImages(door, path, { ...options, room });
    },
    save: (reference, path, options) => saveImage(door, reference, { ...options, path }),
    async tag(reference, as) {
      const { name, tag } = splitReference(as);
      const path = `${toPath(reference)}/tag`;
      const { status, problem } = await door.ask({ method: 'POST', path, query: { repo: name, tag } }, door.limits.actMs);
      if (status === 404) throw DeployError.of('docker/no-image', { image: reference });
      if (status >= 400) throw toLaunchError(problem);
    },
    async remove(reference) {
      const answer = await door.ask({ method: 'DELETE', path: toPath(reference) }, door.limits.actMs);
      if (answer.status === 404) return false;
      if (answer.status === 409) throw DeployError.of('docker/refused', { problem: answer.problem });
      if (answer.status !== 200) throw door.toFailure(answer);
      return true;
    },
  };
}

async function inspectImage(door: Door, reference: string): Promise<Image | undefined> {
  // An empty one would ask for the list.
  if (reference === '') return undefined;
  const answer = await door.ask({ path: `${toPath(reference)}/json` });
  if (answer.status === 404) return undefined;
  if (answer.status === 400) throw DeployError.of('docker/refused', { problem: answer.problem });
  if (answer.status !== 200 || toText(answer.value, 'Id') === undefined) throw door.toFailure(answer);
  return toImage(answer.value);
}

/** The list says less of each than the look at one, so each is looked at; one that went meanwhile is none. */
async function listImages(door: Door, labels: readonly string[] = []): Promise<readonly Image[]> {
  const answer = await door.ask({ path: '/images/json', query: labels.length > 0 ? { filters: { label: labels } } : {} });
  if (answer.status !== 200 || !Array.isArray(answer.value)) throw door.toFailure(answer);
  const images: Image[] = [];
  for (const id of new Set(answer.value.flatMap((entry) => toText(entry, 'Id') ?? []))) {
    const image = await inspectImage(door, id);
    if (image) images.push(image);
  }
  return images;
}

function toImage(value: unknown): Image {
  const config = toField(value, 'Config');
  return {
    id: toText(value, 'Id') ?? '',
    names: toNames(value, 'RepoTags'),
    digests: toNames(value, 'RepoDigests'),
    architecture: toText(value, 'Architecture') ?? '',
    sizeBytes: toNumber(value, 'Size') ?? 0,
    labels: toTextRecord(config, 'Labels'),
    env: toTexts(config, 'Env') ?? [],
    entrypoint: toTexts(config, 'Entrypoint') ?? [],
    command: toTexts(config, 'Cmd') ?? [],
    user: toText(config, 'User') ?? '',
  };
}

function toNames(value: unknown, key: string): readonly string[] {
  return (toTexts(value, key) ?? []).filter((name) => !name.includes('<none>')).map(toFamiliarName);
}
