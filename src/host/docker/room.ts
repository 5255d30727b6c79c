/** How much room the disk of an engine has: what is missing when it is full. */
import { DeployError } from '../../core/error.ts';
import { toSizeText } from '../../core/units.ts';
import { readFreeBytes } from '../files.ts';
import type { Door } from './door.ts';
import { toText } from './fields.ts';

export interface Room {
  /** Where the engine keeps what it has. */
  readonly path: string;
  readonly freeBytes: number;
}

/** To be asked before: an engine that runs out of room clears away what it had begun. Undefined where nobody can tell. */
export async function observeRoom(door: Door, isLocal: boolean): Promise<Room | undefined> {
  if (!isLocal) return undefined;
  try {
    const { value } = await door.ask({ path: '/info' });
    const path = toText(value, 'DockerRootDir');
    return path === undefined ? undefined : { path, freeBytes: await readFreeBytes(path) };
  } catch {
    // What hangs or may not be read is met again by whatever is done next.
    return undefined;
  }
}

export interface Cargo {
  /** An image, or a file. */
  readonly what: string;
  readonly neededBytes: number;
}

/** A full disk with its figures, where they are known; every other error as it is. */
export function withRoom(error: unknown, room: Room | undefined, { what, neededBytes }: Cargo): unknown {
  if (!(error instanceof DeployError) || error.code !== 'docker/disk-full' || room === undefined || neededBytes === 0) return error;
  const { path, freeBytes } = room;
  const figures = { path, free: toSizeText(freeBytes), what, needed: toSizeText(neededBytes) };
  return DeployError.of('docker/no-room', { ...figures, problem: error.params['problem'] ?? '' }, { cause: error });
}
