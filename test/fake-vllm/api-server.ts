/** The stand-in's main process: vLLM's API server from its first line to its exit, with the switches thrown in. */
import { fstatSync, writeFileSync, writeSync } from 'node:fs';
import { createServer } from 'node:net';
import { waitFor } from '../../src/core/clock.ts';
import { parseServeArgs, type ServeArgs } from '../../src/runtime/simulator/args.ts';
import { type LogEntry, renderLogEntry } from '../../src/runtime/simulator/log.ts';
import { type SimulatorOptions, toSimulatorOptions } from '../../src/runtime/simulator/options.ts';
import { createSimulatorServer, type SimulatorServer } from '../../src/runtime/simulator/server.ts';
import { renderBindFailure, startStatsLog } from '../../src/runtime/simulator/server-log.ts';
import { runStartup, toReadyEntries } from '../../src/runtime/simulator/startup.ts';
import { eatMemory, spawnRole } from './children.ts';
import { endStarting, endStopped, failStart, outliveEngine } from './endings.ts';
import { type EngineProcess, startEngineProcess } from './engine-process.ts';
import { createFaultBox, type FaultBox } from './fault-box.ts';
import { createIntercept } from './intercept.ts';
import { startFlood, toSecretLines } from './log-faults.ts';
import { findRefusal, type Refusal } from './refusals.ts';
import { delayPhase } from './start-faults.ts';

const version = '0.32.0';

/** What the life of one stand-in consists of, growing as it starts. */
export interface Life {
  readonly box: FaultBox;
  readonly refusal: Refusal | undefined;
  readonly options: SimulatorOptions;
  readonly print: (entry: LogEntry) => void;
  readonly write: (text: string) => void;
  engine?: EngineProcess;
  server?: SimulatorServer;
  stopping: boolean;
}

export async function runApiServer(argv: readonly string[]): Promise<void> {
  const parsed = parseServeArgs(argv);
  if (parsed.is === 'version') return void process.stdout.write(`${version}\n`);
  const box = createFaultBox(process.env['FAKE_VLLM'] ?? '');
  if (parsed.is === 'usage') {
    process.stderr.write(`vllm: error: ${parsed.problem}\n`);
    process.exit(2);
  }
  // The name in `ps`; the command line stays, as with vLLM.
  writeFileSync('/proc/self/comm', 'vllm');
  const life = createLife(parsed.args, box);
  if (life.refusal?.at === 'words') {
    process.stderr.write(`usage: vllm serve [model_tag] [options]\n${life.refusal.line}\n`);
    process.exit(2);
  }
  watchSignals(life);
  await waitFor(box.faults.startDelayMs);
  life.write("Triton is installed, but doesn't include CPU backend. Disabling Triton.\n");
  startFlood(life);
  await refuseTakenPort(life);
  await runStartup(parsed.args, life.options, { print: life.print, beforePhase: (phase) => runPhase(life, phase) });
  await serve(life);
}

function createLife(args: ServeArgs, box: FaultBox): Life {
  const options = toSimulatorOptions(args, process.env);
  const [name, ...aliases] = options.servedNames;
  const write = fstatSync(1).isFile() ? writeToFile : (text: string) => void process.stdout.write(text);
  const life: Life = {
    box,
    refusal: findRefusal(box.faults.refuse, args),
    options: {
      ...options,
      servedNames: [box.faults.servedName ?? name, ...(box.faults.servedName === undefined ? aliases : [])],
      identity: { version, ownedBy: 'vllm', fingerprint: `vllm-${version}-fake`, headers: {} },
    },
    write,
    print: (entry) =>
      write(renderLogEntry(entry, { APIServer: process.pid, EngineCore: life.engine?.pid ?? 0, Worker: life.engine?.workerPid ?? 0 })),
    stopping: false,
  };
  return life;
}

/** Without room for a line it goes without: so does Python’s logging. */
function writeToFile(text: string): void {
  try {
    writeSync(1, text);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
  }
}

async function runPhase(life: Life, phase: string): Promise<void> {
  const { faults } = life.box;
  if (phase === 'configuring') for (const entry of toSecretLines(life)) life.print(entry);
  if (phase === 'engine') {
    life.engine = startEngineProcess({ workerLingerMs: faults.workerLingerMs, orphan: faults.orphan });
    void life.engine.died.then((which) => outliveEngine(life, which));
  }
  if (phase === 'loading') await life.engine?.ready;
  const extra = faults.phaseMs[phase] ?? 0;
  if (extra === Number.POSITIVE_INFINITY) await new Promise(() => undefined);
  await waitFor(extra);
  await delayPhase(life, phase);
  if (faults.exitAt?.phase === phase) await failStart(life, { stderr: faults.stderr, code: faults.exitAt.code });
  if (faults.oomAt === phase) await failStart(life, 'oom');
  if (life.refusal?.at === phase) await failStart(life, life.refusal);
}

async function serve(life: Life): Promise<void> {
  const { box, engine } = life;
  const server: SimulatorServer = createSimulatorServer(life.options, {
    log: (line) => life.write(`${line}\n`),
    intercept: createIntercept({
      box,
      act: (raw) => act(life, raw),
      crash: () => engine?.kill('engine'),
      renderMetrics: () => server.metrics.render(life.options.logStats),
    }),
    async step() {
      while (box.faults.hang) await waitFor(10);
      await engine?.step();
    },
  });
  await server.listen().catch((error: unknown) => failStart(life, { stderr: renderBindFailure(error), code: 1 }));
  life.server = server;
  if (box.faults.keepPort) spawnRole('__stray', [], { fd: toDescriptor(server) }).unref();
  for (const entry of toReadyEntries(process.pid)) life.print(entry);
  startStatsLog(server, life.print);
  const { exitAfter } = box.faults;
  if (exitAfter !== undefined) setTimeout(() => void failStart(life, { stderr: box.faults.stderr, code: exitAfter.code }), exitAfter.ms);
}

/** What a request to /__fault wants done at once. */
function act(life: Life, raw: Readonly<Record<string, unknown>>): void {
  if (raw['kill'] === 'engine' || raw['kill'] === 'worker') life.engine?.kill(raw['kill']);
  if (raw['resetCounters'] === true) life.server?.metrics.reset();
  if (raw['eat'] === 'api') eatMemory();
  if (raw['eat'] === 'engine') life.engine?.send({ type: 'eat' });
  if (typeof raw['exitNow'] === 'number') void failStart(life, { stderr: life.box.faults.stderr, code: raw['exitNow'] });
}

function watchSignals(life: Life): void {
  let swallowed = false;
  const onSignal = (signal: 'SIGTERM' | 'SIGINT') => {
    if (life.box.faults.ignoreSigterm || life.stopping) return;
    if (life.server === undefined && life.box.faults.swallowSigterm && !swallowed) {
      swallowed = true;
      return;
    }
    life.stopping = true;
    void (life.server === undefined ? endStarting(life, swallowed ? 'SIGINT' : signal) : endStopped(life, life.server));
  };
  // Ignored by its keeper, and Python leaves that as it is; Node does not.
  process.on('SIGHUP', () => undefined);
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}

/** vLLM binds its port right after the imports, so a port that is taken is found before the model is loaded. */
async function refuseTakenPort(life: Life): Promise<void> {
  const { host, port } = life.options;
  const problem = await new Promise<Error | undefined>((resolve) => {
    const trial = createServer();
    trial.once('error', resolve);
    trial.listen(port, host, () => trial.close(() => resolve(undefined)));
  });
  if (problem !== undefined) await failStart(life, { stderr: renderBindFailure(problem), code: 1 });
}

/** The listening socket's descriptor, which Node keeps to itself: a child that inherits it holds the port. */
function toDescriptor(server: SimulatorServer): number {
  const handle: unknown = Reflect.get(server.http, '_handle');
  return typeof handle === 'object' && handle !== null ? Number(Reflect.get(handle, 'fd')) : -1;
}
