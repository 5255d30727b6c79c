/** Facts of processes from /proc. Everything returns undefined, not an error, for a process that is gone. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { errnoOf } from './files.ts';

export interface ProcessFacts {
  readonly pid: number;
  readonly comm: string;
  /** Kernel state letter; Z and X are dead. */
  readonly state: string;
  readonly ppid: number;
  readonly session: number;
  /** Field 22: clock ticks since boot. With the pid and the boot id this is an identity. */
  readonly startTicks: number;
}

export async function readProcess(pid: number): Promise<ProcessFacts | undefined> {
  const text = readNow(`/proc/${pid}/stat`, (path) => readFileSync(path, 'utf8'));
  return text === undefined ? undefined : parseStat(text);
}

/** The name may hold spaces and brackets, so fields are counted from the last closing one. */
function parseStat(text: string): ProcessFacts | undefined {
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  const fields = text.slice(close + 2).split(' ');
  const [state, ppid, , session] = fields;
  const startTicks = fields[19];
  if (open < 0 || close < 0 || state === undefined || startTicks === undefined) return undefined;
  return {
    pid: Number(text.slice(0, open)),
    comm: text.slice(open + 1, close),
    state,
    ppid: Number(ppid),
    session: Number(session),
    startTicks: Number(startTicks),
  };
}

export function isDead(facts: ProcessFacts | undefined): facts is undefined {
  return facts === undefined || facts.state === 'Z' || facts.state === 'X';
}

/** Whether this very process is there, and no other with its number. */
export async function isAlive({ pid, startTicks }: Pick<ProcessFacts, 'pid' | 'startTicks'>): Promise<boolean> {
  const facts = await readProcess(pid);
  return !isDead(facts) && facts.startTicks === startTicks;
}

/** Of the kernel's interface, on every architecture that vLLM runs on. */
const ticksPerSecond = 100;

/** Clock ticks since boot, as in `startTicks`. */
export function readUptimeTicks(): number {
  return Math.round(Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * ticksPerSecond);
}

/** Files that are open at once while many processes are looked at: there may be more processes than descriptors. */
const atOnce = 64;

/** Every process that this user can see; those that end meanwhile are left out. */
export async function listProcesses(): Promise<readonly ProcessFacts[]> {
  const pids = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  const found = await inTurns(pids, readProcess);
  return found.filter((facts) => facts !== undefined);
}

/** `Promise.all` over a list of any length, a bounded number at a time, and others get their turn in between. */
export async function inTurns<T, R>(items: readonly T[], look: (item: T) => Promise<R>): Promise<R[]> {
  const found: R[] = [];
  for (let start = 0; start < items.length; start += atOnce) {
    // Many looks are done at once: thousands of processes in one go would hold up everything else.
    if (start > 0) await new Promise((resolve) => setImmediate(resolve));
    found.push(...(await Promise.all(items.slice(start, start + atOnce).map(look))));
  }
  return found;
}

/** What a descriptor points to; undefined when it cannot be read (gone, or another user's). */
export async function readDescriptor(pid: number, descriptor: number): Promise<string | undefined> {
  try {
    return readlinkSync(`/proc/${pid}/fd/${descriptor}`);
  } catch {
    // gone, closed or not ours: all mean that nothing can be said
    return undefined;
  }
}

/** The command line as one string; empty for kernel threads. */
export async function readCommandLine(pid: number): Promise<string> {
  const text = await readProcFile(`/proc/${pid}/cmdline`);
  return (text ?? '').replaceAll('\0', ' ').trim();
}

/** The kernel function a process waits in, where readable. */
export async function readWaitChannel(pid: number): Promise<string | undefined> {
  const text = await readProcFile(`/proc/${pid}/wchan`);
  return text === undefined || text === '' || text === '0' ? undefined : text;
}

let bootId: Promise<string> | undefined;

/** Changes at every boot: identities of processes do not reach over it. */
export function readBootId(): Promise<string> {
  bootId ??= readFile('/proc/sys/kernel/random/boot_id', 'utf8').then((text) => text.trim());
  return bootId;
}

async function readProcFile(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(toNothing);
}

/**
 * At once: what the kernel keeps of a process itself never waits, and costs a tenth of what a thread of the pool would.
 * Command lines, environments and maps do wait, for the memory of a process that hangs.
 */
function readNow<T>(path: string, read: (path: string) => T): T | undefined {
  try {
    return read(path);
  } catch (error) {
    return toNothing(error);
  }
}

/** It is gone, or not ours to see. */
function toNothing(error: unknown): undefined {
  const code = errnoOf(error);
  if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES' || code === 'EPERM') return undefined;
  throw error;
}
