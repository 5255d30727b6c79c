/**
 * How a container ended that nobody watched: its supervisor was gone. Of `docker stop` only the engine's events tell,
 * which it keeps in memory, the last 256 of all containers; after a restart of the engine nobody knows any more. That
 * is as well: an engine that goes away stops what it runs with the same words.
 */
import { waitFor } from '../../core/clock.ts';
import type { Container, Docker } from '../../host/docker/docker.ts';
import { toExit } from '../exit-status.ts';
import type { Exit, LaunchRecord } from '../runtime.ts';
import { isByHand, noteEvent, type Told } from './told.ts';

/** How long one that was stopped by hand may take to come back: then it was `docker restart`. */
const backMs = 3000;
const answerMs = 5000;
/** The event comes a moment after the end. */
const lateSeconds = 1;

/** Undefined: by itself, or nobody can tell. Throws `docker/…` while the engine cannot be asked. */
export async function findHand(record: LaunchRecord, door: () => Promise<Docker>): Promise<Exit | undefined> {
  const { containerId } = record;
  if (containerId === undefined) return undefined;
  const docker = await door();
  const container = await docker.inspect(containerId);
  if (container !== undefined && !hasEnded(container)) return undefined;
  const told = await readTold(docker, { id: containerId, ...toSpan(record, container) });
  // `docker stop` and then `docker rm` is not `docker rm -f`: whoever does that wants no other one.
  if (container === undefined) return told.stoppedAt === undefined ? undefined : { by: 'stopped' };
  if (!isByHand(told, container)) return undefined;
  await waitFor(backMs);
  const later = await docker.inspect(containerId);
  if (later !== undefined && !hasEnded(later)) return undefined;
  const { exitCode } = container;
  return { ...(exitCode === undefined ? {} : toExit(exitCode)), by: 'stopped' };
}

function hasEnded({ state, finishedAt }: Container): boolean {
  return (state === 'exited' || state === 'dead') && finishedAt !== undefined;
}

interface Span {
  readonly since: number;
  readonly until: number;
}

/** By the engine's clock, where it says: it may be that of another machine. */
function toSpan({ createdAt }: LaunchRecord, container: Container | undefined): Span {
  const { startedAt = createdAt, finishedAt = new Date().toISOString() } = container ?? {};
  return { since: Date.parse(startedAt) / 1000, until: Date.parse(finishedAt) / 1000 + lateSeconds };
}

async function readTold(docker: Docker, { id, since, until }: Span & { readonly id: string }): Promise<Told> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), answerMs);
  let told: Told = {};
  try {
    for await (const event of docker.events({ container: id, since, until, signal: limit.signal })) told = noteEvent(told, event);
  } finally {
    clearTimeout(timer);
  }
  return told;
}
