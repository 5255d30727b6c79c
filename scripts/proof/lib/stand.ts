/** One deployment of the stand-in engine in a sandbox of its own, run by the built program. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { DeploymentEvent } from '../../../src/core/event.ts';
import type { Deployment } from '../../../src/supervisor/deployment.ts';
import {
  type CliResult,
  createSandbox,
  eventually,
  fakeVllm,
  freePort,
  killQuietly,
  type Running,
  type Sandbox,
  type SandboxOptions,
} from '../../../test/scenarios/sandbox.ts';
import { undoOnSignal } from './undo.ts';

export interface StandOptions {
  /** Switches of the stand-in (test/fake-vllm/README.md). */
  readonly faults?: string;
  readonly sets?: readonly string[];
  readonly sandbox?: SandboxOptions;
  /** The real vLLM of the sandbox in place of the stand-in. */
  readonly real?: boolean;
  /** How long one token takes. */
  readonly tokenMs?: number;
}

export interface Stand {
  readonly box: Sandbox;
  readonly port: number;
  readonly upArgs: readonly string[];
  /** Throws where it does not end well. */
  up(): Promise<Deployment>;
  /** `up`, whatever comes of it. */
  startUp(): Running;
  down(...args: string[]): Promise<CliResult>;
  status(): Promise<Deployment>;
  /** As they are on disk. */
  events(): readonly DeploymentEvent[];
  /** The first event after number `seq` that is wanted. */
  untilEvent(seq: number, isWanted: (event: DeploymentEvent) => boolean, withinMs?: number): Promise<DeploymentEvent>;
  /** SIGKILL to the present supervisor; its pid, or undefined where there is none. */
  killSupervisor(): number | undefined;
  setFaults(faults: object): Promise<void>;
  place(...path: string[]): string;
  dispose(): Promise<void>;
}

const commandLimitMs = 600_000;
/** Longer than any proof: the stand-in's children leave after three minutes otherwise. */
const lifetimeMs = 6 * 3_600_000;

export async function openStand(options: StandOptions = {}): Promise<Stand> {
  const box = await createSandbox(options.sandbox);
  const port = await freePort();
  const upArgs = toArgs(port, options);
  const place = (...path: string[]) => join(box.home, 'qd', ...path);
  const directory = place('state/deployments/tiny');
  const events = () => readEvents(join(directory, 'events.ndjson'));
  const ends = new AbortController();
  const start = (args: readonly string[]) => startUntil(ends.signal, box, args);
  const forget = undoOnSignal(() => {
    ends.abort();
    return box.dispose();
  });
  return {
    box,
    port,
    upArgs,
    place,
    events,
    startUp: () => start(upArgs),
    async up() {
      const result = await start([...upArgs, '-o', 'json']).result;
      if (result.code !== 0) throw new Error(`up: exit ${result.code}: ${result.stderr}${result.stdout}`);
      return result.json<Deployment>();
    },
    down: (...args) => start(['down', 'tiny', ...args]).result,
    status: async () => (await box.cli('status', 'tiny', '-o', 'json')).json<Deployment>(),
    untilEvent: (seq, isWanted, withinMs = 60_000) => untilEvent(events, { seq, isWanted, withinMs }),
    killSupervisor: () => killSupervisor(join(directory, 'supervisor.lock')),
    setFaults: (faults) => setFaults(port, faults),
    dispose: () => (ends.signal.aborted ? new Promise(() => undefined) : box.dispose().finally(forget)),
  };
}

function toArgs(port: number, { faults = '', sets = [], real = false, tokenMs = 20 }: StandOptions): readonly string[] {
  const env = { FAKE_VLLM: faults, FAKE_VLLM_LIFETIME_MS: `${lifetimeMs}`, QWEN_DEPLOY_SIMULATED_TOKEN_MS: `${tokenMs}` };
  const engine = real ? [] : [`engine.executable=${fakeVllm}`, `engine.env=${JSON.stringify(env)}`];
  return ['up', '-p', 'tiny', ...[...engine, `server.port=${port}`, ...sets].flatMap((set) => ['--set', set])];
}

/** Both pieces: the file moves up at 5 MiB. A line that is being written is left out. */
function readEvents(path: string): readonly DeploymentEvent[] {
  const text = [`${path}.1`, path].map(readQuietly).join('');
  return text.split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line) as DeploymentEvent];
    } catch {
      // cut, or empty
      return [];
    }
  });
}

/** Once somebody wants an end, commands would start anew what is being ended: none goes on, and none answers. */
function startUntil(end: AbortSignal, box: Sandbox, args: readonly string[]): Running {
  const never = new Promise<CliResult>(() => undefined);
  if (end.aborted) return { pid: -1, result: never, stderr: () => '' };
  const running = startLimited(box, args);
  const kill = () => killQuietly(running.pid);
  end.addEventListener('abort', kill);
  const result = running.result.finally(() => end.removeEventListener('abort', kill));
  return { ...running, result: result.then((ended) => (end.aborted ? never : ended)) };
}

/** A command that never ends is one that failed: it is killed after a time that none should take. */
function startLimited(box: Sandbox, args: readonly string[]): Running {
  const running = box.start(...args);
  const timer = setTimeout(() => killQuietly(running.pid), commandLimitMs);
  const result = running.result.finally(() => clearTimeout(timer));
  return { ...running, result };
}

interface Wanted {
  readonly seq: number;
  readonly isWanted: (event: DeploymentEvent) => boolean;
  readonly withinMs: number;
}

async function untilEvent(events: Stand['events'], { seq, isWanted, withinMs }: Wanted): Promise<DeploymentEvent> {
  const look = async () => events().find((event) => event.seq > seq && isWanted(event));
  const found = await eventually(look, (event) => event !== undefined, withinMs);
  if (found === undefined) throw new Error('no such event');
  return found;
}

/** Only a process that is a supervisor: the number in the file may be an old one. */
function killSupervisor(lock: string): number | undefined {
  const pid = Number(readQuietly(lock).split('\n')[0]);
  if (!(pid > 1) || !readQuietly(`/proc/${pid}/cmdline`).includes('\0supervise\0')) return undefined;
  killQuietly(pid);
  return pid;
}

async function setFaults(port: number, faults: object): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const reply = await fetch(`http://127.0.0.1:${port}/__fault`, { method: 'POST', body: JSON.stringify(faults), headers });
  if (reply.status !== 200) throw new Error(`the stand-in refuses ${JSON.stringify(faults)}: ${await reply.text()}`);
}

export function readQuietly(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // not there, or no longer
    return '';
  }
}

export function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}
