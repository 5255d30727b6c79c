/** The process around a command line: arguments, signals and the exit status. Nothing else calls process.exit or listens on process. */
import { getEventListeners } from 'node:events';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readGlobals } from '../commands/globals.ts';
import type { Host } from '../commands/host.ts';

const statusOfSignal = { SIGINT: 130, SIGTERM: 143 } as const;
/** Runs a command line to its end, and the process with it. */
export function runProcess(work: (argv: readonly string[], host: Host) => Promise<number>): void {
  // Not awaited at the top level: that would forbid bundling as CommonJS, which loads faster.
  runWork(work).then((status) => process.exit(status));
}

async function runWork(work: (argv: readonly string[], host: Host) => Promise<number>): Promise<number> {
  const argv = process.argv.slice(2);
  watchStreams();
  const self = fileURLToPath(import.meta.url);
  const host = {
    ...watchSignals(),
    env: process.env,
    cwd: process.cwd(),
    // Opened when it is read: that costs every command 2 ms.
    get stdin() {
      return process.stdin;
    },
    stdout: process.stdout,
    stderr: process.stderr,
    programs: { self: [process.execPath, self] as const, simulator: join(dirname(self), 'simulator.js') },
  };
  const report = async (error: unknown) => {
    const { reportError } = await import('../commands/session.ts');
    process.exit(await reportError(error, host, readGlobals(argv)));
  };
  process.on('uncaughtException', report);
  process.on('unhandledRejection', report);
  return work(argv, host);
}

/**
 * The first signal asks the command to end what it can and say what is left. The second one goes to whoever
 * listens to `force` (`up --foreground` kills its engine then); where nobody does, and at the third, it is the end.
 */
function watchSignals() {
  const interruption = new AbortController();
  const force = new AbortController();
  let interruptStatus: number | undefined;
  const onSignal = (signal: keyof typeof statusOfSignal) => {
    if (interruptStatus === undefined) {
      interruptStatus = statusOfSignal[signal];
      return interruption.abort();
    }
    const heard = !force.signal.aborted && getEventListeners(force.signal, 'abort').length > 0;
    if (!heard) process.exit(statusOfSignal[signal]);
    force.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return { signal: interruption.signal, force: force.signal, interruptStatus: () => interruptStatus };
}

/** A reader that has seen enough (`| head`) is a quiet end; a closed stderr only means that nobody listens. */
function watchStreams(): void {
  // EIO: the terminal behind it is gone. Anything else has nobody to be told, and telling would fail again.
  const whenClosed = (end: () => void) => (_error: NodeJS.ErrnoException) => end();
  process.stdout.on(
    'error',
    whenClosed(() => process.exit(0)),
  );
  process.stderr.on(
    'error',
    whenClosed(() => undefined),
  );
}
