/**
 * Time as a dependency. `wall` is for display and for what survives a restart; `mono` is for every interval,
 * because wall clocks step (NTP, suspend).
 */
export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Milliseconds since the Unix epoch. */
  wall(): number;
  /** Milliseconds on a clock that never steps; only differences mean anything. */
  mono(): number;
  after(delayMs: number, run: () => void): Timer;
}

/** Node fires timers above 2^31−1 ms (24.8 days) after 1 ms, so longer waits are made of several. */
const longestTimerMs = 2 ** 31 - 1;

export const systemClock: Clock = {
  wall: () => Date.now(),
  mono: () => performance.now(),
  after(delayMs, run) {
    let leftMs = Math.max(delayMs, 0);
    let handle: NodeJS.Timeout;
    const wait = () => {
      const partMs = Math.min(leftMs, longestTimerMs);
      leftMs -= partMs;
      handle = setTimeout(leftMs > 0 ? wait : run, partMs);
    };
    wait();
    return { cancel: () => clearTimeout(handle) };
  },
};

/** Resolves after `delayMs`, or at once (without error) when the signal aborts; leaves no timer behind. */
export function waitFor(delayMs: number, signal?: AbortSignal, clock: Clock = systemClock): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      timer.cancel();
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = clock.after(delayMs, done);
    signal?.addEventListener('abort', done, { once: true });
  });
}
