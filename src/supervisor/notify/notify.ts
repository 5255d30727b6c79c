/**
 * Tells somebody: runs a command or posts to a webhook when something happens to the deployment. Apart from
 * everything else: nobody waits for it, and what goes wrong with it is one note in the journal. Notes are no news, so
 * that there is no circle.
 */
import { type Clock, waitFor } from '../../core/clock.ts';
import type { DeploymentEvent } from '../../core/event.ts';
import { type Message, say } from '../../core/message.ts';
import type { Notification, NotifyOn } from '../../profile/profile.ts';
import type { State } from '../state.ts';
import { type Delivery, deliver, toTarget } from './delivery.ts';
import { type Told, toCause, toNews, toTold } from './transition.ts';

export interface NotifierParts {
  readonly now: () => State;
  readonly note: (note: Message) => void;
  /** Values of `env:` references that only the asking shell knew. */
  readonly secrets: () => Readonly<Record<string, string>>;
  readonly env: NodeJS.ProcessEnv;
  /** A message in words, for those who read nothing else. */
  readonly toText: (message: Message) => string;
  readonly clock?: Clock;
}

/** Enough for any real life; a command that hangs must not gather more of itself. */
const runningMost = 4;
const queueMost = 100;
const releaseMs = 2000;
/** After an abort, until everything has noticed. */
const settleMs = 500;
/** Whose problems are new every time, for a time in the text, says no more after so many. */
const problemsMost = 20;

export class Notifier {
  private readonly parts: NotifierParts;
  private told: Told;
  private readonly queue: Delivery[] = [];
  private readonly running = new Set<Promise<void>>();
  private readonly given = new AbortController();
  /** By whom is told: what went wrong since it last went well. */
  private readonly problems = new Map<string, Set<string>>();
  private dropping = false;
  private released = false;

  constructor(parts: NotifierParts) {
    this.parts = parts;
    this.told = toTold(parts.now());
  }

  /** Takes every event of the journal, in its order. Returns at once. */
  take(event: DeploymentEvent): void {
    const [told, names] = toNews(this.told, event);
    this.told = told;
    if (this.released || names.length === 0) return;
    const state = this.parts.now();
    for (const notification of state.wanted.notify ?? []) {
      const name = names.find((one) => notification.on.includes(one));
      if (name !== undefined) this.queue.push(this.toDelivery(notification, { name, event, state }));
    }
    this.drop();
    this.pump();
  }

  /** Those under way get a moment to end; then they are ended. */
  async release(): Promise<void> {
    this.released = true;
    await Promise.race([this.untilIdle(), waitFor(releaseMs, this.given.signal, this.parts.clock)]);
    if (this.queue.splice(0).length > 0) this.parts.note(say('life.notify-dropped'));
    this.given.abort();
    await Promise.race([this.untilIdle(), waitFor(settleMs)]);
  }

  private async untilIdle(): Promise<void> {
    while (this.running.size > 0) await Promise.all(this.running);
  }

  private toDelivery(notification: Notification, { name, event, state }: News): Delivery {
    const deployment = state.name;
    const cause = toCause(event, name, state.lastExit);
    const summary = this.parts.toText(toSentence(name, { name: deployment, cause }));
    return { notification, name, event, deployment, state: state.life, cause, summary, spec: state.wanted.spec };
  }

  private drop(): void {
    if (this.queue.length <= queueMost) return;
    this.queue.splice(0, this.queue.length - queueMost);
    if (this.dropping) return;
    this.dropping = true;
    // Not in the middle of another event, whose other readers have not seen it yet.
    queueMicrotask(() => this.parts.note(say('life.notify-dropped')));
  }

  private pump(): void {
    while (this.running.size < runningMost) {
      const next = this.queue.shift();
      if (next === undefined) {
        this.dropping = false;
        return;
      }
      const work: Promise<void> = this.send(next).finally(() => {
        this.running.delete(work);
        this.pump();
      });
      this.running.add(work);
    }
  }

  private async send(delivery: Delivery): Promise<void> {
    const { env, clock } = this.parts;
    const about = { env, toText: this.parts.toText, secrets: this.parts.secrets(), signal: this.given.signal, ...(clock ? { clock } : {}) };
    const problem = await deliver(delivery, about).catch((error: unknown) => String(error));
    const key = JSON.stringify(delivery.notification);
    if (problem === undefined) return void this.problems.delete(key);
    const known = this.problems.get(key) ?? new Set();
    this.problems.set(key, known);
    const text = JSON.stringify(problem);
    if (known.has(text) || known.size >= problemsMost) return;
    known.add(text);
    this.parts.note(say('life.notify-failed', { target: toTarget(delivery.notification), event: delivery.name, problem }));
  }
}

interface News {
  readonly name: NotifyOn;
  readonly event: DeploymentEvent;
  readonly state: State;
}

function toSentence(on: NotifyOn, { name, cause }: { readonly name: string; readonly cause: string }): Message {
  switch (on) {
    case 'ready':
      return say('life.told.ready', { name });
    case 'stopped':
      return say('life.told.stopped', { name });
    case 'failed':
      return say('life.told.failed', { name, cause });
    case 'crashloop':
      return say('life.told.crashloop', { name, cause });
    case 'degraded':
      return say('life.told.degraded', { name, cause });
    case 'unhealthy':
      return say('life.told.unhealthy', { name, cause });
    case 'restarted':
      return say('life.told.restarted', { name, cause });
  }
}
