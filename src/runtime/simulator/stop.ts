/**
 * A stop as vLLM does it: requests in flight may go on for the drain limit while `/health` stays 200 and new requests
 * are refused; what is left at the limit ends with the engine; a limit of 0 aborts at once.
 */
import type { LogEntry } from './log.ts';
import { toApiEntry, toUvicornEntry } from './log.ts';
import type { SimulatorServer } from './server.ts';

export interface StopSettings {
  readonly print: (entry: LogEntry) => void;
  /** Ends whatever else belongs to the engine; `forced` when the drain limit has passed. */
  readonly endEngine?: (forced: boolean) => Promise<void>;
  /** At the drain limit, leave open streams without a word until their clients hang up, as vLLM mostly does. */
  readonly waitForClients?: boolean;
}

export async function stopServer(server: SimulatorServer, settings: StopSettings): Promise<void> {
  const { print } = settings;
  const { drainMs } = server.options;
  const seconds = Math.round(drainMs / 1000);
  print(toApiEntry('launcher.py:254', '[shutdown] API server: shutdown triggered'));
  print(
    toApiEntry(
      'launcher.py:270',
      `[shutdown] API server: stopping engine client mode=${drainMs > 0 ? 'drain' : 'abort'} timeout=${seconds}s`,
    ),
  );
  print(toApiEntry('core_client.py:770', `[shutdown] MPClient: start timeout=${seconds}s`));
  print(toApiEntry('core_client.py:772', '[shutdown] MPClient: stopping engine manager'));
  print(toApiEntry('utils.py:628', '[shutdown] Process manager: send sigterm to process EngineCore'));
  server.setMode('draining');
  if (drainMs === 0) server.engine.abortAll();
  await server.engine.waitUntilIdle(AbortSignal.timeout(drainMs));
  const forced = server.engine.inFlight > 0;
  if (forced) print(toApiEntry('utils.py:648', '[shutdown] Process manager: force killing remaining processes count=1', 'WARNING'));
  await settings.endEngine?.(forced);
  if (forced && settings.waitForClients !== true) server.engine.fail();
  server.engine.halt();
  for (const text of ['engine manager stopped', 'cleaning up background resources', 'complete']) {
    print(toApiEntry('core_client.py:774', `[shutdown] MPClient: ${text}`));
  }
  print(toApiEntry('launcher.py:279', '[shutdown] API server: engine client stopped'));
  print(toApiEntry('launcher.py:282', '[shutdown] API server: signalling HTTP server shutdown'));
  print(toApiEntry('launcher.py:304', '[shutdown] API server: shutting down FastAPI HTTP server'));
  await closeServer(server, print);
}

/** uvicorn's end: no new connections, then a wait for the open ones. */
export async function closeServer(server: SimulatorServer, print: StopSettings['print']): Promise<void> {
  print(toUvicornEntry('Shutting down'));
  const closed = new Promise<void>((resolve) => server.http.close(() => resolve()));
  // A kept-alive connection whose answer ends now would otherwise hold the server for its idle time.
  const sweep = setInterval(() => server.http.closeIdleConnections(), 20);
  if (server.engine.inFlight > 0) print(toUvicornEntry('Waiting for connections to close. (CTRL+C to force quit)'));
  await closed;
  clearInterval(sweep);
  print(toUvicornEntry('Waiting for application shutdown.'));
  print(toUvicornEntry('Application shutdown complete.'));
}
