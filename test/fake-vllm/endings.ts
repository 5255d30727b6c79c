/** The ways in which the stand-in's main process ends. None of the functions that end it returns to its caller. */
import { waitFor } from '../../src/core/clock.ts';
import { toApiEntry, toUvicornEntry } from '../../src/runtime/simulator/log.ts';
import type { SimulatorServer } from '../../src/runtime/simulator/server.ts';
import { closeServer, stopServer } from '../../src/runtime/simulator/stop.ts';
import type { Life } from './api-server.ts';
import type { Refusal } from './refusals.ts';

const outOfMemory =
  'torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 46.00 MiB. GPU 0 has a total capacity of 23.55 GiB of which 32.56 MiB is free. Process 3881 has 23.51 GiB memory in use.';
const deadEngine =
  'vllm.v1.engine.exceptions.EngineDeadError: EngineCore encountered an issue. See stack trace (above) for the root cause.';
const failedInit = 'RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}';

/** A failure by itself: its text on stderr, its children killed, its code. */
export async function failStart(life: Life, how: { readonly stderr: string; readonly code: number } | Refusal | 'oom'): Promise<never> {
  life.stopping = true;
  if (how === 'oom') {
    const text = `EngineCore failed to start.\nTraceback (most recent call last):\n${outOfMemory}`;
    life.print({ process: 'EngineCore', level: 'ERROR', where: 'core.py:1138', text });
  }
  if (how !== 'oom' && 'line' in how && how.at !== 'configuring')
    life.print({ process: 'EngineCore', level: 'ERROR', where: 'core.py:1510', text: `${how.trace}\n${how.line}` });
  await life.engine?.end(true);
  const [stderr, code] = toLastWords(how);
  process.stderr.write(stderr === '' || stderr.endsWith('\n') ? stderr : `${stderr}\n`);
  process.exit(code);
}

function toLastWords(how: Parameters<typeof failStart>[1]): readonly [string, number] {
  if (how === 'oom') return [toTraceback(failedInit), 1];
  if ('stderr' in how) return [how.stderr, how.code];
  return [toTraceback(how.at === 'configuring' ? [how.trace, how.line].filter(Boolean).join('\n') : failedInit), 1];
}

/** A signal before it serves. The second one ends it as Python's interrupt does: killed by SIGINT. */
export async function endStarting(life: Life, signal: 'SIGTERM' | 'SIGINT'): Promise<never> {
  if (life.engine !== undefined) life.print(toApiEntry('utils.py:628', '[shutdown] Process manager: send sigterm to process EngineCore'));
  await life.engine?.end(true);
  if (signal === 'SIGINT') process.stderr.write(toTraceback('KeyboardInterrupt: terminated'));
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
  return new Promise(() => undefined);
}

/** A wanted stop: drain, end of the engine, exit 0. */
export async function endStopped(life: Life, server: SimulatorServer): Promise<never> {
  const { box, engine } = life;
  const { drainMs } = server.options;
  engine?.send({
    type: 'drain',
    mode: drainMs > 0 ? 'drain' : 'abort',
    seconds: Math.round(drainMs / 1000),
    inFlight: server.engine.inFlight,
  });
  await stopServer(server, {
    print: life.print,
    waitForClients: box.faults.hangOnClients,
    async endEngine(forced) {
      await waitFor(box.faults.stopDelayMs);
      if (forced)
        life.print(
          toApiEntry(
            'utils.py:653',
            `[shutdown] Process manager: force killing remaining process EngineCore pid ${engine?.pid}`,
            'WARNING',
          ),
        );
      // A stopped EngineCore hears nothing: it is killed at the limit, too.
      const late = setTimeout(() => void engine?.end(true), Math.max(drainMs, 100));
      await engine?.end(forced);
      clearTimeout(late);
    },
  });
  process.exit(0);
}

/** The engine died under it: 503, failed requests, and after a while an ordinary exit with status 0 (vllm#48966). */
export async function outliveEngine(life: Life, which: 'engine' | 'worker'): Promise<void> {
  const { server, print } = life;
  if (life.stopping) {
    // In the middle of a drain, as when the whole process group was signalled.
    if (server !== undefined && server.engine.inFlight > 0 && !life.box.faults.hangOnClients) {
      server.setMode('dead');
      server.engine.fail();
    }
    return;
  }
  if (server === undefined) return failStart(life, { stderr: toTraceback(failedInit), code: 1 });
  life.stopping = true;
  server.setMode('dead');
  if (which === 'engine')
    print(toApiEntry('core_client.py:817', '[shutdown] MPClient: engine core exited unexpectedly; starting cleanup', 'WARNING'));
  print(toApiEntry('async_llm.py:906', `AsyncLLM output_handler failed.\nTraceback (most recent call last):\n${deadEngine}`, 'ERROR'));
  server.engine.fail();
  await waitFor(life.box.faults.deathMs);
  await closeServer(server, print);
  print(toUvicornEntry(`Finished server process [${process.pid}]`));
  process.exit(0);
}

function toTraceback(last: string): string {
  return `Traceback (most recent call last):\n  File "/opt/vllm/bin/vllm", line 10, in <module>\n${last}\n`;
}
