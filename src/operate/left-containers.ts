/** Containers of ours that nobody will end any more. Looks only. */
import { listDeployments } from '../control/directory.ts';
import type { LeftContainer } from '../doctor/check.ts';
import { connectDocker } from '../host/docker/connect.ts';
import { readHomeId } from '../host/home-id.ts';
import { listOwnContainers, type OwnContainer } from '../runtime/docker/labels.ts';
import type { Context } from './context.ts';
import { isExpectedAlive, readReadableState } from './find.ts';

/** Shorter than the limit of the check that asks. */
const askMs = 1200;

/** Throws `docker/…`. */
export async function findLeftContainers(context: Pick<Context, 'env' | 'places'>): Promise<readonly LeftContainer[]> {
  const docker = await connectDocker(context.env, { timeoutMs: askMs });
  const home = readHomeId(context.places.state);
  const found = await listOwnContainers(docker);
  const judged = await Promise.all(found.map(async (one) => ((await isLeft(one, { home, context })) ? [one] : [])));
  return judged.flat().map(({ id, name, deployment, home: of }) => ({ id, name, deployment, isOfThisHome: of === home }));
}

interface Judging {
  readonly home: string;
  readonly context: Pick<Context, 'places'>;
}

/** Whether one of another home is wanted is known there alone; one that has ended is wanted by nobody. */
async function isLeft({ deployment, launchId, state, home: of }: OwnContainer, { home, context }: Judging): Promise<boolean> {
  if (of !== home) return state === 'exited' || state === 'dead';
  if (!listDeployments(context.places).includes(deployment)) return true;
  const known = await readReadableState(deployment, context);
  // A record that cannot be read: its supervisor may have the container in hand.
  if (known === undefined) return false;
  return known.launch?.launchId !== launchId || !isExpectedAlive(known);
}
