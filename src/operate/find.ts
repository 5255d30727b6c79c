/** Which deployment is meant, and what its supervisor says of it. Starts nothing. */
import { readSupervised, type SupervisorAddress } from '../control/client.ts';
import { type DeploymentPaths, findSocket, listDeployments, toDeploymentPaths } from '../control/directory.ts';
import { DeployError } from '../core/error.ts';
import { toNearest } from '../core/nearest.ts';
import { errnoOf } from '../host/files.ts';
import type { Deployment } from '../supervisor/deployment.ts';
import type { State } from '../supervisor/state.ts';
import { readState } from '../supervisor/store.ts';
import type { Context } from './context.ts';

export interface Known {
  readonly name: string;
  readonly paths: DeploymentPaths;
  readonly state: State;
}

/** The deployment meant: the named one, or the only one that can be. */
export async function findDeployment(name: string | undefined, command: string, context: Context): Promise<Known> {
  const names = listDeployments(context.places);
  const chosen = name ?? (await chooseOnly(names, command, context));
  const paths = toDeploymentPaths(context.places, chosen);
  const state = names.includes(chosen) ? await readState(paths.state, chosen) : undefined;
  if (state === undefined) {
    const near = toNearest(chosen, names);
    throw DeployError.of('deployment/unknown', { name: chosen, nearest: near.length > 0 ? ` Did you mean ${near.join(' or ')}?` : '' });
  }
  return { name: chosen, paths, state };
}

/** The only deployment; among several, the only one that is not down. One that cannot be read is not chosen by itself. */
async function chooseOnly(names: readonly string[], command: string, context: Context): Promise<string> {
  const [first, ...others] = names;
  if (first === undefined) throw DeployError.of('deployment/none', {});
  if (others.length === 0) return first;
  const states = await Promise.all(names.map((name) => readReadableState(name, context)));
  const [live, ...more] = states.filter((state) => state !== undefined && isExpectedAlive(state));
  if (live === undefined || more.length > 0) throw DeployError.of('deployment/several', { names: names.join(', '), command });
  return live.name;
}

/** Undefined also for a state that is damaged, of a newer version, or not to be read: one broken deployment is not all. */
export async function readReadableState(name: string, context: Pick<Context, 'places'>): Promise<State | undefined> {
  try {
    return await readState(toDeploymentPaths(context.places, name).state, name);
  } catch (error) {
    if (error instanceof DeployError || errnoOf(error) !== undefined) return undefined;
    throw error;
  }
}

/** What the deployment's supervisor says, wherever it listens; undefined when there is none. Throws `supervisor/silent`. */
export async function readRunning(name: string, context: Pick<Context, 'places'>): Promise<Running | undefined> {
  const address = { name, socket: findSocket(toDeploymentPaths(context.places, name)) };
  const document = await readSupervised(address);
  return document && { address, document };
}

export interface Running {
  readonly address: SupervisorAddress;
  readonly document: Deployment;
}

/** Whether a supervisor ought to be there: its absence is then worth a word. */
export function isExpectedAlive(state: State): boolean {
  return state.life !== 'stopped' && state.life !== 'failed';
}
