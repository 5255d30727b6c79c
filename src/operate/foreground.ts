/** `up --foreground`: the same supervisor in this process, for systemd units and containers. */
import { say } from '../core/message.ts';
import type { Deployment } from '../supervisor/deployment.ts';
import { type Deployable, toDeployment } from '../supervisor/state.ts';
import type { Context } from './context.ts';
import { startSupervisor } from './supervise.ts';

export interface ForegroundRequest {
  readonly name: string;
  readonly wanted: Deployable;
  readonly rollback: boolean;
  readonly secrets: Readonly<Record<string, string>>;
}

/** Returns when the deployment is stopped or has failed. The first interrupt stops it, the second kills it. */
export async function upInForeground(request: ForegroundRequest, context: Context): Promise<Deployment> {
  const { name, wanted, rollback, secrets } = request;
  const running = await startSupervisor(name, context, async () => wanted);
  const { supervisor, journal } = running;
  supervisor.give(secrets);
  const unfollow = journal.follow(journal.last, context.emit);
  const stop = () => {
    context.emit({ type: 'said', level: 'info', text: say('foreground.stopping', { name }) });
    void supervisor.send({ type: 'down', force: false });
  };
  const force = () => void supervisor.send({ type: 'down', force: true });
  context.signal.addEventListener('abort', stop, { once: true });
  context.force.addEventListener('abort', force, { once: true });
  await supervisor.send({ type: 'up', wanted, rollback, by: 'up' });
  if (context.signal.aborted) stop();
  // Not the interrupt but the end of the stop that it asks for ends the supervision.
  await running.ended(new AbortController().signal);
  unfollow();
  context.signal.removeEventListener('abort', stop);
  context.force.removeEventListener('abort', force);
  return toDeployment(supervisor.now, { wallMs: Date.now() });
}
