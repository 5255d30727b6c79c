/** The process around a command line: arguments, signals and the exit status. Nothing else calls process.exit or listens on process. */
import { getEventListeners } from 'node:events';
import { join } from 'node:path';
import { readGlobals } from '../commands/globals.ts';
import type { Host } from '../commands/host.ts';
import { openOutput } from '../host/output.ts';

const statusOfSignal = { SIGINT: 130, SIGTERM: 143 } as const;
/** Runs a command line to its end, and the process with it. */
export function runProcess(work: (argv: readonly string[], host: Host) => Promise<number>): void {
  // Not awaited at the top level: that would forbid bundling as CommonJS, which loads faster.
  runWork(work).then((status) => process.exit(status));
}

async function runWork(work: (argv: readonly string[], host: Host) => Promise<number>): Promise<number> {
  const argv = process.argv.slice(2);
  const host = {
    ...watchSignals(),
    env: process.env,
    cwd: process.cwd(),
    // Opened when it is read: that costs every command 2 ms.
    get stdin() {
      return process.stdin;
    },
    // A reader that has seen enough (`| head`) is a quiet end; a closed stderr only means that nobody listens.
    stdout: openOutput(1, () => process.exit(0)),
    stderr: openOutput(2, () => undefined),
    programs: { self: [process.execPath, import.meta.filename] as const, simulator: join(import.meta.dirname, 'simulator.js') },
  };
  const report = async (error: unknown) => {
    const { reportError } = await import('../commands/session.ts');
    process.exit(await reportError(error, host, readGlobals(argv)));
  };
  process.on('uncaughtException', report);
  process.on('unhandledRejection', report);
  // A supervisor has no terminal: whoever closes one, or sends HUP to everything, does not mean it.
  if (argv[0] === 'supervise') process.on('SIGHUP', () => undefined);
  if (argv[0] === 'supervise' || argv.includes('--foreground')) keepToOurselves();
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

/**
 * What a supervisor makes without saying for whom is for this user alone. Its engine has this user's own mask, because
 * several may share a model cache; but nobody else writes there: an engine's caches hold code that is run.
 */
function keepToOurselves(): void {
  const own = process.umask(0o077);
  process.env.QWEN_DEPLOY_UMASK = (own | 0o022).toString(8);
}
