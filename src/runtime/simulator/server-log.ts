/** What a running server says about itself: a line of figures every ten seconds of work, and why it could not listen. */
import { type Clock, systemClock, type Timer } from '../../core/clock.ts';
import { type LogEntry, toApiEntry } from './log.ts';
import type { SimulatorServer } from './server.ts';

const intervalMs = 10_000;

/** Prints vLLM's throughput line; silent while nothing moves. */
export function startStatsLog(server: SimulatorServer, print: (entry: LogEntry) => void, clock: Clock = systemClock): Timer {
  let last = readCounters(server);
  let timer: Timer;
  const tick = () => {
    const now = readCounters(server);
    const moved = now.prompt !== last.prompt || now.generated !== last.generated;
    if (moved && server.options.logStats) print(toApiEntry('loggers.py:335', renderStats(server, last)));
    last = now;
    timer = clock.after(intervalMs, tick);
  };
  timer = clock.after(intervalMs, tick);
  return { cancel: () => timer.cancel() };
}

/** Python's way to say that a socket could not be bound. */
export function renderBindFailure(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const known: Readonly<Record<string, string>> = {
    EADDRINUSE: 'OSError: [Errno 98] Address already in use',
    EADDRNOTAVAIL: 'OSError: [Errno 99] Cannot assign requested address',
    EACCES: 'PermissionError: [Errno 13] Permission denied',
  };
  return `Traceback (most recent call last):\n${known[code] ?? `OSError: ${String(error)}`}\n`;
}

interface Counters {
  readonly prompt: number;
  readonly generated: number;
}

function readCounters({ metrics }: SimulatorServer): Counters {
  return { prompt: metrics.value('vllm:prompt_tokens_total'), generated: metrics.value('vllm:generation_tokens_total') };
}

function renderStats(server: SimulatorServer, last: Counters): string {
  const now = readCounters(server);
  const rate = (count: number) => ((count * 1000) / intervalMs).toFixed(1);
  const { metrics } = server;
  return [
    `Engine 000: Avg prompt throughput: ${rate(now.prompt - last.prompt)} tokens/s`,
    `Avg generation throughput: ${rate(now.generated - last.generated)} tokens/s`,
    `Running: ${metrics.value('vllm:num_requests_running')} reqs`,
    `Waiting: ${metrics.value('vllm:num_requests_waiting')} reqs`,
    `CPU KV cache usage: ${(metrics.value('vllm:kv_cache_usage_perc') * 100).toFixed(1)}%`,
    'Prefix cache hit rate: 0.0%',
  ].join(', ');
}
