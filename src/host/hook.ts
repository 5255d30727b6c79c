/** Small programs of the person that are told something and end soon; whatever they do, we go on. */
import type { ChildProcess } from 'node:child_process';
import { waitFor } from '../core/clock.ts';
import { errnoOf } from './files.ts';

export interface HookOptions {
  /** The whole environment of it. */
  readonly env: Readonly<Record<string, string>>;
  /** Given on standard input. */
  readonly input: string;
  /** After this, or when the signal aborts, it is ended with all that it started in its process group. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface HookResult {
  readonly code?: number;
  /** Why it has no exit code: `ENOENT`, `ETIMEDOUT`, `EABORT`, the name of a signal, … */
  readonly problem?: string;
  /** The last line that it wrote on standard error. */
  readonly line?: string;
}

const errorCap = 4096;
/** What it wrote last may be read a moment after it has ended. */
const lastWordsMs = 100;

/**
 * Never rejects. Not through `runProgram`: that one waits for everybody who holds the program's output, and a
 * background job of a script would keep us for as long as it lives.
 */
export async function runHook([program = '', ...args]: readonly string[], options: HookOptions): Promise<HookResult> {
  try {
    return await run(program, args, options);
  } catch (error) {
    return { problem: errnoOf(error) ?? String(error) };
  }
}

async function run(program: string, args: readonly string[], { env, input, timeoutMs, signal }: HookOptions): Promise<HookResult> {
  const { spawn } = await import('node:child_process');
  const child = spawn(program, args, { env: { ...env }, cwd: '/', detached: true, stdio: ['pipe', 'ignore', 'pipe'] });
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const ended = new Promise<HookResult>((resolve) => {
    child.once('error', (error) => resolve({ problem: errnoOf(error) ?? error.message }));
    child.once('exit', (code, name) => resolve(code === null ? { problem: String(name) } : { code }));
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + String(chunk)).slice(-errorCap);
  });
  // It need not read what it is told.
  for (const stream of [child.stdin, child.stderr]) stream.on('error', () => undefined);
  child.stdin.end(input);
  const given = new AbortController();
  const stopped = waitUntilStopped({ timeoutMs, signal, ended: given.signal });
  const first = await Promise.race([ended, stopped]);
  given.abort();
  if (typeof first === 'string') killGroup(child);
  const result: HookResult = typeof first === 'string' ? { problem: first } : first;
  await Promise.race([closed, waitFor(lastWordsMs)]);
  child.stderr.destroy();
  child.stdin.destroy();
  const line = said.trim().split('\n').at(-1)?.trim();
  return { ...result, ...(line ? { line } : {}) };
}

interface Limits {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly ended: AbortSignal;
}

async function waitUntilStopped({ timeoutMs, signal, ended }: Limits): Promise<string> {
  await waitFor(timeoutMs, AbortSignal.any([signal, ended]));
  return signal.aborted ? 'EABORT' : 'ETIMEDOUT';
}

/** Only while its end was not seen: until then its number is nobody else's, nor that of the group that it leads. */
function killGroup({ pid, exitCode, signalCode }: ChildProcess): void {
  if (pid === undefined || exitCode !== null || signalCode !== null) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // it has ended in this very moment
  }
}
