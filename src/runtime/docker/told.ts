/** What an engine's events tell of one container. Pure: they may be lost, come twice and in any order. */
import type { Container, ContainerEvent } from '../../host/docker/docker.ts';

/** Times are of the engine's clock, seconds since 1970. */
export interface Told {
  /** The last signal that ends a process, by whoever. */
  readonly killedAt?: number;
  /** Of `docker stop` and `docker restart` alone; what removes a container only kills it. */
  readonly stoppedAt?: number;
  /** The kernel ended one of its processes because memory ran out. */
  readonly oomAt?: number;
  /** Of the newest event: from there on they are asked for again when the stream broke. */
  readonly lastAt?: number;
}

/** SIGINT, SIGQUIT, SIGABRT, SIGKILL, SIGTERM; Docker tells the number. Podman tells none: then it may have been any. */
const ending = ['2', '3', '6', '9', '15'];

export function noteEvent(told: Told, { action, at, attributes }: ContainerEvent): Told {
  const next = { ...told, lastAt: Math.max(told.lastAt ?? 0, at) };
  const isLater = (known: number | undefined) => known === undefined || at > known;
  if (action === 'kill' && isEnding(attributes.signal) && isLater(told.killedAt)) return { ...next, killedAt: at };
  if (action === 'stop' && isLater(told.stoppedAt)) return { ...next, stoppedAt: at };
  if (action === 'oom' && isLater(told.oomAt)) return { ...next, oomAt: at };
  return next;
}

/** Seen while it stops, where no event tells it. */
export function noteStop(told: Told, at: number): Told {
  return { ...told, killedAt: at, stoppedAt: at };
}

function isEnding(signal: string | undefined): boolean {
  return signal === undefined || ending.includes(signal);
}

/** An engine that goes away kills what it runs with the same words as `docker stop`: nobody's hand was in that. */
export function forgetHand({ killedAt: _killed, stoppedAt: _stopped, ...told }: Told): Told {
  return told;
}

/** Docker's own, where a container has none. */
const usualStopSeconds = 10;
/** An engine that is slow itself. */
const lateSeconds = 15;

/** Whether that end is what a signal by the engine's API has led to. */
export function isByHand({ killedAt }: Told, { finishedAt, config }: Pick<Container, 'finishedAt' | 'config'>): boolean {
  if (killedAt === undefined) return false;
  if (finishedAt === undefined) return true;
  const patience = typeof config.StopTimeout === 'number' ? config.StopTimeout : usualStopSeconds;
  return Date.parse(finishedAt) / 1000 - killedAt <= patience + lateSeconds;
}

/** A child's death by memory ends the engine a moment later, and by then nobody calls it that. */
const afterOomSeconds = 30;

export function isByMemory({ oomAt }: Told, { finishedAt, oomKilled }: Pick<Container, 'finishedAt' | 'oomKilled'>): boolean {
  if (oomKilled) return true;
  if (oomAt === undefined || finishedAt === undefined) return false;
  return Math.abs(Date.parse(finishedAt) / 1000 - oomAt) <= afterOomSeconds;
}
