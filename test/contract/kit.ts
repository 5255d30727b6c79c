/** Hands and eyes of the cases: launches that are ended with their case, and questions to a running engine. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { findGroup } from '../../src/host/container-group.ts';
import { readTextFile } from '../../src/host/files.ts';
import type { Instance, LaunchOrder, LaunchRecord } from '../../src/runtime/runtime.ts';
import type { Stage, Wish } from './stage.ts';

/** How long anything may take that is expected: a slow machine is no failure. */
export const patienceMs = 60_000;

const askMs = 2000;

export interface Kit {
  readonly stage: Stage;
  launch(wish?: Wish): Promise<Instance>;
  launchOrder(order: LaunchOrder): Promise<Instance>;
  /** Launched, and its endpoint answers. */
  launchReady(wish?: Wish): Promise<Instance>;
  /** Ends whatever the case has started. */
  end(): Promise<void>;
}

export function openKit(stage: Stage): Kit {
  const launched = new Map<string, LaunchRecord>();
  const kit: Kit = {
    stage,
    launch: async (wish) => kit.launchOrder(await stage.order(wish)),
    async launchOrder(order) {
      const { launchId } = order.record;
      launched.set(launchId, order.record);
      const instance = await stage.openRuntime().launch(order);
      launched.set(launchId, instance.record);
      return instance;
    },
    async launchReady(wish) {
      const instance = await kit.launch(wish);
      await waitUntilAnswers(instance.record);
      return instance;
    },
    async end() {
      for (const record of launched.values()) {
        const remains = stage.openRuntime().remains(record);
        expect(await remains.kill(patienceMs)).toEqual([]);
        await remains.tidy();
      }
    },
  };
  return kit;
}

export async function waitUntilAnswers(record: LaunchRecord): Promise<void> {
  // A port that is published takes connections before anybody listens behind it, and a question may then hang.
  const ask = () => fetch(toUrl(record, '/health'), { signal: AbortSignal.timeout(askMs) }).then(({ status }) => status, String);
  await expect.poll(ask, { timeout: patienceMs, interval: 50 }).toBe(200);
}

export function toUrl({ host, port }: LaunchRecord, path: string): string {
  return `http://${host}:${port}${path}`;
}

export async function setFaults(record: LaunchRecord, faults: Readonly<Record<string, unknown>>): Promise<void> {
  const reply = await fetch(toUrl(record, '/__fault'), { method: 'POST', body: JSON.stringify(faults) });
  expect(reply.status).toBe(200);
  await reply.text();
}

export async function readLog(record: LaunchRecord): Promise<string> {
  return (await readTextFile(record.logFile)) ?? '';
}

export async function waitUntilLogged(record: LaunchRecord, words: string | RegExp): Promise<void> {
  await expect.poll(() => readLog(record), { timeout: patienceMs, interval: 200 }).toMatch(words);
}

/**
 * Until nothing is added any more. A container has a pipe for each stream, and up to 64 KiB of one may wait in it while the
 * other is read: what was said in which order is known of what was said apart.
 */
export async function waitUntilQuiet(record: LaunchRecord): Promise<void> {
  let length = -1;
  const isQuiet = async () => {
    const before = length;
    length = (await readLog(record)).length;
    return length === before;
  };
  await expect.poll(isQuiet, { timeout: patienceMs, interval: 500 }).toBe(true);
}

export interface Stream {
  /** The whole answer, once it has ended. */
  readonly text: Promise<string>;
}

/** An answer that is being given: returns when its first tokens are there. */
export async function openStream(record: LaunchRecord, tokens: number): Promise<Stream> {
  const body = JSON.stringify({ prompt: 'x', max_tokens: tokens, ignore_eos: true, stream: true });
  const reply = await fetch(toUrl(record, '/v1/completions'), { method: 'POST', body });
  const reader = reply.body?.getReader();
  if (reader === undefined) throw new Error(`no body: ${reply.status}`);
  const decoder = new TextDecoder();
  const first = await reader.read();
  const rest = async (begun: string): Promise<string> => {
    let text = begun;
    for (let part = await reader.read(); !part.done; part = await reader.read()) text += decoder.decode(part.value, { stream: true });
    return text;
  };
  return { text: rest(decoder.decode(first.value, { stream: true })) };
}

/** Of one process, as the kernel has them. */
export interface Limits {
  readonly cpus: string;
  readonly nofile: number;
  /** Absent: none, or none that can be seen. */
  readonly memoryBytes: number | undefined;
  readonly pids: number | undefined;
}

export async function readLimits(pid: number): Promise<Limits> {
  const [status, limits] = await Promise.all(['status', 'limits'].map((name) => readFile(`/proc/${pid}/${name}`, 'utf8')));
  return {
    cpus: /^Cpus_allowed_list:\s*(\S+)/m.exec(status ?? '')?.[1] ?? '',
    nofile: Number(/^Max open files\s+(\d+)/m.exec(limits ?? '')?.[1]),
    memoryBytes: await readCap(pid, 'memory', ['memory.max', 'memory.limit_in_bytes']),
    pids: await readCap(pid, 'pids', ['pids.max']),
  };
}

async function readCap(pid: number, controller: string, names: readonly string[]): Promise<number | undefined> {
  const group = await findGroup(pid, controller);
  for (const name of group === undefined ? [] : names) {
    const text = await readTextFile(join(group ?? '', name));
    if (text !== undefined) return Number.isFinite(Number(text)) ? Number(text) : undefined;
  }
  return undefined;
}

export async function readEnvironment(pid: number): Promise<readonly string[]> {
  return (await readFile(`/proc/${pid}/environ`, 'utf8')).split('\0');
}
