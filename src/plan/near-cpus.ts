/** Which CPUs an engine gets whose profile wants those near its GPUs (`resources.cpus: auto`), or why it gets all. Pure. */
import { type Message, say } from '../core/message.ts';
import type { Gpu } from '../gpu/gpu.ts';
import type { GpuCpus } from '../gpu/sysfs.ts';
import { toParallel } from '../profile/parallel.ts';
import type { BackendName, Profile } from '../profile/profile.ts';
import { parseCpuList, toCpuList } from './cpu-list.ts';
import type { Facts } from './facts.ts';

export interface NearCpus {
  /** Linux CPU list; absent: all. */
  readonly cpus?: string;
  readonly reason: Message;
}

export interface NearContext {
  readonly facts: Facts;
  /** Those that the engine gets. */
  readonly gpus: readonly Gpu[];
  readonly backend: BackendName;
}

export function chooseNearCpus(profile: Profile, { facts, gpus, backend }: NearContext): NearCpus {
  if (backend === 'simulator') return { reason: say('plan.near-simulator') };
  if (profile.engine.variant === 'cpu') return { reason: say('plan.near-cpu-engine') };
  if (facts.gpusAssumed) return { reason: say('plan.near-assumed') };
  if (gpus.length === 0) return { reason: say('plan.near-no-gpu') };
  const { online = '', gpus: known = [] } = facts.cpuPlaces ?? {};
  const places = gpus.flatMap((gpu) => toPlaced(gpu, known));
  // One GPU that nobody tells of would have its worker far from it, and nobody would know.
  const lost = gpus.filter(({ index }) => places.every((place) => place.index !== index));
  if (lost.length > 0) return { reason: say('plan.near-unknown', { gpus: lost.map(({ index }) => index).join(', ') }) };
  const near = new Set(places.flatMap(({ cpus }) => cpus));
  const nodes = places.map(({ index, node }) => `${index}→${node}`).join(', ');
  if (online !== '' && parseCpuList(online).every((cpu) => near.has(cpu))) return { reason: say('plan.near-all', { nodes }) };
  const usable = facts.cpus.filter((cpu) => near.has(cpu));
  const need = toEngineProcesses(profile);
  if (usable.length < need) return { reason: say('plan.near-few', { count: usable.length, nodes, need }) };
  return { cpus: toCpuList(usable), reason: say('plan.near', { nodes }) };
}

/** Each keeps a CPU busy nearly all the time: the server, the engine, and on GPUs a worker for each of them. */
export function toEngineProcesses(profile: Profile): number {
  return profile.engine.variant === 'gpu' ? 2 + toParallel(profile).gpus : 2;
}

interface Placed {
  readonly index: number;
  readonly node: number;
  readonly cpus: readonly number[];
}

function toPlaced({ index, busId }: Gpu, known: readonly GpuCpus[]): readonly Placed[] {
  const found = known.find((one) => one.busId === busId);
  return found ? [{ index, node: found.node, cpus: parseCpuList(found.cpus) }] : [];
}
