import type { Deployment, DeploymentList } from '../supervisor/deployment.ts';
import type { Context } from './context.ts';
import { findDeployment } from './find.ts';
import { findMeant } from './members.ts';
import { commandSupervisor } from './reach.ts';
import { readOwnSecrets } from './secrets.ts';
import { upReplicas } from './up-replicas.ts';
import { waitForReady } from './up-wait.ts';

export interface RestartRequest {
  readonly name?: string;
  readonly timeoutMs?: number;
  readonly wait: boolean;
  /** Without the changes of `--fix`, as it was asked for. */
  readonly reset?: boolean;
}

/** Stops (with proof) and starts what was deployed last, with the same launch spec. Of replicas, one serves while another starts. */
export async function restart(request: RestartRequest, context: Context): Promise<Deployment | DeploymentList> {
  const meant = await findMeant(request.name, context);
  if (request.reset) {
    const { restartReset } = await import('./reset.ts');
    const reset = await restartReset({ ...request, meant }, context);
    if (reset) return reset;
  }
  if (meant.is === 'one') return restartOne({ ...request, ...(meant.name === undefined ? {} : { name: meant.name }) }, context);
  const { wait, timeoutMs } = request;
  const known = await Promise.all(meant.names.map((name) => findDeployment(name, 'restart', context)));
  const starts = known.map(({ name, state }) => ({
    name,
    port: state.wanted.spec.endpoint.port,
    up: (limits: Pick<RestartRequest, 'wait'> & { readonly timeoutMs: number | undefined }) =>
      restartOne({ name, wait: limits.wait, ...(limits.timeoutMs === undefined ? {} : { timeoutMs: limits.timeoutMs }) }, context),
  }));
  return upReplicas({ name: meant.group, starts, sharesGpu: true, wait, timeoutMs }, context);
}

async function restartOne(request: RestartRequest, context: Context): Promise<Deployment> {
  const { name, state } = await findDeployment(request.name, 'restart', context);
  const secrets = await readOwnSecrets(state.wanted, context);
  const ordered = await commandSupervisor(name, { command: { type: 'restart' }, secrets }, context);
  return waitForReady({ ...ordered, wait: request.wait, timeoutMs: request.timeoutMs }, context);
}
