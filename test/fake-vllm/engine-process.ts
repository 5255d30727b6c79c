/** The API server's hold on its EngineCore process. */
import type { ChildProcess } from 'node:child_process';
import { spawnRole, toSocket } from './children.ts';
import { type Message, openLink } from './link.ts';

export interface EngineProcess {
  readonly pid: number;
  /** 0 until it is up. */
  readonly workerPid: number;
  /** Both are up; never settles when they never are. */
  readonly ready: Promise<void>;
  /** Which of the two ended first. */
  readonly died: Promise<'engine' | 'worker'>;
  /** One step through EngineCore and Worker; never settles when one of them is stopped or gone. */
  step(): Promise<void>;
  send(message: Message): void;
  /** SIGKILL to one of the two. */
  kill(which: 'engine' | 'worker'): void;
  /** Asks both to end, or kills both; resolves when EngineCore is gone. */
  end(forced: boolean): Promise<void>;
}

export function startEngineProcess(settings: { readonly workerLingerMs: number; readonly orphan: boolean }): EngineProcess {
  const child = spawnRole('__engine-core', [String(settings.workerLingerMs), settings.orphan ? 'orphan' : 'plain']);
  const ready = withResolver<void>();
  const died = withResolver<'engine' | 'worker'>();
  const gone = withResolver<void>();
  const steps: (() => void)[] = [];
  let workerPid = 0;
  let workerDied = false;
  const link = openLink(toSocket(child), {
    onEnd: () => undefined,
    onMessage(message) {
      if (message.type === 'stepped') steps.shift()?.();
      if (message.type === 'worker-died') workerDied = true;
      if (message.type !== 'ready') return;
      workerPid = message.workerPid;
      ready.resolve();
    },
  });
  child.once('close', () => {
    died.resolve(workerDied ? 'worker' : 'engine');
    gone.resolve();
  });
  const kill = (which: 'engine' | 'worker') => killQuietly(which === 'engine' ? child.pid : workerPid);
  return {
    pid: child.pid ?? 0,
    get workerPid() {
      return workerPid;
    },
    ready: ready.promise,
    died: died.promise,
    step: () =>
      new Promise((resolve) => {
        steps.push(resolve);
        link.send({ type: 'step' });
      }),
    send: (message) => link.send(message),
    kill,
    end(forced) {
      if (forced) {
        kill('engine');
        kill('worker');
      } else link.send({ type: 'finish' });
      return isGone(child) ? Promise.resolve() : gone.promise;
    },
  };
}

function isGone(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

function killQuietly(pid: number | undefined): void {
  // 0 would be our own group.
  if (pid === undefined || pid === 0) return;
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // already gone, which is what was wanted
  }
}

function withResolver<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
