/** How a process ended, as a shell and Docker tell it by one number. */
import type { Exit } from './runtime.ts';

/** 129 to 192 are signals by the shell's convention; above that it is a code (Python's `exit(-1)` is 255). */
export function toExit(status: number): Pick<Exit, 'code' | 'signal'> {
  if (status <= 128 || status > 128 + lastSignal) return { code: status };
  return { signal: signalNames.get(status - 128) ?? `SIG${status - 128}` };
}

const lastSignal = 64;
const signalNames: ReadonlyMap<number, string> = new Map([
  [1, 'SIGHUP'],
  [2, 'SIGINT'],
  [3, 'SIGQUIT'],
  [4, 'SIGILL'],
  [6, 'SIGABRT'],
  [7, 'SIGBUS'],
  [8, 'SIGFPE'],
  [9, 'SIGKILL'],
  [11, 'SIGSEGV'],
  [13, 'SIGPIPE'],
  [15, 'SIGTERM'],
]);
