import { rm } from 'node:fs/promises';
import { type DeploymentPaths, listDeployments, toDeploymentPaths } from '../control/directory.ts';
import { waitFor } from '../core/clock.ts';
import { DeployError } from '../core/error.ts';
import { say } from '../core/message.ts';
import { toProblem } from '../supervisor/launch/work.ts';
import type { Context } from './context.ts';
import { findDeployment } from './find.ts';
import { isLocked } from './reach.ts';
import { endStrayContainer, findStrayContainers, findStrays } from './strays.ts';

export interface Forgotten {
  readonly name: string;
  readonly removed: readonly string[];
  /** Names of containers that nobody else would have removed. */
  readonly containers?: readonly string[];
}

/** Drops the record, journal and logs of a deployment that is down, and what it left in Docker. */
export async function forget(request: { readonly name: string }, context: Context): Promise<Forgotten> {
  const { name } = request;
  const paths = toDeploymentPaths(context.places, name);
  const known = await isDown(name, context).catch(toUnknown);
  if (known === false || (await staysInUse(paths))) throw DeployError.of('deployment/is-up', { name });
  const containers = await removeContainers(name, context);
  // Whose record was deleted may have left containers all the same.
  if (known instanceof DeployError && containers.length === 0) throw known;
  await rm(paths.directory, { recursive: true, force: true });
  return { name, removed: [paths.directory], ...(containers.length === 0 ? {} : { containers }) };
}

function toUnknown(error: unknown): DeployError {
  if (error instanceof DeployError && error.code === 'deployment/unknown') return error;
  throw error;
}

/** A Docker that does not answer is no reason to keep a record. */
async function removeContainers(name: string, context: Context): Promise<readonly string[]> {
  const found = await findStrayContainers(context, ({ deployment }) => deployment === name);
  if (found.is === 'unasked') {
    const text = say('down.containers-unasked', { problem: toProblem(found.problem) });
    context.emit({ type: 'said', level: 'warning', text });
    return [];
  }
  for (const stray of found.strays) await endStrayContainer(stray);
  return found.strays.map(({ container }) => container.name);
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
