import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { listDeployments, toDeploymentPaths } from '../control/directory.ts';
import { DeployError } from '../core/error.ts';
import { toNearest } from '../core/nearest.ts';
import { listShelvedImages } from '../engine/image-shelf.ts';
import { listEngineDirectories, toEnginesDirectory, toMarkerPath } from '../engine/installed.ts';
import { tryLock } from '../host/lock.ts';
import { readState } from '../supervisor/store.ts';
import type { Context } from './context.ts';

export interface RemovedEngine {
  readonly id: string;
  readonly directory: string;
}

/**
 * Also removes what an interrupted installation left. Throws `engine/unknown`; `engine/in-use` while a deployment
 * runs on it; `engine/busy` while it is being installed.
 */
export async function removeEngine(request: { readonly id: string }, context: Pick<Context, 'places'>): Promise<RemovedEngine> {
  const { id } = request;
  const directory = await findDirectory(id, context);
  const [first, ...others] = await listUsers(directory, context);
  if (first !== undefined) throw DeployError.of('engine/in-use', { id, deployments: [first, ...others].join(', '), first });
  const lock = await tryLock(join(directory, 'lock'));
  if (lock === undefined) throw DeployError.of('engine/busy', { id });
  try {
    // The marker first: whatever happens from here on, what is left does not count as an engine.
    await rm(toMarkerPath(directory), { force: true });
    // The lock file stays: an installer that waits has it open, and a new file of that name would be another lock.
    const rest = (await readdir(directory)).filter((name) => name !== 'lock');
    for (const name of rest) await rm(join(directory, name), { recursive: true, force: true });
  } finally {
    await lock.release();
  }
  return { id, directory };
}

async function findDirectory(id: string, { places }: Pick<Context, 'places'>): Promise<string> {
  const known = await listEngineDirectories(places);
  if (known.includes(id)) return join(toEnginesDirectory(places), id);
  const images = (await listShelvedImages(places)).map(({ reference }) => reference);
  const near = toNearest(id, [...known, ...images]);
  throw DeployError.of('engine/unknown', { id, nearest: near.length > 0 ? ` Did you mean ${near.join(' or ')}?` : '' });
}

/** Deployments that run, or would be started again, from this engine's directory. */
async function listUsers(directory: string, { places }: Pick<Context, 'places'>): Promise<readonly string[]> {
  const names = listDeployments(places);
  const states = await Promise.all(names.map((name) => readState(toDeploymentPaths(places, name).state, name)));
  return states
    .filter((state) => state !== undefined)
    .filter((state) => state.life !== 'stopped' && state.life !== 'failed' && state.wanted.spec.program.startsWith(`${directory}/`))
    .map((state) => state.name);
}
