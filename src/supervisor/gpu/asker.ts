/**
 * Asks the GPUs of one deployment: ten seconds at most, one question at a time, and not again for five minutes after
 * one that was not answered. What cannot be had is said once, and is no proof of anything.
 */
import type { Clock } from '../../core/clock.ts';
import { type Message, say } from '../../core/message.ts';
import { type GpuDetails, observeGpuDetails } from '../../gpu/query.ts';

export interface GpuAskerParts {
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
  readonly note: (note: Message) => void;
  /** Where device files, /sys and /proc are; `/` but for tests. */
  readonly root?: string;
  readonly timeoutMs?: number;
}

const timeoutMs = 10_000;
const restMs = 5 * 60_000;

export class GpuAsker {
  private readonly parts: GpuAskerParts;
  private last: GpuDetails | undefined;
  private restsUntil = Number.NEGATIVE_INFINITY;
  private told: string | undefined;
  private turn: Promise<unknown> = Promise.resolve();

  constructor(parts: GpuAskerParts) {
    this.parts = parts;
  }

  ask(): Promise<GpuDetails> {
    const answer = this.turn.then(() => this.askNow());
    this.turn = answer.catch(() => undefined);
    return answer;
  }

  private async askNow(): Promise<GpuDetails> {
    const { env, clock, root } = this.parts;
    if (this.last?.is === 'hangs' && clock.mono() < this.restsUntil) return this.last;
    const details = await observeGpuDetails(env, { timeoutMs: this.parts.timeoutMs ?? timeoutMs, ...(root === undefined ? {} : { root }) });
    this.last = details;
    if (details.is === 'hangs') this.restsUntil = clock.mono() + restMs;
    this.tell(details);
    return details;
  }

  /** Again only after it has answered in between, or when it is something else. */
  private tell(details: GpuDetails): void {
    if (details.is === 'hangs' || details.is === 'unread') {
      if (this.told !== details.evidence.id) this.parts.note(say('life.gpu-unseen', { why: details.evidence }));
      this.told = details.evidence.id;
    } else this.told = undefined;
  }
}
