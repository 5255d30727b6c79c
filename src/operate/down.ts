import { sendCommand } from '../control/client.ts';
import { listDeployments, toDeploymentPaths } from '../control/directory.ts';
import { DeployError } from '../core/error.ts';
import { say } from '../core/message.ts';
import { toDurationText } from '../core/units.ts';
import type { Deployment } from '../supervisor/deployment.ts';
import { toDeployment } from '../supervisor/state.ts';
import { readState } from '../supervisor/store.ts';
import type { Context } from './context.ts';
import { followUntil } from './follow.ts';
import { findDeployment, isExpectedAlive, reachSupervisor } from './reach.ts';
import { readStatus } from './status.ts';

export interface DownRequest {
  readonly name?: string;
  readonly all: boolean;
  readonly graceMs?: number;
  readonly force: boolean;
  readonly timeoutMs?: number;
}

/** Returns when each is proven stopped. With `all`, one that cannot be stopped does not keep the others up. */
export async function down(request: DownRequest, context: Context): Promise<readonly Deployment[]> {
  if (!request.all) {
    const { name } = await findDeployment(request.name, 'down', context);
    return [await stopOne(name, request, context)];
  }
  const names = await listDeployments(context.places);
  const outcomes = await Promise.allSettled(names.map((name) => stopOne(name, request, context)));
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed) throw failed.reason;
  return outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
}

async function stopOne(name: string, request: DownRequest, context: Context): Promise<Deployment> {
  const { state } = await findDeployment(name, 'down', context);
  if (!isExpectedAlive(state) && state.life === 'stopped') return toDeployment(state, { wallMs: Date.now() });
  const address = await reachSupervisor(name, context);
  const command = { type: 'down', force: request.force, ...(request.graceMs === undefined ? {} : { graceMs: request.graceMs }) } as const;
  const reply = await sendCommand(address, command);
  if (reply === undefined) throw DeployError.of('supervisor/gone', { name });
  const startedAt = performance.now();
  const outcome = await followUntil({ address, after: reply.after, timeoutMs: request.timeoutMs, until: 'stopped' }, context);
  if (outcome.is === 'failed') throw outcome.error;
  if (outcome.is === 'timed-out') throw DeployError.of('down/timed-out', { name, waited: toDurationText(performance.now() - startedAt) });
  if (outcome.is === 'interrupted') {
    context.emit({ type: 'said', level: 'warning', text: say('down.interrupted', { name }) });
    return readStatus(name, context);
  }
  const stopped = await readState(toDeploymentPaths(context.places, name).state, name);
  return toDeployment(stopped ?? state, { wallMs: Date.now() });
}
