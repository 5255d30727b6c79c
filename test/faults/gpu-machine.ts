/** A sandbox whose machine has GPUs, as nvidia-smi and dmesg tell it, and a deployment of the stand-in engine on one. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { DeploymentEvent } from '../../src/core/event.ts';
import type { Deployment } from '../../src/supervisor/deployment.ts';
import { toText } from '../../src/text/render.ts';
import { type CliResult, eachInSandbox, eventually, fakeVllm, root, type Sandbox } from '../scenarios/sandbox.ts';

export interface StandInGpu {
  readonly index: number;
  readonly uuid: string;
  readonly name: string;
  readonly busId: string;
  readonly totalMiB: number;
  /** Absent: `[N/A]`. */
  readonly usedMiB?: number;
  readonly processes?: readonly { readonly pid: number; readonly name: string; readonly usedMiB: number }[];
  readonly recoveryAction?: string;
  readonly throttle?: readonly string[];
}

export const l4: StandInGpu = {
  index: 0,
  uuid: 'GPU-11111111-2222-3333-4444-555555555555',
  name: 'NVIDIA L4',
  busId: '00000000:01:00.0',
  totalMiB: 23034,
  usedMiB: 200,
};

/** The same, with most of its memory in the hands of one process. */
export function holding(pid: number, name: string): StandInGpu {
  return { ...l4, usedMiB: 12_200, processes: [{ pid, name, usedMiB: 12_000 }] };
}

export interface GpuMachine {
  readonly box: Sandbox;
  readonly port: number;
  /** What nvidia-smi says from now on. */
  show(gpus: readonly StandInGpu[], mode?: 'answers' | 'hangs' | 'garbage' | 'empty'): Promise<void>;
  /** The kernel says one more line. */
  log(line: string): Promise<void>;
  /** Its nvidia-smi and what they were asked, in the order in which they began. */
  calls(): Promise<readonly Call[]>;
  tryUp(faults?: string, ...sets: readonly string[]): Promise<CliResult>;
  up(faults?: string, ...sets: readonly string[]): Promise<Deployment>;
  status(): Promise<Deployment>;
  events(): Promise<readonly DeploymentEvent[]>;
  /** In words. */
  notes(): Promise<readonly string[]>;
  until(check: (seen: Deployment) => boolean, withinMs?: number): Promise<Deployment>;
}

export interface Call {
  readonly pid: number;
  readonly args: string;
  readonly beganAt: number;
  readonly endedAt?: number;
}

/** `resources.gpus` and all else of a profile for GPUs that needs no model on the disk. */
export const deployment = 'fp16';

export function openGpuMachine(): GpuMachine {
  let made: { readonly box: Sandbox; readonly port: number };
  eachInSandbox((one) => {
    made = one;
    const { env } = one.box;
    env['PATH'] = `${join(root, 'test/faults/gpu-bin')}:${env['PATH']}`;
  });
  const file = (name: string) => join(made.box.home, name);
  const read = (name: string) => readFile(file(name), 'utf8').catch(() => '');
  const status = async () => (await made.box.cli('status', deployment, '-o', 'json')).json<Deployment>();
  const events = async () => (await made.box.cli('events', deployment, '-o', 'json')).json<{ events: readonly DeploymentEvent[] }>().events;
  const tryUp = async (faults = '', ...sets: readonly string[]) => {
    const env = faults === '' ? [] : [`engine.env=${JSON.stringify({ FAKE_VLLM: faults })}`];
    const all = [
      `engine.executable=${fakeVllm}`,
      `server.port=${made.port}`,
      'restart.first-delay=100ms',
      'stop.drain=1s',
      ...env,
      ...sets,
    ];
    await writeFile(file('kernel-log'), `[    0.000000] Linux\n${await read('kernel-log')}`);
    return made.box.cli('up', '-p', deployment, ...all.flatMap((set) => ['--set', set]), '-o', 'json');
  };
  return {
    get box() {
      return made.box;
    },
    get port() {
      return made.port;
    },
    show: (gpus, mode = 'answers') => writeFile(file('gpus.json'), JSON.stringify({ mode, gpus })),
    log: async (line) => writeFile(file('kernel-log'), `${await read('kernel-log')}${line}\n`),
    calls: async () => toCalls(await read('smi-calls')),
    tryUp,
    async up(faults, ...sets) {
      const result = await tryUp(faults, ...sets);
      expect(result.code, result.stderr + result.stdout).toBe(0);
      return result.json<Deployment>();
    },
    status,
    events,
    notes: async () => (await events()).flatMap((event) => (event.type === 'note' ? [toText(event.note)] : [])),
    until: (check, withinMs = 20_000) => eventually(status, check, withinMs),
  };
}

function toCalls(text: string): readonly Call[] {
  const lines = text.split('\n').map((line) => /^(begin|end) (\d+) (\d+) ?(.*)$/.exec(line));
  const ends = new Map(lines.flatMap((line) => (line?.[1] === 'end' ? [[Number(line[2]), Number(line[3])]] : [])));
  return lines.flatMap((line) => {
    if (line?.[1] !== 'begin') return [];
    const pid = Number(line[2]);
    const endedAt = ends.get(pid);
    return [{ pid, args: line[4] ?? '', beganAt: Number(line[3]), ...(endedAt === undefined ? {} : { endedAt }) }];
  });
}
