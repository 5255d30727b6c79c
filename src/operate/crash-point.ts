/**
 * For tests alone: an environment that names a step of the supervisor makes it die right there. Every boundary between
 * what is written down and what is done has to be one at which the next supervisor can go on.
 *
 *   QD_CRASH_AT=before:launch#1   SIGKILL before the first launch; `after:` when it has begun
 *   QD_CRASH_AT=throw:emit#3      an error that nobody catches, at the third event; `reject:` a promise's
 */
import { writeSync } from 'node:fs';

type When = 'before' | 'after';
type CrashPoint = (step: string, when: When) => void;

/** Undefined when the text names no crash point. */
export function parseCrashPoint(text: string): CrashPoint | undefined {
  const match = /^(before|after|throw|reject):([a-z-]+)#(\d+)$/.exec(text);
  const [, how = '', wanted = '', number = ''] = match ?? [];
  if (match === null) return undefined;
  const at: When = how === 'after' ? 'after' : 'before';
  let left = Number(number);
  return (step, when) => {
    if (step !== wanted || when !== at) return;
    left -= 1;
    if (left === 0) crash(how);
  };
}

function crash(how: string): void {
  const error = () => new Error('QD_CRASH_AT');
  if (how === 'reject') void Promise.reject(error());
  else if (how === 'throw') setImmediate(() => throwIt(error()));
  else {
    // Whoever plays this can see that it happened.
    writeSync(process.stderr.fd, 'QD_CRASH_AT\n');
    process.kill(process.pid, 'SIGKILL');
  }
}

function throwIt(error: Error): never {
  throw error;
}
