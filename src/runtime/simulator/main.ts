/**
 * The program of the `simulator` backend: the command line, endpoints, log and stop of `vllm serve` without a model.
 * A process of its own, so it owns its signals and its exit status.
 */
import { parseServeArgs, type ServeArgs } from './args.ts';
import { type LogEntry, renderLogEntry } from './log.ts';
import { simulatedIdentity, toSimulatorOptions } from './options.ts';
import { createSimulatorServer } from './server.ts';
import { renderBindFailure, startStatsLog } from './server-log.ts';
import { runStartup, toReadyEntries } from './startup.ts';
import { stopServer } from './stop.ts';

const parsed = parseServeArgs(process.argv.slice(2));
if (parsed.is === 'version') {
  process.stdout.write(`${simulatedIdentity.version}\n`);
} else if (parsed.is === 'usage') {
  process.stderr.write(`vllm: error: ${parsed.problem}\n`);
  process.exitCode = 2;
} else {
  void serve(parsed.args);
}

async function serve(args: ServeArgs): Promise<void> {
  const options = toSimulatorOptions(args, process.env);
  const write = (text: string) => void process.stdout.write(text);
  const pids = { APIServer: process.pid, EngineCore: process.pid, Worker: process.pid };
  const print = (entry: LogEntry) => write(renderLogEntry(entry, pids));
  write('qwen-deploy simulator: no vLLM and no model runs here; the lines below imitate vLLM and every answer is simulated.\n');
  await runStartup(args, options, { print });
  const server = createSimulatorServer(options, { log: (line) => write(`${line}\n`) });
  try {
    await server.listen();
  } catch (error) {
    process.stderr.write(renderBindFailure(error));
    process.exitCode = 1;
    return;
  }
  let stopping = false;
  const stop = () => {
    // As with vLLM, a second signal changes nothing.
    if (stopping) return;
    stopping = true;
    stats.cancel();
    void stopServer(server, { print }).then(() => process.exit(0));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  for (const entry of toReadyEntries(process.pid)) print(entry);
  const stats = startStatsLog(server, print);
}
