/** Runs vitest so that Ctrl-C leaves nothing behind: no sandbox, no supervisor and no engine of one. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Swept {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Standard output; what goes wrong is always shown. */
  readonly output: 'inherit' | 'ignore';
}

const signals = ['SIGINT', 'SIGTERM'] as const;

/** Resolves with its exit status. */
export function runSwept(args: readonly string[], { cwd, env, output }: Swept): Promise<number | null> {
  const directory = mkdtempSync(join(tmpdir(), 'qd-swept-'));
  const list = join(directory, 'sandboxes');
  // In a session of its own, so that a Ctrl-C comes to us alone, who end all of it.
  const stdio = ['ignore', output, 'inherit'] as const;
  const child = spawn('npx', ['vitest', ...args], { cwd, env: { ...env, QD_SANDBOXES: list }, stdio: [...stdio], detached: true });
  const endAll = () => {
    if (child.pid !== undefined) killQuietly(-child.pid);
    for (const home of readText(list).split('\n').filter(Boolean)) sweep(home);
    rmSync(directory, { recursive: true, force: true });
    process.exit(130);
  };
  for (const signal of signals) process.on(signal, endAll);
  return new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  }).finally(() => {
    for (const signal of signals) process.off(signal, endAll);
    rmSync(directory, { recursive: true, force: true });
  });
}

/** Again until nobody is left: what is ended may be started anew by its supervisor meanwhile. */
export function sweep(home: string): void {
  for (let turn = 0; turn < 5; turn += 1) {
    const own = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && belongs(name, home));
    for (const pid of own) killQuietly(Number(pid));
    if (own.length === 0) break;
  }
  rmSync(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}

/** By its command, its environment, or its log: vLLM's children have only the last one. */
function belongs(pid: string, home: string): boolean {
  if (Number(pid) === process.pid) return false;
  const texts = ['cmdline', 'environ'].map((name) => readText(`/proc/${pid}/${name}`));
  return [...texts, ...[1, 2].map((fd) => readLink(`/proc/${pid}/fd/${fd}`))].some((text) => text.includes(home));
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // already gone
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // not there, or no longer
    return '';
  }
}

function readLink(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    // no such descriptor, or gone
    return '';
  }
}
