/**
 * EngineCore, Worker and strays of the stand-in, with the manners of vLLM 0.32: an EngineCore or Worker whose API
 * server was killed lives on; a Worker whose EngineCore died lingers and then leaves; an EngineCore whose Worker died
 * says so and dies. Their environment is blank and their log is their parent's.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type LogEntry, type LogProcess, renderLogEntry } from '../../src/runtime/simulator/log.ts';
import { type Link, openLink, openParentLink } from './link.ts';

/** Real orphans live for ever; ours must not outlive the test run that forgot them by much. Long proofs ask for more. */
const lifetimeName = 'FAKE_VLLM_LIFETIME_MS';
const lifetime = process.env[lifetimeName] ?? '180000';

/** Starts this same program in another role. */
export function spawnRole(
  role: string,
  words: readonly string[],
  how: { readonly ownSession?: boolean; readonly fd?: number } = {},
): ChildProcess {
  return spawn(process.execPath, [fileURLToPath(import.meta.url), role, ...words], {
    env: lifetimeName in process.env ? { [lifetimeName]: lifetime } : {},
    detached: how.ownSession === true,
    stdio: ['ignore', 'inherit', 'inherit', how.fd ?? 'pipe'],
  });
}

/** The parent's side of descriptor 3. */
export function toSocket(child: ChildProcess): Socket {
  const socket = child.stdio[3];
  if (!(socket instanceof Socket)) throw new Error('descriptor 3 of a child is not a socket');
  return socket;
}

export function runEngineCore({ lingerMs, orphan }: { readonly lingerMs: number; readonly orphan: boolean }): void {
  process.title = 'VLLM::EngineCore';
  liveOn();
  const worker = spawnRole('__worker', [String(lingerMs)]);
  if (orphan) spawnRole('__stray', [], { ownSession: true }).unref();
  let ending = false;
  const parent: Link = openParentLink({
    onEnd: () => undefined,
    onMessage(message) {
      if (message.type === 'step') workerLink.send(message);
      if (message.type === 'drain') tellDrain(message);
      if (message.type === 'finish') end();
      if (message.type === 'eat') eatMemory();
    },
  });
  const workerLink: Link = openLink(toSocket(worker), {
    onEnd: () => undefined,
    onMessage: (message) => parent.send(message.type === 'ready' ? { type: 'ready', workerPid: worker.pid ?? 0 } : message),
  });
  const end = () => {
    ending = true;
    tell('core.py:1666', '[shutdown] EngineCore: request processing complete; starting resource teardown');
    tell('core.py:1499', '[shutdown] EngineCore: exiting busy loop');
    tell('multiproc_executor.py:479', '[shutdown] Executor: waiting for worker exit count=1');
    worker.kill('SIGTERM');
  };
  worker.once('exit', () => {
    if (!ending) tellWorkerDeath(parent);
    else tell('multiproc_executor.py:486', '[shutdown] Executor: all workers exited gracefully');
    // Written data leaves before the exit: socket pairs are written at once.
    process.exit(ending ? 0 : 1);
  });
  process.on('SIGTERM', () => {
    tell('core.py:1454', '[shutdown] EngineCore: trigger received signal=SIGTERM');
    end();
  });
  process.on('SIGINT', () => undefined);
}

export function runWorker({ lingerMs }: { readonly lingerMs: number }): void {
  process.title = 'VLLM::Worker';
  liveOn();
  const parent = openParentLink({
    onMessage: (message) => message.type === 'step' && parent.send({ type: 'stepped' }),
    onEnd() {
      write({ process: 'Worker', where: 'multiproc_executor.py:843', text: 'Parent process exited, terminating worker queues' });
      setTimeout(() => process.exit(0), lingerMs);
    },
  });
  process.on('SIGTERM', () => process.exit(0));
  process.on('SIGINT', () => undefined);
  parent.send({ type: 'ready', workerPid: process.pid });
}

/** Ends for nobody but SIGKILL; holds what it inherited on descriptor 3. */
export function runStray(): void {
  process.title = 'VLLM::Worker';
  liveOn();
  process.on('SIGTERM', () => undefined);
  process.on('SIGINT', () => undefined);
}

/** More and more, every page of it touched, until somebody ends it. */
export function eatMemory(): void {
  const eaten: Buffer[] = [];
  setInterval(() => eaten.push(Buffer.alloc(16 * 2 ** 20, 1)), 5);
}

function liveOn(): void {
  setTimeout(() => process.exit(0), Number(lifetime));
  process.on('SIGHUP', () => undefined);
}

function tellDrain(order: { readonly mode: string; readonly seconds: number; readonly inFlight: number }): void {
  tell('core.py:1454', '[shutdown] EngineCore: trigger received signal=SIGTERM');
  tell('core.py:1635', `[shutdown] EngineCore: start mode=${order.mode} timeout=${order.seconds}s`);
  if (order.inFlight === 0) return;
  const text =
    order.mode === 'drain'
      ? `draining in-flight requests count=${order.inFlight} timeout=${order.seconds}s`
      : `aborting in-flight requests count=${order.inFlight}`;
  tell('core.py:1655', `[shutdown] EngineCore: ${text}`);
}

function tellWorkerDeath(parent: Link): void {
  parent.send({ type: 'worker-died' });
  tell('multiproc_executor.py:315', 'Worker proc VllmWorker-0 died unexpectedly (exit code: None), shutting down executor.', 'ERROR');
  tell(
    'core.py:1512',
    'EngineCore encountered a fatal error.\nTraceback (most recent call last):\nRuntimeError: Executor failed.',
    'ERROR',
  );
}

function tell(where: string, text: string, level: LogEntry['level'] = 'INFO'): void {
  write({ process: 'EngineCore', where, text, level });
}

function write(entry: LogEntry & { readonly process: LogProcess }): void {
  const pids = { APIServer: process.pid, EngineCore: process.pid, Worker: process.pid };
  writeSync(1, renderLogEntry(entry, pids));
}
