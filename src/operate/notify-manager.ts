/**
 * What a supervisor tells the service manager that started it: that it is ready, how the deployment is, and that it
 * still works. Through the program systemd-notify: Node has no Unix datagrams.
 */
import { waitFor } from '../core/clock.ts';
import { say } from '../core/message.ts';
import { runProgram } from '../host/exec.ts';
import type { Signal } from '../supervisor/signal.ts';
import type { Supervisor } from '../supervisor/supervisor.ts';
import type { Context } from './context.ts';

const tellMs = 5000;
/** Where nobody waits for a ping, the status alone is worth a look now and then. */
const usualMs = 20_000;

/** A signal of no launch: the reducer ignores it, but only when its turn comes. */
const pulse: Signal = { type: 'progress', run: -1 };

export interface Notified {
  /** Says that the end has come. */
  end(): Promise<void>;
}

type Watched = Pick<Supervisor, 'send' | 'now' | 'observe'>;

/** Says READY=1, then goes on. Undefined when nobody wants to know. */
export function notifyManager(supervisor: Watched, context: Pick<Context, 'env' | 'emit'>): Notified | undefined {
  if (!isWanted(context.env)) return undefined;
  const ending = new AbortController();
  const told = keepTelling(supervisor, { context, signal: ending.signal });
  return {
    end() {
      ending.abort();
      return told;
    },
  };
}

/** The socket is inherited by whatever a service starts; the pid beside it says who is meant. */
function isWanted({ NOTIFY_SOCKET, WATCHDOG_PID, SYSTEMD_EXEC_PID }: NodeJS.ProcessEnv): boolean {
  const meant = WATCHDOG_PID ?? SYSTEMD_EXEC_PID;
  return Boolean(NOTIFY_SOCKET) && (meant === undefined || Number(meant) === process.pid);
}

interface Telling {
  readonly context: Pick<Context, 'env' | 'emit'>;
  readonly signal: AbortSignal;
}

async function keepTelling(supervisor: Watched, { context, signal }: Telling): Promise<void> {
  const limitMs = Number(context.env.WATCHDOG_USEC ?? 0) / 1000;
  let problem: string | undefined;
  const tell = async (lines: readonly string[]) => {
    const result = await runProgram('systemd-notify', lines, { env: context.env, timeoutMs: tellMs });
    const failed = result.code === 0 ? undefined : result.problem || result.stderr.trim() || `exit ${result.code ?? '?'}`;
    if (failed !== undefined && failed !== problem)
      context.emit({ type: 'said', level: 'warning', text: say('unit.not-told', { problem: failed }) });
    problem = failed;
  };
  let status = toStatus(supervisor);
  await tell(['READY=1', status]);
  while (!signal.aborted) {
    // Resolves when everything that was queued before it has been reduced and written. While the queue stands still there is no ping.
    await supervisor.send(pulse);
    const now = toStatus(supervisor);
    const lines = [...(limitMs > 0 ? ['WATCHDOG=1'] : []), ...(now === status ? [] : [now])];
    status = now;
    if (lines.length > 0) await tell(lines);
    await waitUntilNews(supervisor, { status, patienceMs: limitMs > 0 ? limitMs / 3 : usualMs, signal });
  }
  await tell(['STOPPING=1']);
}

function toStatus({ now }: Watched): string {
  return `STATUS=${now.name}: ${now.life}`;
}

async function waitUntilNews(
  supervisor: Watched,
  { status, patienceMs, signal }: { readonly status: string; readonly patienceMs: number; readonly signal: AbortSignal },
): Promise<void> {
  const news = new AbortController();
  const stopObserving = supervisor.observe(() => toStatus(supervisor) !== status && news.abort());
  if (toStatus(supervisor) === status) await waitFor(patienceMs, AbortSignal.any([signal, news.signal]));
  stopObserving();
}
