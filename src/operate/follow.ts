/** Following a deployment's events until what was asked for has happened, or cannot happen any more. */

import { followEvents, type SupervisorAddress } from '../control/client.ts';
import { toDeploymentPaths } from '../control/directory.ts';
import { systemClock } from '../core/clock.ts';
import { DeployError } from '../core/error.ts';
import type { DeploymentEvent, ExitReport } from '../core/event.ts';
import type { Diagnosis } from '../core/finding.ts';
import type { Message } from '../core/message.ts';
import { readLastLines } from '../host/tail.ts';
import { parseEvent } from '../supervisor/event-line.ts';
import { isCompileCacheDamage } from '../vllm/compile-cache.ts';
import type { Context } from './context.ts';

export type Outcome =
  | { readonly is: 'ready' }
  | { readonly is: 'rolled-back'; readonly reason: string; readonly diagnosis?: Diagnosis }
  | { readonly is: 'stopped' }
  | { readonly is: 'failed'; readonly error: DeployError }
  | { readonly is: 'timed-out' }
  | { readonly is: 'interrupted' };

export interface Following {
  readonly address: SupervisorAddress;
  readonly after: number;
  readonly timeoutMs: number | undefined;
  /** The event that was asked for. */
  readonly until: Aim;
}

type Aim = 'ready' | 'stopped';

export async function followUntil({ address, after, timeoutMs, until }: Following, context: Context): Promise<Outcome> {
  const limit = new AbortController();
  // Not AbortSignal.timeout: that takes a month for a millisecond.
  const timer = timeoutMs === undefined ? undefined : systemClock.after(timeoutMs, () => limit.abort());
  const judge = createJudge(until, context);
  try {
    for await (const event of followEvents(address, after, AbortSignal.any([context.signal, limit.signal]))) {
      const outcome = judge.take(event);
      if (outcome) return outcome;
    }
    return context.signal.aborted ? { is: 'interrupted' } : { is: 'timed-out' };
  } catch (error) {
    if (!(error instanceof DeployError) || error.code !== 'supervisor/gone') throw error;
    // One that had nothing left to do has ended before we came to hear it; it wrote down what it did.
    for (const event of await readEventsAfter(Math.max(after, judge.last), address.name, context)) {
      const outcome = judge.take(event);
      if (outcome) return outcome;
    }
    throw error;
  } finally {
    timer?.cancel();
  }
}

export interface Judge {
  /** Number of the last event taken. */
  readonly last: number;
  /** Passes the event on, and says what it means for whoever waits. */
  take(event: DeploymentEvent): Outcome | undefined;
}

export function createJudge(until: Aim, { emit }: Pick<Context, 'emit'>): Judge {
  const about: About = { until, rollback: undefined, refused: undefined, stalled: undefined, exit: undefined };
  let last = 0;
  return {
    get last() {
      return last;
    },
    take(event) {
      last = event.seq;
      emit(event);
      if (event.type === 'rolling-back') about.rollback = event.reason;
      if (event.type === 'preflight-failed') about.refused = event.reason;
      if (event.type === 'launching') about.stalled = undefined;
      if (event.type === 'exited' && !event.expected) about.exit = event.exit;
      if (event.type === 'unhealthy') about.stalled = event.cause;
      return toOutcome(event, about);
    },
  };
}

interface About {
  readonly until: Aim;
  rollback: string | undefined;
  refused: Message | undefined;
  /** Why the last launch was given up, where it stood still. */
  stalled: string | undefined;
  /** How the last launch ended, or why there was none. */
  exit: ExitReport | undefined;
}

function toOutcome(event: DeploymentEvent, { until, rollback, refused, stalled, exit }: Readonly<About>): Outcome | undefined {
  const name = event.deployment;
  switch (event.type) {
    case 'ready':
      if (until !== 'ready') return undefined;
      return rollback === undefined
        ? { is: 'ready' }
        : { is: 'rolled-back', reason: rollback, ...(exit?.diagnosis ? { diagnosis: exit.diagnosis } : {}) };
    case 'stopped':
      return { is: 'stopped' };
    case 'requested':
      // Somebody else wants it up again: the end that we wait for does not come.
      return until === 'stopped' && event.desired === 'up'
        ? { is: 'failed', error: DeployError.of('down/overtaken', { name, by: event.by }) }
        : undefined;
    case 'failed':
      return { is: 'failed', error: toStartError(name, event.exit, refused) };
    case 'crashloop':
      return {
        is: 'failed',
        error: toLaunchError(exit) ?? toLoopError(name, { attempts: event.attempt, stalled, diagnosis: exit?.diagnosis }),
      };
    case 'unkillable': {
      const survivors = event.survivors.map((one) => `${one.command} (process ${one.pid}${one.state ? `, state ${one.state}` : ''})`);
      return { is: 'failed', error: DeployError.of('runtime/unkillable', { name, survivors: survivors.join(', ') }) };
    }
    default:
      return undefined;
  }
}

function toStartError(name: string, exit: ExitReport, refused: Message | undefined): DeployError {
  if (exit.cause === 'preflight' && refused) return DeployError.of('host/cannot-start', { name, reason: refused });
  const launch = toLaunchError(exit);
  if (launch) return launch;
  const line = exit.line ?? exit.reason ?? exit.cause;
  const details = exit.diagnosis ? { diagnosis: exit.diagnosis } : {};
  const stall = toStallError(exit.cause, { name, line }, details);
  if (stall) return stall;
  if (exit.cause === 'gate' || exit.cause === 'start-timeout') return DeployError.of('engine/never-ready', { name, reason: line }, details);
  const ended = exit.signal ?? (exit.code === undefined ? undefined : `exit code ${exit.code}`);
  return DeployError.of(toFailureCode(exit), { name, line: exit.line ?? ended ?? line }, details);
}

/** What Docker says of a container that it does not start; what helps stands in the hints. */
const launchCodes = ['docker/disk-full', 'docker/gpu-runtime', 'docker/not-there', 'docker/port-taken', 'docker/refused'] as const;

function toLaunchError(exit: ExitReport | undefined): DeployError | undefined {
  const code = launchCodes.find((one) => one === exit?.reason);
  return code === undefined || exit?.cause !== 'launch' ? undefined : DeployError.of(code, { problem: exit.line ?? '' });
}

/** What is known to help stands in its hint. */
function toFailureCode(exit: ExitReport) {
  if (exit.reason === 'shm_too_small') return 'engine/shared-memory';
  return isCompileCacheDamage(exit) ? 'engine/compile-cache' : 'engine/failed';
}

function toLoopError(
  name: string,
  { attempts, stalled, diagnosis }: Pick<About, 'stalled'> & { readonly attempts: number; readonly diagnosis: Diagnosis | undefined },
): DeployError {
  const reason = `${attempts} starts failed`;
  const details = diagnosis ? { diagnosis } : {};
  return toStallError(stalled, { name, line: reason }, details) ?? DeployError.of('engine/never-ready', { name, reason }, details);
}

/** Which setting would have waited longer stands in its hint. */
function toStallError(
  cause: string | undefined,
  about: { readonly name: string; readonly line: string },
  details: { readonly diagnosis?: Diagnosis },
): DeployError | undefined {
  if (cause === 'start-stall') return DeployError.of('engine/start-stalled', about, details);
  return cause === 'download-stall' ? DeployError.of('engine/download-stalled', about, details) : undefined;
}

async function readEventsAfter(after: number, name: string, { places }: Context): Promise<readonly DeploymentEvent[]> {
  const lines = await readLastLines(toDeploymentPaths(places, name).events, 1000);
  return lines.map(parseEvent).filter((event) => event !== undefined && event.seq > after) as readonly DeploymentEvent[];
}
