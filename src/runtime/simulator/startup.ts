/** vLLM's way to its first answer, as its log tells it: the phases and the lines that mark them. */
import { waitFor } from '../../core/clock.ts';
import type { StartPhase } from '../../core/event.ts';
import type { ServeArgs } from './args.ts';
import { type LogEntry, toApiEntry, toUvicornEntry } from './log.ts';
import type { SimulatorOptions } from './options.ts';

export interface StartupPhase {
  readonly phase: StartPhase;
  readonly entries: readonly LogEntry[];
}

export interface StartupWatcher {
  /** Awaited before a phase's lines are printed. */
  readonly beforePhase?: (phase: StartPhase) => Promise<void>;
  readonly print: (entry: LogEntry) => void;
}

/** Everything up to the line before the port answers; `startMs` is spread evenly over the phases. */
export async function runStartup(args: ServeArgs, options: SimulatorOptions, watcher: StartupWatcher): Promise<void> {
  const phases = toStartupPhases(args, options);
  for (const { phase, entries } of phases) {
    await watcher.beforePhase?.(phase);
    for (const entry of entries) watcher.print(entry);
    await waitFor(options.startMs / phases.length);
  }
}

function toStartupPhases(args: ServeArgs, options: SimulatorOptions): readonly StartupPhase[] {
  const all: readonly StartupPhase[] = [
    { phase: 'configuring', entries: toConfiguringEntries(args, options) },
    { phase: 'engine', entries: [toEngineEntry(options)] },
    { phase: 'loading', entries: toLoadingEntries(options) },
    { phase: 'compiling', entries: [engine('monitor.py:53', 'torch.compile took 0.01 s in total')] },
    { phase: 'kv-cache', entries: toCacheEntries(options) },
    { phase: 'capturing', entries: [engine('gpu_model_runner.py:5999', 'Graph capturing finished in 0 secs, took 0.00 GiB')] },
    { phase: 'warming', entries: [engine('core.py:402', 'init engine (profile, create kv cache, warmup model) took 0.02 s')] },
    { phase: 'listening', entries: toListeningEntries(options) },
  ];
  return options.eager ? all.filter(({ phase }) => phase !== 'compiling' && phase !== 'capturing') : all;
}

/** Printed once the port answers. */
export function toReadyEntries(pid: number): readonly LogEntry[] {
  return [`Started server process [${pid}]`, 'Waiting for application startup.', 'Application startup complete.'].map(toUvicornEntry);
}

function toConfiguringEntries(args: ServeArgs, options: SimulatorOptions): readonly LogEntry[] {
  const entries = [
    toApiEntry('api_utils.py:347', `vLLM server version ${options.identity.version}, serving model ${options.model}`),
    toApiEntry('api_utils.py:286', `non-default args: ${renderArgs(args)}`),
    toApiEntry('model.py:733', 'Resolved architecture: Qwen3ForCausalLM'),
    toApiEntry('model.py:2152', `Using max model len ${options.maxModelLen}`),
  ];
  const eager =
    'Enforce eager set, disabling torch.compile, CUDAGraphs, and JIT kernel warmup. This is equivalent to setting -cc.mode=none -cc.cudagraph_mode=none';
  return options.eager ? [...entries, toApiEntry('vllm.py:1703', eager, 'WARNING')] : entries;
}

function toEngineEntry(options: SimulatorOptions): LogEntry {
  const config = `model='${options.model}', tokenizer='${options.model}', dtype=torch.bfloat16, max_seq_len=${options.maxModelLen}, served_model_name=${options.servedNames[0]}`;
  return engine('core.py:133', `Initializing a V1 LLM engine (v${options.identity.version}) with config: ${config}`);
}

function toLoadingEntries(options: SimulatorOptions): readonly LogEntry[] {
  return [
    worker('cpu_model_runner.py:68', `Starting to load model ${options.model}...`),
    worker('default_loader.py:384', 'Loading weights took 0.01 seconds'),
  ];
}

function toCacheEntries({ kvTokens, maxModelLen }: SimulatorOptions): readonly LogEntry[] {
  const size = `CPU KV cache size: ${toThousands(kvTokens)} tokens`;
  const concurrency = `Maximum concurrency for ${toThousands(maxModelLen)} tokens per request: ${(kvTokens / maxModelLen).toFixed(2)}x`;
  return [engine('kv_cache_utils.py:2327', `${size}, ${concurrency}`)];
}

function toListeningEntries({ host, port }: SimulatorOptions): readonly LogEntry[] {
  return [
    toApiEntry('entry.py:136', "Supported tasks: ['generate']"),
    toApiEntry('entry.py:140', `Starting vLLM server on http://${host}:${port}`),
    toApiEntry('launcher.py:186', 'Available routes are:'),
  ];
}

function engine(where: string, text: string): LogEntry {
  return { process: 'EngineCore', where, text };
}

function worker(where: string, text: string): LogEntry {
  return { process: 'Worker', where, text };
}

/** As Python prints a dictionary; keys are not repeated in a log. */
function renderArgs({ model, flags }: ServeArgs): string {
  const pairs = [...flags].map(([name, words]) => `'${name.replaceAll('-', '_')}': ${name === 'api-key' ? "['***']" : renderWords(words)}`);
  return `{${[`'model_tag': '${model}'`, ...pairs].join(', ')}}`;
}

function renderWords(words: readonly string[]): string {
  const rendered = words.map((word) => (/^-?\d+(\.\d+)?$/.test(word) ? word : `'${word}'`));
  if (rendered.length > 1) return `[${rendered.join(', ')}]`;
  return rendered[0] ?? 'True';
}

function toThousands(value: number): string {
  return String(value).replaceAll(/\B(?=(\d{3})+$)/g, ',');
}
