/**
 * When a container has ended, and how. Three witnesses, because each alone can lie: the engine's events (may be lost),
 * its list of containers asked now and then (says "running" for ever where its shim was killed), and /proc.
 *
 * What somebody does to it by hand is told from what happens by itself: `docker rm -f`, `docker stop`, `docker kill` and
 * `docker restart` are known by the engine's events (told.ts), `docker pause` and `docker update --restart` by looking.
 */
import { waitFor } from '../../core/clock.ts';
import { DeployError } from '../../core/error.ts';
import { type Message, say } from '../../core/message.ts';
import type { Container, Docker } from '../../host/docker/docker.ts';
import { isDead, readProcess } from '../../host/proc.ts';
import { toExit } from '../exit-status.ts';
import type { Exit, Notice, ProcessIdentity } from '../runtime.ts';
import { forgetHand, isByHand, isByMemory, noteEvent, noteStop, type Told } from './told.ts';

export interface ContainerWatchParts {
  readonly docker: () => Promise<Docker>;
  readonly containerId: string;
  /** Its first process, where /proc shows it. */
  readonly process?: ProcessIdentity;
  /** Whether we have asked it to end: then no other hand was needed. */
  readonly asked?: () => boolean;
  readonly onNotice?: (notice: Notice) => void;
  readonly onPaused?: (paused: boolean) => void;
}

/** Between two looks at a container that nobody has said anything about. */
const lookMs = 5000;
/** The same where a stop can be seen only while it lasts; the real vLLM takes some seconds for one. */
const stopLookMs = 1000;
/** /proc is asked more often: that costs nothing. */
const glanceMs = 500;
/** How long the engine may call a container running whose process is gone. */
const staleMs = 8000;
/** How long one that was stopped by hand may take to come back: then it was `docker restart`, or it is removed too. */
const backMs = 3000;
/** The event that tells whose signal it was may come a moment later. */
const eventMs = 300;
/** How long the engine may not answer before it is said; a restart of it is quicker. */
const silentMs = 8000;

/** Settles once; never after `signal`. */
export async function watchContainer(parts: ContainerWatchParts, signal: AbortSignal): Promise<Exit> {
  const watch = new ContainerWatch(parts);
  void watch.followEvents(signal);
  for (;;) {
    if (signal.aborted) return new Promise(() => undefined);
    const exit = await watch.turn(signal);
    if (signal.aborted) return new Promise(() => undefined);
    if (exit) return exit;
    await watch.news.wait(glanceMs, signal);
  }
}

class ContainerWatch {
  readonly news = new News();
  private readonly parts: ContainerWatchParts;
  private told: Told = {};
  private lookedAt = Number.NEGATIVE_INFINITY;
  /** When it began to run, as of the first look. */
  private startedAt: string | undefined;
  /** The engine calls it running and its process is gone. */
  private goneSince: number | undefined;
  /** It was seen to have ended, which is not believed yet. */
  private stoppedSince: number | undefined;
  private silentSince: number | undefined;
  private saidSilent = false;
  private saidBlind = false;
  private hidesStops = false;
  private paused = false;
  private readonly policy = new Set<string>();

  constructor(parts: ContainerWatchParts) {
    this.parts = parts;
  }

  async turn(signal: AbortSignal): Promise<Exit | undefined> {
    const gone = await isGone(this.parts.process);
    const due = performance.now() - this.lookedAt >= (this.hidesStops ? stopLookMs : lookMs) || this.stoppedSince !== undefined;
    if (!this.news.take() && !gone && !due) return undefined;
    this.lookedAt = performance.now();
    const seen = await look(this.parts);
    if (signal.aborted) return undefined;
    if (seen.is === 'unknown') return this.missSight(seen.problem, gone);
    this.regainSight();
    return this.weigh(seen.container, gone);
  }

  async followEvents(signal: AbortSignal): Promise<void> {
    const { docker, containerId } = this.parts;
    while (!signal.aborted) {
      try {
        const engine = await docker();
        this.hidesStops = engine.hidesStops;
        // Whatever happened before the stream stood is seen by a look.
        this.news.tell();
        const { lastAt } = this.told;
        const options = { container: containerId, signal, ...(lastAt === undefined ? {} : { since: lastAt }) };
        for await (const event of engine.events(options)) this.hear(event);
      } catch {
        // broken, or no engine: the looks go on
      }
      await waitFor(1000, signal);
    }
  }

  private hear(event: Parameters<typeof noteEvent>[1]): void {
    const before = this.told;
    this.told = noteEvent(before, event);
    if (this.told.oomAt !== before.oomAt) this.note(say('life.docker-oom'));
    if (telling.includes(event.action)) this.news.tell();
  }

  /** It says nothing about the container that its engine does not answer; that its process is gone does. */
  private missSight(problem: string, gone: boolean): undefined {
    this.told = forgetHand(this.told);
    this.goneSince = undefined;
    this.stoppedSince = undefined;
    const now = performance.now();
    this.silentSince ??= now;
    if (gone && !this.saidBlind) {
      this.saidBlind = true;
      this.parts.onNotice?.({ type: 'out-of-sight', reason: problem });
    }
    if (!gone && !this.saidSilent && now - this.silentSince >= silentMs) {
      this.saidSilent = true;
      this.note(say('life.docker-silent', { problem }));
    }
    return undefined;
  }

  private regainSight(): void {
    if (this.saidSilent) this.note(say('life.docker-back'));
    this.silentSince = undefined;
    this.saidSilent = false;
    this.saidBlind = false;
  }

  /** Absent: it runs. A container that was removed has taken its exit status with it. */
  private weigh(container: Container | undefined, gone: boolean): Exit | undefined {
    const asked = this.parts.asked?.() ?? false;
    // `docker stop` and then `docker rm` is not `docker rm -f`: whoever does that wants no other one.
    if (container === undefined) return asked ? {} : { by: this.told.stoppedAt === undefined ? 'removed' : 'stopped' };
    const { state, startedAt } = container;
    this.startedAt ??= startedAt;
    if (state === 'exited' || state === 'dead') return this.toEnd(container, asked);
    this.stoppedSince = undefined;
    if (container.isStopping) this.told = noteStop(this.told, Date.now() / 1000);
    if (startedAt !== this.startedAt && state !== 'restarting') return { by: 'restarted' };
    this.notePause(state === 'paused');
    this.notePolicy(container);
    this.goneSince = gone ? (this.goneSince ?? performance.now()) : undefined;
    return this.goneSince !== undefined && performance.now() - this.goneSince > staleMs ? {} : undefined;
  }

  private toEnd(container: Container, asked: boolean): Exit | undefined {
    const { exitCode } = container;
    const exit: Exit = {
      ...(exitCode === undefined ? {} : toExit(exitCode)),
      ...(isByMemory(this.told, container) ? { outOfMemory: true } : {}),
    };
    this.stoppedSince ??= performance.now();
    const forMs = performance.now() - this.stoppedSince;
    if (asked) return exit;
    if (isByHand(this.told, container)) return forMs < backMs ? undefined : { ...exit, by: 'stopped' };
    return exit.signal !== undefined && forMs < eventMs ? undefined : exit;
  }

  private notePause(paused: boolean): void {
    if (paused === this.paused) return;
    this.paused = paused;
    this.parts.onPaused?.(paused);
    this.note(say(paused ? 'life.docker-paused' : 'life.docker-unpaused'));
  }

  /** Two who restart are one too many. Said once for each policy, and undone as often as it takes. */
  private notePolicy({ id, restartPolicy }: Container): void {
    if (restartPolicy === 'no' || restartPolicy === '') return;
    void this.parts
      .docker()
      .then((docker) => docker.forbidRestart(id))
      .then(() => {
        if (this.policy.has(restartPolicy)) return;
        this.policy.add(restartPolicy);
        this.note(say('life.docker-policy', { policy: restartPolicy }));
      })
      // With the next look again.
      .catch(() => undefined);
  }

  private note(note: Message): void {
    this.parts.onNotice?.({ type: 'note', note });
  }
}

type Look = { readonly is: 'seen'; readonly container: Container | undefined } | { readonly is: 'unknown'; readonly problem: string };

async function look({ docker, containerId }: ContainerWatchParts): Promise<Look> {
  try {
    return { is: 'seen', container: await (await docker()).inspect(containerId) };
  } catch (error) {
    return { is: 'unknown', problem: error instanceof DeployError ? error.code : String(error) };
  }
}

async function isGone(identity: ProcessIdentity | undefined): Promise<boolean> {
  if (identity === undefined) return false;
  const facts = await readProcess(identity.pid).catch(() => 'unknown' as const);
  if (facts === 'unknown') return false;
  return isDead(facts) || facts.startTicks !== identity.startTicks;
}

const telling = ['die', 'destroy', 'oom', 'stop', 'kill', 'restart', 'start', 'pause', 'unpause', 'update'];

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
