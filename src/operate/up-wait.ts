/** The second half of `up` and `restart`: waiting for ready, and saying what became of it otherwise. */

import { DeployError } from '../core/error.ts';
import { say } from '../core/message.ts';
import { toDurationText } from '../core/units.ts';
import { type Deployment, isServing } from '../supervisor/deployment.ts';
import type { Context } from './context.ts';
import { readRunning } from './find.ts';
import { followUntil } from './follow.ts';
import type { Ordered } from './reach.ts';
import { readStatus } from './status.ts';

export interface Waiting extends Ordered {
  readonly wait: boolean;
  readonly timeoutMs: number | undefined;
}

/** Returns the ready deployment. Throws engine/*, up/timed-out, runtime/unkillable; an interrupt leaves it starting. */
export async function waitForReady({ address, reply, wait, timeoutMs }: Waiting, context: Context): Promise<Deployment> {
  const { name } = address;
  if (isServing(reply.deployment.state)) return reply.deployment;
  if (!wait) {
    context.emit({ type: 'said', level: 'info', text: say('up.background', { name }) });
    return reply.deployment;
  }
  const { usuallySeconds } = reply.deployment.startsIn ?? {};
  if (usuallySeconds !== undefined) {
    const time = toDurationText(usuallySeconds * 1000);
    context.emit({ type: 'said', level: 'info', text: say('up.usually', { name, time }) });
  }
  const startedAt = performance.now();
  const outcome = await followUntil({ address, after: reply.after, timeoutMs, until: 'ready' }, context);
  switch (outcome.is) {
    case 'ready':
      return (await readRunning(name, context))?.document ?? readStatus(name, context);
    case 'rolled-back':
      throw DeployError.of(
        'engine/rolled-back',
        { name, reason: outcome.reason },
        outcome.diagnosis ? { diagnosis: outcome.diagnosis } : {},
      );
    case 'failed':
      throw outcome.error;
    case 'stopped':
      throw DeployError.of('engine/never-ready', { name, reason: 'it was stopped by another command' });
    case 'timed-out':
      throw DeployError.of('up/timed-out', { name, waited: toDurationText(performance.now() - startedAt) });
    case 'interrupted':
      context.emit({ type: 'said', level: 'warning', text: say('up.interrupted', { name }) });
      return readStatus(name, context);
  }
}
