import { parseAllowedCpus } from '../host/allowed-cpus.ts';
import { parseCpuList } from '../plan/cpu-list.ts';
import type { CheckOutcome, DoctorContext, DoctorSubject } from './check.ts';
import { listBelow, readBelow, readWord, toUnread } from './read.ts';

export interface UsableCpus {
  readonly cpus: readonly number[];
  /** As the kernel writes it. */
  readonly list: string;
}

/** Those that this process may run on; an answer instead when the kernel does not say. */
export function readUsableCpus(context: DoctorContext): UsableCpus | CheckOutcome {
  const reading = readBelow(context, '/proc/self/status');
  if (reading.is !== 'text') return toUnread(reading);
  const list = parseAllowedCpus(reading.text);
  if (list === undefined) return toUnread({ is: 'unreadable', path: reading.path, problem: 'Cpus_allowed_list' });
  return { cpus: parseCpuList(list), list };
}

/** Those that are switched on, of the whole machine. */
export function readOnlineCpus(context: DoctorContext): readonly number[] | undefined {
  const list = readWord(context, '/sys/devices/system/cpu/online');
  return list ? parseCpuList(list) : undefined;
}

export interface NumaNode {
  readonly node: number;
  readonly cpus: readonly number[];
  readonly list: string;
}

/** Nodes that have CPUs; empty where the kernel tells of none. */
export function readNumaNodes(context: DoctorContext): readonly NumaNode[] {
  const names = listBelow(context, '/sys/devices/system/node').filter((name) => /^node\d+$/.test(name));
  const nodes = names.flatMap((name) => {
    const list = readWord(context, `/sys/devices/system/node/${name}/cpulist`);
    return list ? [{ node: Number(name.slice('node'.length)), cpus: parseCpuList(list), list }] : [];
  });
  return nodes.toSorted((a, b) => a.node - b.node);
}

/** Threads of the core that a CPU belongs to, itself included; undefined where the kernel does not say. */
export function readSiblings(context: DoctorContext, cpu: number): readonly number[] | undefined {
  const list = readWord(context, `/sys/devices/system/cpu/cpu${cpu}/topology/thread_siblings_list`);
  return list ? parseCpuList(list) : undefined;
}

/** A list of CPUs that a profile names, and where. */
export interface Pin {
  readonly path: string;
  readonly list: string;
  readonly cpus: readonly number[];
}

const binding = 'VLLM_CPU_OMP_THREADS_BIND';

/** `all` and `nobind` name none, nor does vLLM's own `auto`; ours has been made a list by the plan where it could. */
export function toPins({ profile, plan }: DoctorSubject): readonly Pin[] {
  const bound = profile.engine.variant === 'cpu' ? (profile.engine.env[binding] ?? 'auto') : 'auto';
  const lists = [
    { path: 'resources.cpus', list: profile.resources.cpus === 'auto' ? toPlanned(plan) : profile.resources.cpus },
    { path: `engine.env.${binding}`, list: bound.replaceAll('|', ',') },
  ];
  return lists.filter(({ list }) => /^[\d,\s-]+$/.test(list)).map((one) => ({ ...one, cpus: parseCpuList(one.list) }));
}

function toPlanned({ decisions }: DoctorSubject['plan']): string {
  const value = decisions.find(({ setting }) => setting === 'resources.cpus')?.value;
  return typeof value === 'string' ? value : 'all';
}
