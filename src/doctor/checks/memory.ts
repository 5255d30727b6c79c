/** The machine's own memory: how much there is, and whether it is enough. */
import { say } from '../../core/message.ts';
import { toSizeText } from '../../core/units.ts';
import { chooseGpus } from '../../plan/gpu-choice.ts';
import { parseHumanInteger } from '../../plan/gpu-need.ts';
import { toParallel } from '../../profile/parallel.ts';
import { toModel, toNumber } from '../../profile/rules/read.ts';
import type { Check, CheckOutcome, DoctorContext, DoctorSubject } from '../check.ts';
import { type Room, readMeminfo, readRoom } from '../meminfo.ts';
import { readBelow, toUnread } from '../read.ts';
import { isReal } from '../subject.ts';

export const memoryChecks: readonly Check[] = [
  { id: 'host.ram', group: 'host', isNeeded: isReal, run: checkRam },
  { id: 'host.swap', group: 'host', run: checkSwap },
  { id: 'host.overcommit', group: 'host', run: checkOvercommit },
];

async function checkRam(context: DoctorContext): Promise<CheckOutcome> {
  const room = readRoom(context);
  if ('status' in room) return room;
  const { total, available, evidence } = room;
  const sizes = { total: toSizeText(total), available: toSizeText(available) };
  const where = room.capped ? say('doctor.ram.capped', sizes) : say('doctor.ram.free', sizes);
  if (!isReal(context.subject)) return { status: 'pass', message: where, evidence };
  const need = await toNeed(context, context.subject, room);
  const words = { profile: context.subject.profile.name, need: toSizeText(need.bytes), where };
  // A running one holds what it needs; what is free now says nothing about it.
  const have = context.subject.running ? total : Math.min(available + room.swapFree, total + room.swapFree);
  if (have < need.least) {
    const message = say('doctor.ram.need', words);
    const hint = say(total + room.swapFree < need.least ? 'doctor.ram.small.hint' : 'doctor.ram.taken.hint');
    return { status: 'fail', message, hint, evidence };
  }
  if (!context.subject.running && available < need.bytes)
    return { status: 'warn', message: say('doctor.ram.need', words), hint: say('doctor.ram.taken.hint'), evidence };
  return { status: 'pass', message: say('doctor.ram.need', words), evidence };
}

const gib = 2 ** 30;
/** Server, engine and worker, without any model; a cap of 1.5 GiB ends them (measured with 0.32 on a CPU). */
const engineBytes = 1.9 * gib;
const leastEngineBytes = 1.5 * gib;
/** A worker with CUDA in it, besides. */
const workerBytes = 1 * gib;

interface Need {
  /** What it will take, about. */
  readonly bytes: number;
  /** With less it does not start. */
  readonly least: number;
}

async function toNeed(context: DoctorContext, subject: DoctorSubject, room: Room): Promise<Need> {
  const { profile } = subject;
  const each = profile.engine.variant === 'cpu' ? toCpuBytes(subject, room) : await toGpuHostBytes(context, subject);
  return {
    bytes: (engineBytes + each) * profile.replicas,
    least: (leastEngineBytes + (profile.engine.variant === 'cpu' ? each : 0)) * profile.replicas,
  };
}

/** On CPUs the model and its cache lie there too. */
function toCpuBytes({ profile, plan }: DoctorSubject, { total }: Room): number {
  const written = plan.decisions.find(({ setting }) => setting.endsWith('.kv-cache-memory-bytes'))?.value;
  const cache = parseHumanInteger(typeof written === 'number' || typeof written === 'string' ? written : undefined);
  const share = toNumber(profile.vllm['gpu-memory-utilization']);
  if (cache === undefined && share !== undefined) return share * total;
  const loaded = profile.vllm['load-format'] === 'dummy' ? 0 : (toModel(profile)?.weightsBytes ?? 0);
  const spaced = Number(profile.engine.env.VLLM_CPU_KVCACHE_SPACE ?? 0) * gib;
  return loaded + (cache ?? spaced);
}

async function toGpuHostBytes(context: DoctorContext, { profile, plan, facts }: DoctorSubject): Promise<number> {
  const { gpus } = toParallel(profile);
  const offloaded = (toNumber(profile.vllm['cpu-offload-gb']) ?? 0) * gib;
  const observed = context.gpusFromFile ? facts.gpus : await context.gpus();
  const chosen = observed === undefined ? [] : chooseGpus(profile, { ...facts, gpus: observed }).gpus;
  const unified = chosen.some(({ memoryKind }) => memoryKind === 'unified') ? (plan.memory?.budgetBytes ?? 0) : 0;
  return (workerBytes + offloaded) * gpus + unified;
}

function checkSwap(context: DoctorContext): CheckOutcome {
  const info = readMeminfo(context);
  if ('status' in info) return info;
  const { total, available = total, swapTotal = 0, swapFree = swapTotal } = info;
  if (swapTotal === 0) return { status: 'pass', message: say('doctor.swap.none'), evidence: ['/proc/meminfo: SwapTotal 0 kB'] };
  const used = swapTotal - swapFree;
  const evidence = [`/proc/meminfo: SwapTotal ${swapTotal / 1024} kB, SwapFree ${swapFree / 1024} kB`];
  const sizes = { used: toSizeText(used), total: toSizeText(swapTotal) };
  // Used swap alone is harmless: idle things lie there. Used swap and no memory left is a machine that crawls.
  if (used > total / 10 && available < total / 10)
    return { status: 'warn', message: say('doctor.swap.busy', sizes), hint: say('doctor.swap.busy.hint'), evidence };
  return { status: 'pass', message: say('doctor.swap', sizes), evidence };
}

const overcommitFile = '/proc/sys/vm/overcommit_memory';

function checkOvercommit(context: DoctorContext): CheckOutcome {
  const reading = readBelow(context, overcommitFile);
  if (reading.is !== 'text') return toUnread(reading);
  const mode = reading.text.trim();
  const evidence = [`${overcommitFile}: ${mode}`];
  if (mode !== '2') return { status: 'pass', message: say('doctor.overcommit', { mode }), evidence };
  const info = readMeminfo(context);
  const left = 'status' in info ? undefined : Math.max((info.commitLimit ?? 0) - (info.committed ?? 0), 0);
  const command = 'sudo sysctl vm.overcommit_memory=0';
  const message = say('doctor.overcommit.strict', { left: left === undefined ? '?' : toSizeText(left) });
  if (context.subject && !isReal(context.subject)) return { status: 'pass', message, evidence };
  return { status: 'warn', message, hint: say('doctor.overcommit.strict.hint', { command }), evidence, fix: { is: 'command', command } };
}
