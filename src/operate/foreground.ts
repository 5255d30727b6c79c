/** `up --foreground`: the same supervisor in this process, for systemd units and containers. */
import { DeployError } from '../core/error.ts';
import { say } from '../core/message.ts';
import type { Deployment } from '../supervisor/deployment.ts';
import { type Deployable, toDeployment } from '../supervisor/state.ts';
import type { Context } from './context.ts';
import { isUnseen, type SightWatch, toUnseenError, watchSight } from './sight-watch.ts';
import { startSupervisor } from './supervise.ts';

export interface ForegroundRequest {
  readonly name: string;
  readonly wanted: Deployable;
  readonly rollback: boolean;
  readonly secrets: Readonly<Record<string, string>>;
}

/**
 * Returns when the deployment is stopped or has failed. The first interrupt stops it, the second kills it; throws
 * `runtime/unkillable` when even that leaves something, `down/…` when Docker cannot be asked whether it does.
 */
export async function upInForeground(request: ForegroundRequest, context: Context): Promise<Deployment> {
  const { name, wanted, rollback, secrets } = request;
  const running = await startSupervisor(name, context, { first: async () => wanted, serve: true });
  const { supervisor, journal } = running;
  supervisor.give(secrets);
  const unfollow = journal.follow(journal.last, context.emit);
  // Not the interrupt but the end of the stop that it asks for ends the supervision; or that it has no end.
  const given = new AbortController();
  const readDocument = () => toDeployment(supervisor.now, { wallMs: Date.now() });
  let sight: SightWatch | undefined;
  supervisor.observe(({ life }) => {
    if (!context.signal.aborted) return;
    if (life === 'unkillable') given.abort();
    if (life !== 'unknown') return;
    sight ??= watchSight(async () => isUnseen(readDocument()));
    sight.lost.addEventListener('abort', () => given.abort(), { once: true });
    sight.note();
  });
  const stop = () => {
    context.emit({ type: 'said', level: 'info', text: say('foreground.stopping', { name }) });
    void supervisor.send({ type: 'down', force: false });
  };
  const force = () => void supervisor.send({ type: 'down', force: true });
  context.signal.addEventListener('abort', stop, { once: true });
  context.force.addEventListener('abort', force, { once: true });
  await supervisor.send({ type: 'up', wanted, rollback, by: 'up' });
  if (context.signal.aborted) stop();
  await running.ended(given.signal);
  sight?.end();
  unfollow();
  context.signal.removeEventListener('abort', stop);
  context.force.removeEventListener('abort', force);
  const { survivors = [] } = supervisor.now;
  if (given.signal.aborted) {
    if (sight?.lost.aborted) throw toUnseenError(readDocument());
    const list = survivors.map(({ command, pid }) => `${command} (process ${pid})`);
    throw DeployError.of('runtime/unkillable', { name, survivors: list.join(', ') });
  }
  return readDocument();
}
