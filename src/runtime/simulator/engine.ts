/**
 * The simulated engine: a batch that advances by one token per step, as vLLM's does. Requests wait until the batch has
 * room; every step gives each running request one token, takes `tokenMs`, and counts once in
 * `iteration_tokens_total` however many run. Nothing moves when nothing runs.
 */
import { type Clock, systemClock, waitFor } from '../../core/clock.ts';
import type { MetricStore } from './metric-store.ts';
import { type Piece, toFiller } from './text.ts';

export type FinishReason = 'stop' | 'length' | 'abort';

export interface Job {
  readonly promptTokens: number;
  readonly answer: readonly Piece[];
  readonly maxTokens: number;
  /** No end before this many tokens; `Infinity` for `ignore_eos`. */
  readonly minTokens: number;
  /** `finish` comes with the last piece. An abort carries no piece. */
  readonly onPiece: (piece: Piece | undefined, finish: FinishReason | undefined) => void;
  readonly onFailure: () => void;
}

export interface EngineSettings {
  readonly tokenMs: number;
  readonly maxNumSeqs: number;
  readonly kvTokens: number;
  readonly metrics: MetricStore;
  readonly clock?: Clock;
  /** Awaited in every step; a step whose wait never ends is a hung engine. */
  readonly step?: () => Promise<void>;
}

interface Sequence {
  readonly job: Job;
  readonly arrivedAt: number;
  startedAt: number;
  firstAt: number;
  lastAt: number;
  produced: number;
}

export class SimulatedEngine {
  readonly #settings: EngineSettings;
  readonly #clock: Clock;
  #waiting: Sequence[] = [];
  #running: Sequence[] = [];
  #looping = false;
  #halted = false;
  #idleWatchers: (() => void)[] = [];

  constructor(settings: EngineSettings) {
    this.#settings = settings;
    this.#clock = settings.clock ?? systemClock;
  }

  /** Requests that have no last piece yet. */
  get inFlight(): number {
    return this.#running.length + this.#waiting.length;
  }

  /** Queues a request; the returned function forgets it, as when its client has gone. */
  submit(job: Job): () => void {
    const now = this.#clock.mono();
    const sequence: Sequence = { job, arrivedAt: now, startedAt: now, firstAt: now, lastAt: now, produced: 0 };
    this.#waiting.push(sequence);
    void this.#run();
    return () => this.#remove(sequence);
  }

  /** Ends every request with finish reason `abort`, as a stop without a drain does. */
  abortAll(): void {
    for (const { job } of this.#takeAll()) {
      this.#settings.metrics.add('vllm:request_success_total', 1, 'abort');
      job.onPiece(undefined, 'abort');
    }
  }

  /** Fails every request and takes no step any more. */
  fail(): void {
    this.halt();
    for (const { job } of this.#takeAll()) job.onFailure();
  }

  /** No step any more; requests in flight are neither answered nor failed. */
  halt(): void {
    this.#halted = true;
  }

  /** Resolves at once or with the end of the last request. */
  waitUntilIdle(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (this.inFlight === 0 || signal.aborted) return resolve();
      this.#idleWatchers.push(resolve);
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  async #run(): Promise<void> {
    if (this.#looping) return;
    this.#looping = true;
    let due = this.#clock.mono();
    while (this.inFlight > 0 && !this.#halted) {
      const now = this.#clock.mono();
      due = Math.max(due + this.#settings.tokenMs, now);
      await waitFor(due - now, undefined, this.#clock);
      await this.#settings.step?.();
      if (!this.#halted) this.#step();
    }
    this.#looping = false;
  }

  #step(): void {
    const metrics = this.#settings.metrics;
    const admitted = this.#waiting.splice(0, this.#settings.maxNumSeqs - this.#running.length);
    for (const sequence of admitted) {
      sequence.startedAt = this.#clock.mono();
      metrics.countPrompt(sequence.job.promptTokens);
    }
    this.#running.push(...admitted);
    const batch = this.#running.length;
    if (batch === 0) return;
    metrics.observe('vllm:iteration_tokens_total', batch + admitted.reduce((sum, { job }) => sum + job.promptTokens, 0));
    metrics.add('vllm:generation_tokens_total', batch);
    const finished = this.#running.filter((sequence) => this.#advance(sequence) !== undefined);
    this.#running = this.#running.filter((sequence) => !finished.includes(sequence));
    this.#publish();
    if (this.inFlight === 0) this.#tellIdle();
  }

  #advance(sequence: Sequence): FinishReason | undefined {
    const { job } = sequence;
    const now = this.#clock.mono();
    const piece = job.answer[sequence.produced] ?? toFiller(sequence.produced);
    sequence.produced += 1;
    if (sequence.produced === 1) {
      sequence.firstAt = now;
      this.#settings.metrics.observe('vllm:time_to_first_token_seconds', (now - sequence.arrivedAt) / 1000);
    } else {
      this.#settings.metrics.observe('vllm:inter_token_latency_seconds', (now - sequence.lastAt) / 1000);
    }
    sequence.lastAt = now;
    const finish = chooseFinish(sequence);
    if (finish !== undefined) this.#settings.metrics.countFinished({ ...sequence, ...job, finish });
    job.onPiece(piece, finish);
    return finish;
  }

  /** vLLM publishes its gauges with a step's results, so a frozen engine leaves the last values standing. */
  #publish(): void {
    const { metrics, kvTokens } = this.#settings;
    const held = this.#running.reduce((sum, { job, produced }) => sum + job.promptTokens + produced, 0);
    metrics.set('vllm:num_requests_running', this.#running.length);
    metrics.set('vllm:num_requests_waiting', this.#waiting.length);
    metrics.set('vllm:num_requests_waiting_by_reason', this.#waiting.length, 'capacity');
    metrics.set('vllm:kv_cache_usage_perc', Math.min(held / kvTokens, 1));
  }

  #remove(sequence: Sequence): void {
    this.#running = this.#running.filter((other) => other !== sequence);
    this.#waiting = this.#waiting.filter((other) => other !== sequence);
    if (!this.#halted) this.#publish();
    if (this.inFlight === 0) this.#tellIdle();
  }

  #takeAll(): readonly Sequence[] {
    const all = [...this.#running, ...this.#waiting];
    this.#running = [];
    this.#waiting = [];
    this.#tellIdle();
    return all;
  }

  #tellIdle(): void {
    for (const tell of this.#idleWatchers.splice(0)) tell();
  }
}

function chooseFinish({ job, produced }: Sequence): FinishReason | undefined {
  if (produced >= job.maxTokens) return 'length';
  return produced >= Math.max(job.answer.length, job.minTokens) ? 'stop' : undefined;
}
