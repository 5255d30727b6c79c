/** Which events of a life are news to somebody who is not looking: told once, and not again with every try. Pure. */
import type { DeploymentEvent, ExitReport } from '../../core/event.ts';
import type { NotifyOn } from '../../profile/profile.ts';
import type { State } from '../state.ts';

export interface Told {
  /** The launch that was last told of as ready: one that is adopted is ready again, and no news. */
  readonly readyRun: number;
  /** It failed and nobody asked since: the next time that it is ready, it was restarted. */
  readonly failing: boolean;
  readonly crashloop: boolean;
  readonly degraded: boolean;
  readonly stopped: boolean;
}

/** What a supervisor that takes over may suppose to have been told. */
export function toTold({ life, run, readyAt, failures, slowTries, desired }: State): Told {
  return {
    readyRun: readyAt === undefined ? 0 : run,
    failing: desired === 'up' && readyAt === undefined && failures > 0,
    crashloop: slowTries > 0,
    degraded: life === 'degraded',
    stopped: life === 'stopped',
  };
}

/** The news in an event, the most telling name first; mostly none. */
export function toNews(told: Told, event: DeploymentEvent): readonly [Told, readonly NotifyOn[]] {
  switch (event.type) {
    case 'requested':
      return [{ ...told, failing: false, crashloop: false }, []];
    case 'preflight':
      return [{ ...told, stopped: false }, []];
    case 'backoff':
    case 'rolling-back':
      return [{ ...told, failing: true }, []];
    case 'crashloop':
      return [{ ...told, failing: true, crashloop: true }, told.crashloop ? [] : ['crashloop']];
    case 'ready':
      return toReady(told, event.run);
    case 'health':
      return [event.ready ? { ...told, degraded: false } : told, []];
    case 'degraded':
      return [{ ...told, degraded: true }, told.degraded ? [] : ['degraded']];
    case 'stopped':
      return [{ ...told, stopped: true }, told.stopped ? [] : ['stopped']];
    case 'failed':
    case 'unhealthy':
      return [told, [event.type]];
    default:
      return [told, []];
  }
}

function toReady(told: Told, run: number): readonly [Told, readonly NotifyOn[]] {
  const next: Told = { ...told, readyRun: run, failing: false, crashloop: false, degraded: false };
  if (run === told.readyRun) return [next, []];
  return [next, told.failing ? ['restarted', 'ready'] : ['ready']];
}

/** Why, in a word where there is one; empty where nothing went wrong. */
export function toCause(event: DeploymentEvent, name: NotifyOn, lastExit: ExitReport | undefined): string {
  if (event.type === 'degraded') return event.reason;
  if (event.type === 'unhealthy') return event.cause;
  if (event.type === 'failed') return toExitCause(event.exit);
  return name === 'crashloop' || name === 'restarted' ? toExitCause(lastExit) : '';
}

function toExitCause(exit: ExitReport | undefined): string {
  return exit?.reason ?? exit?.cause ?? '';
}
