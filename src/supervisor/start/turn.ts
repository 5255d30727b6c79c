/**
 * Starts on one GPU happen one after another: each measures the free memory while it starts, and two at once take each
 * other's for granted. Every deployment has a supervisor of its own, so what they share is a lock file per GPU; the
 * kernel releases it when its holder dies.
 *
 * A turn is taken before the checks of a start and given back when the deployment is in any state but starting. Locks
 * of several GPUs are taken in the order of their names, so that no two starts wait for each other.
 */
import { join } from 'node:path';
import { type Clock, systemClock, waitFor } from '../../core/clock.ts';
import { type Message, say } from '../../core/message.ts';
import { ensurePrivateDirectory, readTextFile } from '../../host/files.ts';
import { type Lock, tryLock } from '../../host/lock.ts';
import type { State } from '../state.ts';

export interface StartTurnParts {
  /** Where the lock files are; made when needed. */
  readonly directory: string;
  readonly onNote: (note: Message) => void;
  readonly clock?: Clock;
}

const pollMs = 500;

export class StartTurn {
  private readonly parts: StartTurnParts;
  private readonly held: Lock[] = [];
  private waiting = new AbortController();

  constructor(parts: StartTurnParts) {
    this.parts = parts;
  }

  /** Resolves when it is this start's turn, or when the start is not wanted any more. */
  async take({ name, wanted }: Pick<State, 'name' | 'wanted'>): Promise<void> {
    // Ours from this moment on: a stop that comes before the first lock must find it.
    const returned = this.giveBack();
    const { signal } = this.waiting;
    await returned;
    const gpus = [...new Set(wanted.gpus ?? [])].sort();
    if (gpus.length > 0) await ensurePrivateDirectory(this.parts.directory);
    for (const gpu of gpus) {
      const lock = await this.waitForLock(gpu, signal);
      if (lock === undefined) return;
      if (signal.aborted) return lock.release();
      this.held.push(lock);
      await lock.describe(`${name}\n`);
    }
  }

  /** To be told of every state. */
  async observe({ life }: Pick<State, 'life'>): Promise<void> {
    if (life !== 'preflight' && life !== 'starting') await this.giveBack();
  }

  async giveBack(): Promise<void> {
    this.waiting.abort();
    this.waiting = new AbortController();
    for (const lock of this.held.splice(0)) await lock.release();
  }

  private async waitForLock(gpu: string, signal: AbortSignal): Promise<Lock | undefined> {
    const path = join(this.parts.directory, `gpu-${gpu.replace(/[^\w-]/g, '_')}.lock`);
    let told = '';
    while (!signal.aborted) {
      const lock = await tryLock(path);
      if (lock) return lock;
      const holder = (await readTextFile(path))?.trim() || '?';
      if (holder !== told) this.parts.onNote(say('life.start-turn', { name: holder, gpu }));
      told = holder;
      await waitFor(pollMs, signal, this.parts.clock ?? systemClock);
    }
    return undefined;
  }
}
