import { rm } from 'node:fs/promises';
import { type DeploymentPaths, listDeployments, toDeploymentPaths } from '../control/directory.ts';
import { waitFor } from '../core/clock.ts';
import { DeployError } from '../core/error.ts';
import type { Context } from './context.ts';
import { findDeployment } from './find.ts';
import { isLocked } from './reach.ts';
import { findStrays } from './strays.ts';

/** Drops the record, journal and logs of a deployment that is down. */
export async function forget(
  request: { readonly name: string },
  context: Context,
): Promise<{ readonly name: string; readonly removed: readonly string[] }> {
  const { name } = request;
  const paths = toDeploymentPaths(context.places, name);
  const down = await isDown(name, context);
  if (!down || (await staysInUse(paths))) throw DeployError.of('deployment/is-up', { name });
  await rm(paths.directory, { recursive: true, force: true });
  return { name, removed: [paths.directory] };
}

/** By its record; one that cannot be read does not say, and must be possible to get rid of. */
async function isDown(name: string, context: Context): Promise<boolean> {
  try {
    const { state } = await findDeployment(name, 'forget', context);
    return state.life === 'stopped' || state.life === 'failed';
  } catch (error) {
    const unreadable = error instanceof DeployError && error.code.startsWith('state/');
    if (unreadable && listDeployments(context.places).includes(name)) return true;
    throw error;
  }
}

/** A supervisor that has said `stopped` takes a moment to end. */
const endingMs = 3000;

async function staysInUse(paths: DeploymentPaths): Promise<boolean> {
  const deadline = performance.now() + endingMs;
  for (;;) {
    if (!(await isInUse(paths))) return false;
    if (performance.now() > deadline) return true;
    await waitFor(50);
  }
}

/** By what can be seen: a supervisor that holds the lock, a process that holds one of the logs. */
async function isInUse(paths: DeploymentPaths): Promise<boolean> {
  return (await isLocked(paths.lock)) || (await findStrays(paths)).length > 0;
}
