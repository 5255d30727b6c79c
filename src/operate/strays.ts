/** What lives of this deployment and no record speaks of: its state was lost, its processes and containers were not. */
import { type DeploymentPaths, listLaunches, toDeploymentPaths, toLaunchPaths } from '../control/directory.ts';
import { DeployError } from '../core/error.ts';
import { readHomeId } from '../host/home-id.ts';
import { readBootId } from '../host/proc.ts';
import type { OwnContainer } from '../runtime/docker/labels.ts';
import { createProcessRuntime } from '../runtime/process.ts';
import type { Remains } from '../runtime/runtime.ts';
import type { Context } from './context.ts';

export interface Stray {
  readonly launchId: string;
  readonly remains: Remains;
}

/** Launches with live processes, found by the logs that these hold. */
export async function findStrays(paths: DeploymentPaths): Promise<readonly Stray[]> {
  const bootId = await readBootId();
  const runtime = createProcessRuntime({});
  const strays: Stray[] = [];
  for (const launchId of await listLaunches(paths)) {
    const { logFile, exitFile, tmpDir } = toLaunchPaths(paths, launchId);
    const record = { launchId, run: 0, backend: 'process', createdAt: '', bootId, logFile, exitFile, tmpDir, port: 0, host: '' } as const;
    const remains = runtime.remains(record);
    if ((await remains.members()).length > 0) strays.push({ launchId, remains });
  }
  return strays;
}

export interface ContainerStray extends Stray {
  readonly container: OwnContainer;
}

export type FoundContainers =
  | { readonly is: 'asked'; readonly strays: readonly ContainerStray[] }
  /** There is an engine, and it does not answer. */
  | { readonly is: 'unasked'; readonly problem: DeployError };

type Home = Pick<Context, 'env' | 'places'>;

/** Shorter than any patience: mostly nothing is left, and an engine that hangs is no reason to wait long for that. */
const askMs = 5000;

/** Containers of this home alone: another one on this machine may have a deployment of the same name. */
export async function findStrayContainers(
  { env, places }: Home,
  isMeant: (container: OwnContainer) => boolean,
  timeoutMs = askMs,
): Promise<FoundContainers> {
  const home = readHomeId(places.state);
  const { connectDocker } = await import('../host/docker/connect.ts');
  try {
    const docker = await connectDocker(env, { timeoutMs });
    const { listOwnContainers } = await import('../runtime/docker/labels.ts');
    const { LeftRemains } = await import('../runtime/docker/left.ts');
    const found = (await listOwnContainers(docker)).filter((one) => one.home === home && isMeant(one));
    const bootId = await readBootId();
    const strays = found.map((container) => {
      const { launchId, id: containerId, deployment } = container;
      const { logFile, exitFile, tmpDir } = toLaunchPaths(toDeploymentPaths(places, deployment), launchId);
      const files = { logFile, exitFile, tmpDir, port: 0, host: '' };
      const record = { launchId, containerId, run: 0, backend: 'docker', createdAt: '', bootId, ...files } as const;
      return { launchId, container, remains: new LeftRemains(record, async () => docker) };
    });
    return { is: 'asked', strays };
  } catch (error) {
    if (!(error instanceof DeployError)) throw error;
    // Whoever may not ask it has made nothing there.
    return ['docker/absent', 'docker/forbidden'].includes(error.code) ? { is: 'asked', strays: [] } : { is: 'unasked', problem: error };
  }
}

const endMs = 10_000;

/** Ended, proven, and removed. Throws `runtime/unkillable`, `docker/…`. */
export async function endStrayContainer({ remains, container }: ContainerStray): Promise<void> {
  const [survivor] = await remains.kill(endMs);
  const name = container.deployment;
  if (survivor) throw DeployError.of('runtime/unkillable', { name, survivors: `${survivor.command} (process ${survivor.pid})` });
  await remains.tidy();
}

/** Those that have ended, of other launches than this one: nobody could remove them while Docker was away. */
export async function removeEndedContainers(
  context: Home,
  { name, current }: { readonly name: string; readonly current: string },
): Promise<void> {
  const isOver = ({ deployment, launchId, state }: OwnContainer) =>
    deployment === name && launchId !== current && (state === 'exited' || state === 'dead' || state === 'created');
  const found = await findStrayContainers(context, isOver);
  if (found.is === 'unasked') throw found.problem;
  for (const { remains } of found.strays) await remains.tidy();
}
