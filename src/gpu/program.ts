/**
 * Finds and runs nvidia-smi: by its absolute path, one at a time, and never for longer than it is given. On a GPU in a
 * bad state it hangs, now and then inside of the kernel, where no signal reaches it.
 */
import { access, constants, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import type { Finding } from '../core/finding.ts';
import { say } from '../core/message.ts';
import { type RunResult, runProgram } from '../host/exec.ts';

export type SmiProgram =
  | { readonly is: 'found'; readonly path: string; readonly problems: readonly Finding[] }
  | { readonly is: 'not-executable'; readonly path: string }
  | { readonly is: 'none' };

/** The first on PATH that may be run. On Windows' Linux subsystem it lies beside PATH. */
export async function findSmi(env: NodeJS.ProcessEnv, root: string): Promise<SmiProgram> {
  const directories = [...(env.PATH ?? '').split(delimiter).filter(isAbsolute), join(root, 'usr/lib/wsl/lib')];
  const files = await Promise.all(directories.map((directory) => inspect(join(directory, 'nvidia-smi'))));
  const found = files.find((file) => file?.runs);
  if (found) return { is: 'found', path: found.path, problems: toProblems(found) };
  const blocked = files.find((file) => file !== undefined);
  return blocked ? { is: 'not-executable', path: blocked.path } : { is: 'none' };
}

interface SmiFile {
  readonly path: string;
  readonly owner: number;
  readonly runs: boolean;
}

async function inspect(path: string): Promise<SmiFile | undefined> {
  try {
    const facts = await stat(path);
    if (!facts.isFile()) return undefined;
    const runs = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    return { path, owner: facts.uid, runs };
  } catch {
    // absent, a dangling link, or in a directory that is not ours to look into: none of them can be run
    return undefined;
  }
}

/** Owner of all files whose owner has no number in a user namespace: root's files in a rootless container. */
const overflowUser = 65_534;

function toProblems({ path, owner }: SmiFile): readonly Finding[] {
  if (owner === 0 || owner === overflowUser || owner === process.getuid?.()) return [];
  return [{ code: 'gpu/foreign-smi', severity: 'warning', message: say('gpu.foreign-smi', { path, owner }), evidence: path }];
}

export interface RunSmiOptions {
  readonly env: NodeJS.ProcessEnv;
  /** When to have answered, on the clock of `performance.now()`. */
  readonly deadline: number;
  readonly signal?: AbortSignal;
}

/** Settles by the deadline, whatever becomes of the program: then with `ETIMEDOUT`. */
export async function runSmi(path: string, args: readonly string[], options: RunSmiOptions): Promise<RunResult> {
  const over = waitForEnd(options);
  try {
    const turn = takeTurn(path);
    if (!(await Promise.race([turn.come.then(() => true), over.ended.then(() => false)]))) {
      turn.end();
      return toTimeout();
    }
    const left = options.deadline - performance.now();
    if (left <= 0 || options.signal?.aborted) {
      turn.end();
      return toTimeout();
    }
    const run = runProgram(path, args, { ...options, env: { ...options.env, LC_ALL: 'C' }, timeoutMs: toLimit(left) });
    // The turn lasts as long as the process, which may be longer than we wait.
    void run.finally(turn.end);
    return await Promise.race([run, over.ended.then(toTimeout)]);
  } finally {
    over.clear();
  }
}

/**
 * Program → the end of the run before. Of the process and not of a caller, because so is the card: two who ask at the
 * same time, or one who asks again while the first nvidia-smi hangs, must not start a second.
 */
const turns = new Map<string, Promise<void>>();

function takeTurn(path: string): { readonly come: Promise<void>; readonly end: () => void } {
  const come = turns.get(path) ?? Promise.resolve();
  let settle: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    settle = resolve;
  });
  const next = come.then(() => ended);
  turns.set(path, next);
  void next.then(() => turns.get(path) === next && turns.delete(path));
  return { come, end: settle };
}

/** What ignores the first signal is killed one second later (host/exec): that second is part of the time. */
const killDelayMs = 1200;

function toLimit(leftMs: number): number {
  return Math.ceil(leftMs > 3 * killDelayMs ? leftMs - killDelayMs : leftMs);
}

function waitForEnd({ deadline, signal }: RunSmiOptions): { readonly ended: Promise<void>; readonly clear: () => void } {
  let clear: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    const end = () => resolve();
    const timer = setTimeout(end, Math.max(0, deadline - performance.now()));
    signal?.addEventListener('abort', end, { once: true });
    clear = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
    };
  });
  return { ended, clear };
}

function toTimeout(): RunResult {
  return { code: undefined, signal: undefined, stdout: '', stderr: '', problem: 'ETIMEDOUT' };
}
