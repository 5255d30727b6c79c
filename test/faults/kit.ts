/** What the fault matrix is played with: the built program in a sandbox of its own, the stand-in engine, and a look at both. */
import { expect } from 'vitest';
import type { DeploymentEvent } from '../../src/core/event.ts';
import type { Deployment } from '../../src/supervisor/deployment.ts';
import { type CliResult, eachInSandbox, eventually, type Sandbox, type Seen, toUpArgs } from '../scenarios/sandbox.ts';

export interface Kit {
  readonly box: Sandbox;
  readonly port: number;
  /** `up` that must end ready. `faults`: switches of the stand-in; `sets`: `key=value` for `--set`. */
  up(faults?: string, ...sets: readonly string[]): Promise<Deployment>;
  /** `up`, however it ends. */
  tryUp(faults?: string, ...sets: readonly string[]): Promise<CliResult>;
  status(): Promise<Deployment>;
  events(): Promise<readonly DeploymentEvent[]>;
  until(check: (seen: Deployment) => boolean, withinMs?: number): Promise<Deployment>;
  /** Another launch than this one, and ready. */
  untilReplaced(first: Deployment, withinMs?: number): Promise<Deployment>;
  setFaults(faults: object): Promise<void>;
  /** One completion; undefined when it was cut off. */
  complete(prompt: string, options?: { readonly tokens?: number; readonly signal?: AbortSignal }): Promise<number | undefined>;
  /** Processes of this sandbox whose command line begins so. */
  find(title: string): Promise<readonly Seen[]>;
}

/** Small delays, so that what is decided after minutes is decided after seconds. */
export const quick = ['restart.first-delay=100ms', 'stop.drain=1s'];
/** Hangs, too. */
export const quickHangs = [...quick, 'health.stall-after=1500ms', 'health.canary-interval=1s'];

export function openKit(): Kit {
  let made: { readonly box: Sandbox; readonly port: number };
  eachInSandbox((one) => {
    made = one;
  });
  const status = async () => (await made.box.cli('status', 'tiny', '-o', 'json')).json<Deployment>();
  const until = (check: (seen: Deployment) => boolean, withinMs = 20_000) => eventually(status, check, withinMs);
  const tryUp = (faults = '', ...sets: readonly string[]) =>
    made.box.cli(...toUpArgs(made.port, faults, ...sets.flatMap((set) => ['--set', set]), '-o', 'json'));
  return {
    get box() {
      return made.box;
    },
    get port() {
      return made.port;
    },
    tryUp,
    async up(faults, ...sets) {
      const result = await tryUp(faults, ...sets);
      expect(result.code, result.stderr + result.stdout).toBe(0);
      return result.json<Deployment>();
    },
    status,
    // None before there is a deployment.
    events: async () => (await made.box.cli('events', 'tiny', '-o', 'json')).json<{ events?: readonly DeploymentEvent[] }>().events ?? [],
    until,
    untilReplaced: (first, withinMs) => until(({ state, launchId }) => state === 'ready' && launchId !== first.launchId, withinMs),
    async setFaults(faults) {
      const reply = await post(made.port, '/__fault', faults);
      expect(reply.status).toBe(200);
      await reply.text();
    },
    complete: (prompt, { tokens = 4, signal } = {}) =>
      post(made.port, '/v1/completions', { model: 'Qwen3-0.6B', prompt, max_tokens: tokens }, signal)
        .then(async (reply) => reply.text().then(() => reply.status))
        .catch(() => undefined),
    find: async (title) => (await made.box.processes()).filter(({ command }) => command.startsWith(title)),
  };
}

function post(port: number, path: string, body: object, signal?: AbortSignal): Promise<Response> {
  return fetch(`http://127.0.0.1:${port}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    ...(signal === undefined ? {} : { signal }),
  });
}

/** The first event of a type, or undefined. */
export function findEvent<T extends DeploymentEvent['type']>(
  events: readonly DeploymentEvent[],
  type: T,
): Extract<DeploymentEvent, { type: T }> | undefined {
  return events.find((event): event is Extract<DeploymentEvent, { type: T }> => event.type === type);
}
