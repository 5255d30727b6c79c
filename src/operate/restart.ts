import type { Deployment } from '../supervisor/deployment.ts';
import type { Context } from './context.ts';
import { commandSupervisor, findDeployment } from './reach.ts';
import { readOwnSecrets } from './secrets.ts';
import { waitForReady } from './up-wait.ts';

export interface RestartRequest {
  readonly name?: string;
  readonly timeoutMs?: number;
  readonly wait: boolean;
}

/** Stops (with proof) and starts what was deployed last, with the same launch spec. */
export async function restart(request: RestartRequest, context: Context): Promise<Deployment> {
  const { name, state } = await findDeployment(request.name, 'restart', context);
  const secrets = await readOwnSecrets(state.wanted.spec, context);
  const ordered = await commandSupervisor(name, { command: { type: 'restart' }, secrets }, context);
  return waitForReady({ ...ordered, wait: request.wait, timeoutMs: request.timeoutMs }, context);
}
