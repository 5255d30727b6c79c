/**
 * The process: arguments, signals and the exit status. Nothing else calls process.exit or listens on process.
 * `--version` alone does not come here: scripts/boot.cjs answers it without loading the program.
 */
import { getEventListeners } from 'node:events';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const statusOfSignal = { SIGINT: 130, SIGTERM: 143 } as const;
const argv = process.argv.slice(2);

// Not awaited at the top level: that would forbid bundling as CommonJS, which loads faster.
main().then((status) => process.exit(status));

async function main(): Promise<number> {
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
  const { reportStray, runCommandLine } = await import('./commands/cli.ts');
  const report = async (error: unknown) => process.exit(await reportStray(error, argv, host));
  process.on('uncaughtException', report);
  process.on('unhandledRejection', report);
  return runCommandLine(argv, host);
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
