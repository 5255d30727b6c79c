/** Which CPUs lie near which memory, which GPU, and which other CPU. */
import { say } from '../../core/message.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import { toCpuList } from '../../plan/cpu-list.ts';
import { chooseGpus } from '../../plan/gpu-choice.ts';
import { toEngineProcesses } from '../../plan/near-cpus.ts';
import { toParallel } from '../../profile/parallel.ts';
import type { Check, CheckOutcome, DoctorContext, DoctorSubject } from '../check.ts';
import { type NumaNode, readNumaNodes, readSiblings, readUsableCpus, toPins } from '../cpus.ts';
import { readWord } from '../read.ts';
import { toCpuSubject, toGpuSubject } from '../subject.ts';

export const topologyChecks: readonly Check[] = [
  { id: 'host.numa', group: 'host', isNeeded: isSpread, run: checkNuma },
  { id: 'host.hyper-threads', group: 'host', run: checkThreads },
];

/** Workers on CPUs want a node each, or vLLM does not start. */
function isSpread({ plan, profile }: DoctorSubject): boolean {
  return plan.backend !== 'simulator' && profile.engine.variant === 'cpu' && toWorkers({ profile }) > 1;
}

function toWorkers({ profile }: Pick<DoctorSubject, 'profile'>): number {
  const { tensor, pipeline } = toParallel(profile);
  return tensor * pipeline;
}

async function checkNuma(context: DoctorContext): Promise<CheckOutcome> {
  const nodes = readNumaNodes(context);
  if (nodes.length === 0) return { status: 'skip', message: say('doctor.numa.absent') };
  const evidence = nodes.map(({ node, list }) => `/sys/devices/system/node/node${node}/cpulist: ${list}`);
  const subject = toCpuSubject(context);
  const workers = subject && isSpread(subject) && !isBound(subject) ? toWorkers(subject) : 1;
  if (workers > nodes.length) {
    const message = say('doctor.numa.workers', { workers, nodes: nodes.length });
    return { status: 'fail', message, hint: say('doctor.numa.workers.hint'), evidence };
  }
  const [only] = nodes;
  if (nodes.length === 1 && only) return { status: 'pass', message: say('doctor.numa.one', { list: only.list }), evidence };
  return checkGpuNodes(context, { nodes, evidence });
}

/** Then it is said which CPUs each worker gets, and nodes do not matter. */
function isBound({ profile }: DoctorSubject): boolean {
  return (profile.engine.env.VLLM_CPU_OMP_THREADS_BIND ?? 'auto') !== 'auto';
}

interface Topology {
  readonly nodes: readonly NumaNode[];
  readonly evidence: readonly string[];
}

async function checkGpuNodes(context: DoctorContext, { nodes, evidence }: Topology): Promise<CheckOutcome> {
  const places = await readGpuPlaces(context);
  const seen = [...evidence, ...places.map(({ evidence: one }) => one)];
  const plain: CheckOutcome = { status: 'pass', message: say('doctor.numa.several', { nodes: nodes.length }), evidence: seen };
  const wanted = nodes.filter(({ node }) => places.some((place) => place.node === node));
  if (wanted.length === 0) return plain;
  const gpus = places.map(({ gpu, node }) => `${gpu.index}→${node}`).join(', ');
  const { subject } = context;
  const [pin] = subject ? toPins(subject) : [];
  const near = wanted.flatMap(({ cpus }) => cpus);
  if (subject === undefined || pin === undefined || pin.cpus.some((cpu) => near.includes(cpu))) {
    return { ...plain, message: say('doctor.numa.gpus', { nodes: nodes.length, gpus, list: toCpuList(near) }) };
  }
  const usable = readUsableCpus(context);
  const left = 'status' in usable ? near : near.filter((cpu) => usable.cpus.includes(cpu));
  const message = say('doctor.numa.far', { path: pin.path, list: pin.list, gpus });
  if (left.length === 0) return { ...plain, message };
  // With fewer `auto` is all, and a plan takes the kernel's word alone.
  const isPlannable = left.length >= toEngineProcesses(subject.profile) && places.every(({ byKernel }) => byKernel);
  const fits = isPlannable && pin.path === 'resources.cpus' ? 'auto' : toCpuList(left);
  const hint = say('doctor.numa.far.hint', { path: pin.path, fits });
  return { status: 'warn', message, hint, evidence: seen, fix: { is: 'profile', set: { [pin.path]: fits } } };
}

interface GpuPlace {
  readonly gpu: Gpu;
  readonly node: number;
  /** Not by the driver alone. */
  readonly byKernel: boolean;
  readonly evidence: string;
}

/** Of the GPUs that the engine gets; those whose node nobody tells (−1) are left out. */
async function readGpuPlaces(context: DoctorContext): Promise<readonly GpuPlace[]> {
  const subject = toGpuSubject(context);
  if (context.gpusFromFile || (context.subject && !subject)) return [];
  const observed = await context.gpus();
  if (observed.is !== 'present') return [];
  const gpus = subject ? chooseGpus(subject.profile, { ...subject.facts, gpus: observed }).gpus : observed.gpus;
  return gpus.flatMap((gpu) => {
    const path = gpu.busId === undefined ? undefined : `/sys/bus/pci/devices/${toDevice(gpu.busId)}/numa_node`;
    const told = path === undefined ? undefined : readWord(context, path);
    const node = gpu.numaNode ?? Number(told || Number.NaN);
    const byKernel = Number(told || Number.NaN) >= 0;
    return node >= 0 ? [{ gpu, node, byKernel, evidence: told ? `${path}: ${told}` : `GPU ${gpu.index}: NUMA ${node}` }] : [];
  });
}

/** `00000000:3B:00.0` → `0000:3b:00.0`: the kernel writes four digits for the domain. */
function toDevice(busId: string): string {
  return busId.toLowerCase().replace(/^[0-9a-f]+(?=:[0-9a-f]+:)/, (domain) => domain.slice(-4).padStart(4, '0'));
}

function checkThreads(context: DoctorContext): CheckOutcome {
  const usable = readUsableCpus(context);
  if ('status' in usable) return usable;
  const cores = new Map<string, readonly number[]>();
  for (const cpu of usable.cpus) {
    const siblings = readSiblings(context, cpu);
    if (siblings === undefined) return { status: 'skip', message: say('doctor.hyper-threads.unknown') };
    cores.set(toCpuList(siblings), siblings);
  }
  const evidence = [...cores.keys()].slice(0, 4).map((list) => `thread_siblings_list: ${list}`);
  const subject = toCpuSubject(context);
  const pin = subject && toPins(subject).at(-1);
  const shared = pin && [...cores.values()].find((siblings) => siblings.filter((cpu) => pin.cpus.includes(cpu)).length > 1);
  if (pin && shared) {
    const fits = toCpuList(toOnePerCore(pin.cpus, [...cores.values()]));
    const message = say('doctor.hyper-threads.shared', { path: pin.path, list: pin.list, shared: toCpuList(shared) });
    const hint = say('doctor.hyper-threads.shared.hint', { path: pin.path, fits });
    return { status: 'warn', message, hint, evidence, fix: { is: 'profile', set: { [pin.path]: fits } } };
  }
  const paired = cores.size < usable.cpus.length;
  const message = paired
    ? say('doctor.hyper-threads.paired', { cpus: usable.cpus.length, cores: cores.size })
    : say('doctor.hyper-threads.none', { cores: cores.size });
  return { status: 'pass', message, evidence };
}

function toOnePerCore(cpus: readonly number[], cores: readonly (readonly number[])[]): readonly number[] {
  return cores.flatMap((siblings) => siblings.find((cpu) => cpus.includes(cpu)) ?? []);
}
