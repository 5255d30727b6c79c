/** What a runtime is looked at on: how launches of it are ordered, and how they are seen from outside, without asking it. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { probePort } from '../../src/host/net.ts';
import { readBootId } from '../../src/host/proc.ts';
import type { LaunchResources, LaunchSpec } from '../../src/plan/launch-spec.ts';
import type { LaunchOrder, LaunchRecord, Runtime } from '../../src/runtime/runtime.ts';
import { makeSpec } from '../supervisor/make.ts';

export interface Stage {
  /** A runtime that knows of nothing but what it is told: each call is another supervisor's. */
  openRuntime(): Runtime;
  order(wish?: Wish): Promise<LaunchOrder>;
  /** The same for a program, or an image, that is not there. */
  toImpossible(order: LaunchOrder): LaunchOrder;
  /** The engine's main process, as this machine numbers it. */
  findMain(record: LaunchRecord): Promise<number>;
  /** Live processes of a launch, by other marks than the runtime's own handle. */
  findAlive(record: LaunchRecord): Promise<readonly number[]>;
  /** What anybody may see of it who is told what runs here, beside command lines and log. */
  readPublic(record: LaunchRecord): Promise<string>;
  /** Whatever a launch may leave that is not a process: directories, containers. */
  findLeft(record: LaunchRecord): Promise<readonly string[]>;
  /** Records that look like this one and mean another engine. */
  toStrangers(record: LaunchRecord): readonly LaunchRecord[];
  dispose(): Promise<void>;
}

export interface Wish {
  /** Switches of the stand-in engine (test/fake-vllm/README.md). */
  readonly faults?: Readonly<Record<string, unknown>>;
  readonly resources?: LaunchResources;
  readonly secrets?: Readonly<Record<string, string>>;
}

/** What a case may need beyond the bare promise. */
export type Ability =
  /** The stand-in engine runs, with its switches and its children. */
  | 'faults'
  /** The end of the main process leaves the others alive. */
  | 'orphans'
  /** Caps of memory and processes hold on every machine. */
  | 'caps';

export type StageName = 'simulator' | 'process' | 'docker' | 'podman';

export const abilities: Readonly<Record<StageName, readonly Ability[]>> = {
  simulator: [],
  process: ['faults', 'orphans'],
  docker: ['faults', 'caps'],
  podman: ['faults', 'caps'],
};

/** How one stage starts an engine. */
export interface EngineWay {
  readonly directory: string;
  readonly backend: LaunchSpec['backend'];
  readonly program: string;
  /** Words before `serve`. */
  readonly before?: readonly string[];
  /** Where the server listens, where that is not the endpoint. */
  readonly inside?: { readonly host: string; readonly port: number };
  readonly container?: LaunchSpec['container'];
}

/** Waits for an answer that is being given for longer than any case lets one take. */
const drainSeconds = 30;

export async function makeOrder(way: EngineWay, { faults, resources = {}, secrets = {} }: Wish = {}): Promise<LaunchOrder> {
  const free = await probePort('127.0.0.1', 0);
  if (free.is !== 'free') throw new Error(`no port is free: ${free.is}`);
  const [launchId, endpoint] = [randomUUID(), { host: '127.0.0.1', port: free.port }];
  const { host, port } = way.inside ?? endpoint;
  const at = (name: string) => join(way.directory, launchId, name);
  const listen = ['--host', host, '--port', String(port), '--shutdown-timeout', String(drainSeconds)];
  const spec = makeSpec({
    backend: way.backend,
    program: way.program,
    args: [...(way.before ?? []), 'serve', 'Qwen/Qwen3-0.6B', ...listen],
    env: faults === undefined ? {} : { FAKE_VLLM: JSON.stringify(faults) },
    secretEnv: Object.fromEntries(Object.keys(secrets).map((name) => [name, `env:${name}` as const])),
    endpoint,
    resources,
    drainMs: drainSeconds * 1000,
    ...(way.container === undefined ? {} : { container: way.container }),
  });
  const record: LaunchRecord = {
    launchId,
    run: 1,
    backend: way.backend,
    createdAt: new Date().toISOString(),
    bootId: await readBootId(),
    logFile: at('engine.log'),
    exitFile: at('exit.json'),
    tmpDir: at('tmp'),
    ...endpoint,
  };
  return { deployment: 'contract', spec, record, secrets };
}
