/** The one door to other programs (the only execa). Engines are started in `runtime/`, through `startDetached` here. */
import { waitFor } from '../core/clock.ts';

export interface RunResult {
  /** Undefined when it did not exit by itself (signal, time limit, not startable). */
  readonly code: number | undefined;
  readonly signal: string | undefined;
  readonly stdout: string;
  readonly stderr: string;
  /** Why it could not be run at all: `ENOENT`, `EACCES`, …; or `ETIMEDOUT`. */
  readonly problem: string | undefined;
}

export interface RunOptions {
  readonly timeoutMs?: number;
  /** The whole environment of the child; the default is this process's own. */
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly signal?: AbortSignal;
  /** Called with each finished line of stdout and stderr, as it comes. */
  readonly onLine?: (line: string) => void;
  readonly input?: string;
}

/** Longest output kept of one program, bytes. */
const outputCap = 8 * 2 ** 20;
/** What ignores SIGTERM is killed this much later, and has ended by so much after that. */
const killDelayMs = 1000;
const settleMs = 500;

/** Runs a program to its end. Never rejects for what the program does: failures are in the result. */
export async function runProgram(program: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  // Only imported when something is run: it is a quarter of all code, and most commands run nothing.
  const { execa } = await import('execa');
  const child = execa(program, args, {
    reject: false,
    stripFinalNewline: true,
    maxBuffer: outputCap,
    ...(options.input === undefined ? { stdin: 'ignore' } : { input: options.input }),
    ...(options.env ? { env: options.env, extendEnv: false } : {}),
    ...(options.cwd ? { cwd: options.cwd } : {}),
    ...(options.timeoutMs ? { timeout: options.timeoutMs, forceKillAfterDelay: killDelayMs } : {}),
    ...(options.signal ? { cancelSignal: options.signal } : {}),
  });
  if (options.onLine) {
    const onLine = options.onLine;
    forwardLines(child.stdout, onLine);
    forwardLines(child.stderr, onLine);
  }
  const result = await child;
  return {
    code: result.exitCode,
    signal: result.signal,
    stdout: result.stdout ?? '',
    stderr: result.stderr ?? '',
    problem: result.timedOut
      ? 'ETIMEDOUT'
      : result.failed && result.exitCode === undefined && !result.signal
        ? (result.code ?? 'failed')
        : undefined,
  };
}

/**
 * The same, and settles soon after its time limit whatever becomes of the program: one that hangs in the kernel does not
 * end by any signal, and one that has left a child behind keeps its output open. For looks that something waits for.
 */
export async function runBriefly(
  program: string,
  args: readonly string[],
  options: RunOptions & { readonly timeoutMs: number },
): Promise<RunResult> {
  const over = new AbortController();
  const late = waitFor(options.timeoutMs + killDelayMs + settleMs, over.signal).then(
    (): RunResult => ({ code: undefined, signal: undefined, stdout: '', stderr: '', problem: 'ETIMEDOUT' }),
  );
  try {
    return await Promise.race([runProgram(program, args, options), late]);
  } finally {
    over.abort();
  }
}

/** Progress bars redraw with carriage returns, so those end lines too. */
function forwardLines(stream: NodeJS.ReadableStream | undefined, onLine: (line: string) => void): void {
  let rest = '';
  stream?.on('data', (chunk: Buffer | string) => {
    const parts = (rest + String(chunk)).split(/[\r\n]+/);
    rest = parts.pop() ?? '';
    for (const part of parts) if (part) onLine(part);
  });
  stream?.on('end', () => rest && onLine(rest));
}

export interface DetachedExit {
  readonly code: number | undefined;
  readonly signal: string | undefined;
}

export interface Detached {
  readonly pid: number;
  readonly exited: Promise<DetachedExit>;
}

export interface DetachedOptions {
  readonly env: NodeJS.ProcessEnv;
  /** stdin, stdout, stderr and further descriptors; never pipes (they would tie the child's life to ours). */
  readonly stdio: readonly (number | 'ignore')[];
  readonly cwd?: string;
}

/**
 * Starts a program as leader of its own session and process group; it outlives this process.
 * Node's own spawn: execa types only descriptors 0 to 9, and an engine's log has whatever number it got.
 */
export async function startDetached(program: string, args: readonly string[], options: DetachedOptions): Promise<Detached> {
  const { spawn } = await import('node:child_process');
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      detached: true,
      env: options.env,
      stdio: [...options.stdio],
      ...(options.cwd ? { cwd: options.cwd } : {}),
    });
    const exited = new Promise<DetachedExit>((settle) => {
      child.once('exit', (code, signal) => settle({ code: code ?? undefined, signal: signal ?? undefined }));
    });
    child.once('error', reject);
    child.once('spawn', () => {
      child.unref();
      if (child.pid === undefined) return reject(new Error(`${program} has no pid`));
      resolve({ pid: child.pid, exited });
    });
  });
}
