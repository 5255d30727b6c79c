/**
 * When a container has ended, and how. Three witnesses, because each alone can lie: the engine's events (may be lost),
 * its list of containers asked now and then (says "running" for ever where its shim was killed), and /proc.
 */
import { waitFor } from '../../core/clock.ts';
import type { Container, Docker } from '../../host/docker/docker.ts';
import { isDead, readProcess } from '../../host/proc.ts';
import type { Exit, ProcessIdentity } from '../runtime.ts';
import { toExit } from '../exit-status.ts';

export interface ContainerWatchParts {
  readonly docker: () => Promise<Docker>;
  readonly containerId: string;
  /** Its first process, where /proc shows it. */
  readonly process?: ProcessIdentity;
}

/** Between two looks at a container that nobody has said anything about. */
const lookMs = 5000;
/** /proc is asked more often: that costs nothing. */
const glanceMs = 500;
/** How long the engine may call a container running whose process is gone, or not answer at all then. */
const staleMs = 8000;

/** Settles once; never after `signal`. */
export async function watchContainer(parts: ContainerWatchParts, signal: AbortSignal): Promise<Exit> {
  const news = new News();
  void followEvents(parts, news, signal);
  let goneSince: number | undefined;
  let lookedAt = Number.NEGATIVE_INFINITY;
  for (;;) {
    if (signal.aborted) return new Promise(() => undefined);
    const gone = await isGone(parts.process);
    if (gone) goneSince ??= performance.now();
    if (gone || news.take() || performance.now() - lookedAt >= lookMs) {
      lookedAt = performance.now();
      const seen = await look(parts);
      if (signal.aborted) return new Promise(() => undefined);
      const exit = seen === 'unknown' ? undefined : toEnd(seen);
      if (exit) return exit;
      if (goneSince !== undefined && performance.now() - goneSince > staleMs) return {};
    }
    await news.wait(glanceMs, signal);
  }
}

/** Absent: it runs. A container that was removed has taken its exit status with it. */
function toEnd(container: Container | undefined): Exit | undefined {
  if (container === undefined) return {};
  const { state, exitCode, oomKilled } = container;
  if (state !== 'exited' && state !== 'dead') return undefined;
  return { ...(exitCode === undefined ? {} : toExit(exitCode)), ...(oomKilled ? { outOfMemory: true } : {}) };
}

async function look({ docker, containerId }: ContainerWatchParts): Promise<Container | undefined | 'unknown'> {
  try {
    return await (await docker()).inspect(containerId);
  } catch {
    // It says nothing about the container that its engine does not answer.
    return 'unknown';
  }
}

async function isGone(identity: ProcessIdentity | undefined): Promise<boolean> {
  if (identity === undefined) return false;
  const facts = await readProcess(identity.pid).catch(() => 'unknown' as const);
  if (facts === 'unknown') return false;
  return isDead(facts) || facts.startTicks !== identity.startTicks;
}

const telling = ['die', 'destroy', 'oom', 'stop', 'kill', 'restart', 'start'];

async function followEvents({ docker, containerId }: ContainerWatchParts, news: News, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      const engine = await docker();
      // Whatever happened before the stream stood is seen by a look.
      news.tell();
      for await (const { action } of engine.events({ container: containerId, signal })) if (telling.includes(action)) news.tell();
    } catch {
      // broken, or no engine: the looks go on
    }
    await waitFor(1000, signal);
  }
}

/** Something may have happened. */
class News {
  private fresh = false;
  private wake: (() => void) | undefined;

  tell(): void {
    this.fresh = true;
    this.wake?.();
  }

  take(): boolean {
    const { fresh } = this;
    this.fresh = false;
    return fresh;
  }

  async wait(ms: number, signal: AbortSignal): Promise<void> {
    if (this.fresh) return;
    const woken = new AbortController();
    this.wake = () => woken.abort();
    await waitFor(ms, AbortSignal.any([woken.signal, signal]));
    this.wake = undefined;
  }
}
