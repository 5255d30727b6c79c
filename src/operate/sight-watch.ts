/**
 * Patience of whoever waits for a stop while Docker cannot be asked: it is worth a while, because a restart of it takes
 * seconds, and nothing is worth waiting for ever.
 */
import { systemClock, type Timer } from '../core/clock.ts';
import { DeployError } from '../core/error.ts';
import type { Deployment } from '../supervisor/deployment.ts';

/** From the beginning, and from the moment when it could not be asked. */
const patienceMs = { all: 12_000, least: 3000 } as const;

export interface SightWatch {
  /** Aborted when patience is over and it still cannot be asked. */
  readonly lost: AbortSignal;
  /** It cannot be asked. */
  readonly note: () => void;
  /** Leaves no timer behind. */
  readonly end: () => void;
}

/** `isLost`: asked when patience is over. */
export function watchSight(isLost: () => Promise<boolean>): SightWatch {
  const begun = performance.now();
  const lost = new AbortController();
  let timer: Timer | undefined;
  const judge = async () => {
    timer = undefined;
    if (await isLost()) lost.abort();
  };
  return {
    lost: lost.signal,
    note() {
      timer ??= systemClock.after(Math.max(patienceMs.least, begun + patienceMs.all - performance.now()), () => void judge());
    },
    end: () => timer?.cancel(),
  };
}

/** Docker is what cannot be asked: a process that cannot be looked at now is a matter of moments. */
export function isUnseen({ state, backend, containerId, owed }: Deployment): boolean {
  return state === 'unknown' && (backend === 'docker' || containerId !== undefined || owed !== undefined);
}

const shortId = 12;

/** What is known to be gone is another piece of news than what is not known at all. */
export function toUnseenError({ name, owed, containerId, health }: Deployment): DeployError {
  const problem = health.reason ?? 'no answer';
  if (owed) return DeployError.of('down/removal-owed', { name, container: owed.containerId.slice(0, shortId), problem });
  return DeployError.of('down/out-of-sight', { name, container: containerId?.slice(0, shortId) ?? name, problem });
}
