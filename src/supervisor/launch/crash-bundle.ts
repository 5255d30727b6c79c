/**
 * What can be seen of an engine that hangs, written down before it is ended: afterwards nobody can ask it any more.
 * Bounded in time and size, without secrets, the last ten are kept. Whatever cannot be had is left out; nothing here
 * may hold up the end of the engine.
 */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir, hostname } from 'node:os';
import { join } from 'node:path';
import { createRedactor } from '../../core/redact.ts';
import { runBriefly } from '../../host/exec.ts';
import { readCommandLine, readWaitChannel } from '../../host/proc.ts';
import { readLastLines } from '../../host/tail.ts';
import type { State } from '../state.ts';

export interface CrashBundle {
  readonly state: State;
  /** Where the bundles of the deployment lie. */
  readonly directory: string;
  /** Processes of the launch. */
  readonly pids: readonly number[];
  /** The last pages of `/metrics`, oldest first. */
  readonly pages: readonly string[];
  /** Values that must not stand in it. */
  readonly secrets: readonly string[];
  readonly signal: AbortSignal;
}

const bundlesMost = 10;
const logLines = 500;
const fileCapBytes = 2 * 2 ** 20;
const processesMost = 32;
const programMs = 5000;

/** The directory, which is named after the launch. Rejects only when the directory itself cannot be made. */
export async function writeCrashBundle(bundle: CrashBundle): Promise<string> {
  const { state, directory, signal } = bundle;
  const path = join(directory, `${state.launch?.launchId ?? `run-${state.run}`}`);
  await mkdir(path, { recursive: true, mode: 0o700 });
  const redact = createRedactor({ secrets: bundle.secrets, home: homedir(), hostname: hostname() });
  const write = async (name: string, text: string | undefined) => {
    if (text === undefined || text === '' || signal.aborted) return;
    await writeFile(join(path, name), redact(text).slice(-fileCapBytes), { mode: 0o600 });
  };
  const work = [
    write('about.json', toAbout(state)),
    ...bundle.pages.map((page, index) => write(`metrics-${index + 1}.txt`, page)),
    readLog(state).then((text) => write('log.txt', text)),
    ...bundle.pids.slice(0, processesMost).map((pid) => describeProcess(pid, signal).then((text) => write(`process-${pid}.txt`, text))),
    describeGpus(signal).then((text) => write('nvidia-smi.txt', text)),
    describeMemory().then((text) => write('memory.txt', text)),
  ];
  await Promise.allSettled(work);
  await prune(directory);
  return path;
}

function toAbout({ name, run, launch, wanted, ending, health, startedAt, readyAt }: State): string {
  const { spec, profile } = wanted;
  const about = { deployment: name, profile, run, launchId: launch?.launchId, ending, health, startedAt, readyAt };
  const served = { engineVersion: spec.engineVersion, program: spec.program, args: spec.args, model: spec.model, hash: spec.hash };
  return `${JSON.stringify({ kind: 'CrashBundle', version: 1, ...about, ...served }, undefined, 2)}\n`;
}

async function readLog({ launch }: State): Promise<string | undefined> {
  if (launch === undefined) return undefined;
  return (await readLastLines(launch.logFile, logLines)).join('\n');
}

/** What the kernel says of a process; its stack only where we may see it (root), Python's where py-spy is installed. */
async function describeProcess(pid: number, signal: AbortSignal): Promise<string> {
  const [command, channel, status, stack, python] = await Promise.all([
    readCommandLine(pid),
    readWaitChannel(pid),
    readFile(`/proc/${pid}/status`, 'utf8').catch(() => ''),
    readFile(`/proc/${pid}/stack`, 'utf8').catch(() => ''),
    runQuietly('py-spy', ['dump', '--pid', String(pid)], signal),
  ]);
  return [`command: ${command}`, `wchan: ${channel ?? '?'}`, status, stack && `stack:\n${stack}`, python && `py-spy:\n${python}`]
    .filter((part) => part !== '')
    .join('\n');
}

async function describeGpus(signal: AbortSignal): Promise<string> {
  return runQuietly('nvidia-smi', ['-q'], signal);
}

async function describeMemory(): Promise<string> {
  const files = ['/proc/meminfo', '/proc/pressure/memory', '/sys/fs/cgroup/memory.events'];
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8').catch(() => '')));
  return files.flatMap((file, index) => (texts[index] ? [`${file}\n${texts[index]}`] : [])).join('\n');
}

/** Empty when there is no such program, or when it says nothing in time. */
async function runQuietly(program: string, args: readonly string[], signal: AbortSignal): Promise<string> {
  const { stdout } = await runBriefly(program, args, { timeoutMs: programMs, signal });
  return stdout;
}

/** Names begin with the time of the launch, so that the oldest come first. */
async function prune(directory: string): Promise<void> {
  const names = (await readdir(directory).catch(() => [])).sort();
  const old = names.slice(0, Math.max(0, names.length - bundlesMost));
  await Promise.all(old.map((name) => rm(join(directory, name), { recursive: true, force: true })));
}
