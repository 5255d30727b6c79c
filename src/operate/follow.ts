/** Following a deployment's events until what was asked for has happened, or cannot happen any more. */

import { followEvents, type SupervisorAddress } from '../control/client.ts';
import { DeployError } from '../core/error.ts';
import type { DeploymentEvent, ExitReport } from '../core/event.ts';
import type { Message } from '../core/message.ts';
import type { Context } from './context.ts';

export type Outcome =
  | { readonly is: 'ready' }
  | { readonly is: 'rolled-back'; readonly reason: string }
  | { readonly is: 'stopped' }
  | { readonly is: 'failed'; readonly error: DeployError }
  | { readonly is: 'timed-out' }
  | { readonly is: 'interrupted' };

export interface Following {
  readonly address: SupervisorAddress;
  readonly after: number;
  readonly timeoutMs: number | undefined;
  /** The event that was asked for. */
  readonly until: 'ready' | 'stopped';
}

export async function followUntil({ address, after, timeoutMs, until }: Following, context: Context): Promise<Outcome> {
  const limit = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs);
  const signal = limit ? AbortSignal.any([context.signal, limit]) : context.signal;
  let rollback: string | undefined;
  let refused: Message | undefined;
  for await (const event of followEvents(address, after, signal)) {
    context.emit(event);
    if (event.type === 'rolling-back') rollback = event.reason;
    if (event.type === 'preflight-failed') refused = event.reason;
    const outcome = toOutcome(event, { until, rollback, refused });
    if (outcome) return outcome;
  }
  return context.signal.aborted ? { is: 'interrupted' } : { is: 'timed-out' };
}

function toOutcome(
  event: DeploymentEvent,
  about: { until: Following['until']; rollback: string | undefined; refused: Message | undefined },
): Outcome | undefined {
  switch (event.type) {
    case 'ready':
      if (about.until !== 'ready') return undefined;
      return about.rollback === undefined ? { is: 'ready' } : { is: 'rolled-back', reason: about.rollback };
    case 'stopped':
      return { is: 'stopped' };
    case 'failed':
      return { is: 'failed', error: toStartError(event.deployment, event.exit, about.refused) };
    case 'crashloop':
      return {
        is: 'failed',
        error: DeployError.of('engine/never-ready', { name: event.deployment, reason: `${event.attempt} starts failed` }),
      };
    case 'unkillable': {
      const survivors = event.survivors.map((one) => `${one.command} (process ${one.pid}${one.state ? `, state ${one.state}` : ''})`);
      return { is: 'failed', error: DeployError.of('runtime/unkillable', { name: event.deployment, survivors: survivors.join(', ') }) };
    }
    default:
      return undefined;
  }
}

function toStartError(name: string, exit: ExitReport, refused: Message | undefined): DeployError {
  if (exit.cause === 'preflight' && refused) return DeployError.of('host/cannot-start', { name, reason: refused });
  const line = exit.line ?? exit.diagnosis ?? exit.cause;
  if (exit.cause === 'gate' || exit.cause === 'start-timeout') return DeployError.of('engine/never-ready', { name, reason: line });
  const ended = exit.signal ?? (exit.code === undefined ? undefined : `exit code ${exit.code}`);
  return DeployError.of('engine/failed', { name, line: exit.line ?? ended ?? line });
}
