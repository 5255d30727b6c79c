/** A person's machine in miniature: an empty home, the built program, and a look from outside at what it left. */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { appendFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect } from 'vitest';
import { waitFor } from '../../src/core/clock.ts';

export const root = fileURLToPath(new URL('../..', import.meta.url));
const mainFile = join(root, 'dist/main.js');
export const fakeVllm = join(root, 'test/fake-vllm/vllm');

export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The one document on standard output; the caller says which kind it is. */
  readonly json: <T = Readonly<Record<string, unknown>>>() => T;
}

export interface Running {
  readonly pid: number;
  readonly result: Promise<CliResult>;
  readonly stderr: () => string;
}

export interface Sandbox {
  readonly home: string;
  readonly env: NodeJS.ProcessEnv;
  /** Runs the built program with a closed standard input (never a terminal). */
  cli(...args: string[]): Promise<CliResult>;
  start(...args: string[]): Running;
  /** Processes that have anything of this home open, or were started from it; the proof of "nothing left". */
  processes(): Promise<readonly Seen[]>;
  dispose(): Promise<void>;
}

export interface Seen {
  readonly pid: number;
  readonly command: string;
}

export interface SandboxOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** A data directory's `engines` to share, so that nothing is installed anew. */
  readonly engines?: string;
}

export async function createSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const home = await mkdtemp(join(tmpdir(), 'qd-home-'));
  // For whoever has to clear up after a run that was cut off (scripts/faults/swept.ts).
  if (process.env.QD_SANDBOXES) await appendFile(process.env.QD_SANDBOXES, `${home}\n`);
  const env: NodeJS.ProcessEnv = {
    PATH: process.env.PATH,
    HOME: home,
    QWEN_DEPLOY_HOME: join(home, 'qd'),
    LANG: 'C.UTF-8',
    ...options.env,
  };
  if (options.engines) {
    await mkdir(join(home, 'qd/data'), { recursive: true, mode: 0o700 });
    await symlink(options.engines, join(home, 'qd/data/engines'));
  }
  const start = (...args: string[]) => run(args, { env, cwd: home });
  return {
    home,
    env,
    start,
    cli: (...args) => start(...args).result,
    processes: () => listOwn(home),
    async dispose() {
      await start('down', '--all', '--force').result;
      for (const { pid } of await listOwn(home)) killQuietly(pid);
      await rm(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    },
  };
}

/** A machine and a free port for each test of a file. */
export function eachInSandbox(begin: (made: { readonly box: Sandbox; readonly port: number }) => void): void {
  let box: Sandbox;
  beforeEach(async () => {
    box = await createSandbox();
    begin({ box, port: await freePort() });
  });
  afterEach(() => box.dispose());
}

function run(args: readonly string[], { env, cwd }: { env: NodeJS.ProcessEnv; cwd: string }): Running {
  const child = spawn(process.execPath, [mainFile, ...args], { env, cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const out = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => (out.stdout += chunk));
  child.stderr.on('data', (chunk) => (out.stderr += chunk));
  const result = new Promise<CliResult>((resolve) => {
    child.once('close', (code, signal) => {
      resolve({ code: code ?? (signal === 'SIGINT' ? 130 : 143), ...out, json: () => JSON.parse(out.stdout) });
    });
  });
  return { pid: child.pid ?? -1, result, stderr: () => out.stderr };
}

/** Read in one go: these files are memory of the kernel's, and asking for each by a thread takes five times the time. */
async function listOwn(home: string): Promise<readonly Seen[]> {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids
    .filter((pid) => touches(pid, home))
    .map((pid) => ({ pid: Number(pid), command: readText(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim() }));
}

function touches(pid: string, home: string): boolean {
  if (/^\S+ \(.*\) [ZX] /.test(readText(`/proc/${pid}/stat`))) return false;
  if (readText(`/proc/${pid}/cmdline`).includes(home)) return true;
  if (readText(`/proc/${pid}/environ`).includes(home) && Number(pid) !== process.pid) return true;
  return [1, 2].some((fd) => readTarget(`/proc/${pid}/fd/${fd}`).startsWith(home));
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // gone
  }
}

function readTarget(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return ''; // gone, or closed
  }
}

/** Never -1, which the kernel takes for every process that there is: whoever has no pid has no business here. */
export function killQuietly(pid: number, signal: NodeJS.Signals = 'SIGKILL'): void {
  if (pid <= 1) throw new Error(`no process to signal: ${pid}`);
  try {
    process.kill(pid, signal);
  } catch {
    // already gone
  }
}

/**
 * The first of `count` ports in a row that are free. Below those that the kernel gives to whoever asks for any, and
 * apart from those of the other workers: a port must stay free until the engine binds it.
 */
export async function freePort(count = 1): Promise<number> {
  const worker = Number(process.env.VITEST_POOL_ID ?? 0) % 8;
  for (;;) {
    const first = 16_000 + worker * 2000 + Math.floor(Math.random() * (2000 - count));
    const free = await Promise.all(Array.from({ length: count }, (_, index) => canListen(first + index)));
    if (free.every(Boolean)) return first;
  }
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

export function isPortOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

/**
 * Polls until the check holds; fails with what it saw last. Most looks are a command, a process of its own: asked without
 * pause, they would take the cores that what is waited for needs.
 */
export async function eventually<T>(look: () => Promise<T>, check: (seen: T) => boolean, withinMs = 15_000): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const asked = performance.now();
    const seen = await look();
    if (check(seen)) return seen;
    if (performance.now() > deadline) expect.fail(`still ${JSON.stringify(seen)} after ${withinMs} ms`);
    await waitFor(Math.min(Math.max(2 * (performance.now() - asked), 50), 250));
  }
}

export async function writeProfile(sandbox: Sandbox, name: string, text: string): Promise<string> {
  const path = join(sandbox.home, `${name}.yaml`);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
  return path;
}

/** `up` of the stand-in engine as `tiny`, with switches of the stand-in. */
export function toUpArgs(port: number, faults = '', ...more: string[]): string[] {
  const set = faults === '' ? [] : ['--set', `engine.env=${JSON.stringify({ FAKE_VLLM: faults })}`];
  return ['up', '-p', 'tiny', '--set', `engine.executable=${fakeVllm}`, '--set', `server.port=${port}`, ...set, ...more];
}

/** The supervisor itself lingers for a moment, so that others can read the last events. */
export function untilNothingIsLeft(box: Sandbox): Promise<readonly Seen[]> {
  return eventually(
    () => box.processes(),
    (seen) => seen.length === 0,
  );
}
