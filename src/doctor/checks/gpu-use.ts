/** Who else is on the GPUs, and how they are shared out. */
import { say } from '../../core/message.ts';
import { toSizeText } from '../../core/units.ts';
import type { Gpu, GpuProcess } from '../../gpu/gpu.ts';
import { toParallel } from '../../profile/parallel.ts';
import type { Check, CheckOutcome, DoctorContext } from '../check.ts';
import { collect, type GpuView, skip, toGpuName, toIndexArgument, toIndexes, withGpus } from '../gpu-view.ts';
import { gpuLimitMs, needsGpu } from './gpu.ts';

export const gpuUseChecks: readonly Check[] = [
  { id: 'gpu.processes', group: 'gpu', limitMs: gpuLimitMs, run: (context) => withGpus(context, judgeProcesses) },
  {
    id: 'gpu.mig',
    group: 'gpu',
    limitMs: gpuLimitMs,
    isNeeded: needsGpu,
    run: (context) => withGpus(context, (view) => judgeMig(context, view)),
  },
  { id: 'gpu.compute-mode', group: 'gpu', limitMs: gpuLimitMs, isNeeded: needsGpu, run: (context) => withGpus(context, judgeComputeMode) },
  { id: 'gpu.mixed', group: 'gpu', limitMs: gpuLimitMs, run: (context) => withGpus(context, judgeMixed) },
  { id: 'gpu.display', group: 'gpu', limitMs: gpuLimitMs, run: (context) => withGpus(context, judgeDisplay) },
];

interface Guest {
  readonly gpu: Gpu;
  readonly process: GpuProcess;
}

/** `C`, `C+G`, `M+C`; what only draws is no guest. A process of unknown kind is one that was asked for as computing. */
function isComputing({ type }: GpuProcess): boolean {
  return type === undefined || type.includes('C');
}

const gib = 2 ** 30;
/** Kept by the driver, or by a desktop. */
const unexplainedBytes = gib;

/** In a container the processes of others are not listed, though their memory is counted. */
function judgeProcesses({ gpus, subject }: GpuView): CheckOutcome {
  const guests = gpus.flatMap((gpu): readonly Guest[] => (gpu.processes ?? []).filter(isComputing).map((process) => ({ gpu, process })));
  const evidence = guests.map(toEvidence);
  if (guests.length > 0) {
    const list = guests.slice(0, 3).map(toText).join(', ');
    const text = guests.length > 3 ? `${list}, …` : list;
    if (subject?.running)
      return { status: 'pass', message: say('doctor.gpu.own-processes', { processes: text, name: subject.plan.name }), evidence };
    return { status: 'warn', message: say('doctor.gpu.processes', { processes: text }), hint: say('doctor.gpu.processes.hint'), evidence };
  }
  const used = collect(gpus, ({ memoryUsedBytes }) => memoryUsedBytes);
  const hidden = subject?.running ? [] : used.filter(({ gpu, value }) => value > unexplainedBytes && !draws(gpu));
  const [most] = hidden.toSorted((a, b) => b.value - a.value);
  if (most) {
    const words = { gpu: toGpuName(most.gpu), used: toSizeText(most.value) };
    const seen = hidden.map(({ gpu, value }) => `GPU ${gpu.index}: memory.used ${toSizeText(value)}, no process listed`);
    return {
      status: 'warn',
      message: say('doctor.gpu.hidden-processes', words),
      hint: say('doctor.gpu.hidden-processes.hint'),
      evidence: seen,
    };
  }
  if (used.length === 0 && gpus.every(({ processes }) => processes === undefined)) return skip();
  return { status: 'pass', message: say('doctor.gpu.alone') };
}

const mebibyte = 2 ** 20;
/** An X server without a screen holds a few MiB. */
const idleDesktopBytes = 64 * mebibyte;

function draws({ displayActive, processes = [] }: Gpu): boolean {
  return displayActive === true || processes.some((process) => !isComputing(process) && (process.memoryUsedBytes ?? 0) > idleDesktopBytes);
}

function toText({ process }: Guest): string {
  const { pid, name = '?', memoryUsedBytes } = process;
  const size = memoryUsedBytes === undefined ? '' : ` ${toSizeText(memoryUsedBytes)}`;
  return `${toProgram(name)} (${pid})${size}`;
}

/** Names can be whole command lines or paths: what comes last of the path is what people know it by. */
function toProgram(name: string): string {
  const [first = name] = name.split(' ');
  return first.slice(first.lastIndexOf('/') + 1).slice(0, 40);
}

function toEvidence({ gpu, process }: Guest): string {
  const { pid, name = '?', type = '?', memoryUsedBytes } = process;
  return `GPU ${gpu.index}: pid ${pid} ${type} ${name}${memoryUsedBytes === undefined ? '' : ` ${toSizeText(memoryUsedBytes)}`}`;
}

/** A GPU that is cut is of no use as a whole: an engine gets one slice, named by the environment. */
function judgeMig({ env }: DoctorContext, { gpus, subject }: GpuView): CheckOutcome {
  const known = collect(gpus, ({ mig }) => mig);
  const cut = known.filter(({ value }) => value.enabled);
  if (known.length === 0) return skip(say('doctor.gpu.no-mig'));
  if (cut.length === 0) return { status: 'pass', message: say('doctor.gpu.mig-off') };
  const slices = cut.flatMap(({ gpu, value }) => (value.devices ?? []).map((slice) => ({ gpu, ...slice })));
  const evidence = slices.map(({ gpu, profile = '?', uuid = '?' }) => `GPU ${gpu.index}: MIG ${profile} ${uuid}`);
  const names = toIndexes(cut.map(({ gpu }) => gpu));
  const together = subject ? toParallel(subject.profile).gpus : 1;
  if (together > 1) {
    const message = say('doctor.gpu.mig-parallel', { gpus: names, count: together });
    return { status: 'fail', message, hint: say('doctor.gpu.mig-parallel.hint'), evidence };
  }
  const visible = env.CUDA_VISIBLE_DEVICES ?? '';
  if (visible.startsWith('MIG-'))
    return { status: 'pass', message: say('doctor.gpu.mig-slice', { visible: visible.split(',')[0] ?? visible }), evidence };
  const [slice] = slices.toSorted((a, b) => (b.memoryTotalBytes ?? 0) - (a.memoryTotalBytes ?? 0));
  const status = subject ? 'fail' : 'warn';
  if (slice === undefined)
    return { status, message: say('doctor.gpu.mig-empty', { gpus: names }), hint: say('doctor.gpu.mig-empty.hint'), evidence };
  const hint = say('doctor.gpu.mig.hint', { uuid: slice.uuid ?? 'MIG-…' });
  return { status, message: say('doctor.gpu.mig', { gpus: names, count: slices.length }), hint, evidence };
}

function judgeComputeMode({ gpus, subject }: GpuView): CheckOutcome {
  const known = collect(gpus, ({ computeMode }) => computeMode);
  const evidence = known.map(({ gpu, value }) => `GPU ${gpu.index}: compute_mode ${value}`);
  if (known.length === 0) return skip();
  const closed = known.filter(({ value }) => /^Prohibited/i.test(value)).map(({ gpu }) => gpu);
  const single = known.filter(({ value }) => /^Exclusive/i.test(value)).map(({ gpu }) => gpu);
  const toOpen = (some: readonly Gpu[]) =>
    ({
      hint: say('doctor.gpu.compute-mode.hint'),
      fix: { is: 'command', command: `sudo nvidia-smi -i ${toIndexArgument(some)} -c DEFAULT` },
    }) as const;
  if (closed.length > 0)
    return { status: 'fail', message: say('doctor.gpu.prohibited', { gpus: toIndexes(closed) }), evidence, ...toOpen(closed) };
  if (single.length === 0) return { status: 'pass', message: say('doctor.gpu.shared-mode') };
  const words = { gpus: toIndexes(single) };
  const replicas = subject?.profile.replicas ?? 1;
  const busy = !subject?.running && single.some(({ processes = [] }) => processes.some(isComputing));
  if (replicas > 1)
    return { status: 'fail', message: say('doctor.gpu.exclusive-replicas', { ...words, replicas }), evidence, ...toOpen(single) };
  if (busy) return { status: 'fail', message: say('doctor.gpu.exclusive-busy', words), evidence, ...toOpen(single) };
  return { status: 'warn', message: say('doctor.gpu.exclusive', words), evidence, ...toOpen(single) };
}

function judgeMixed({ gpus, all, subject }: GpuView): CheckOutcome {
  if (all.length < 2) return skip(say('doctor.gpu.single'));
  const evidence = all.map(
    (gpu) => `GPU ${gpu.index}: ${gpu.name} ${gpu.memoryTotalBytes === undefined ? '' : toSizeText(gpu.memoryTotalBytes)}`,
  );
  const together = subject ? toParallel(subject.profile).gpus : 1;
  const [first, ...others] = gpus;
  const odd = others.find((gpu) => first !== undefined && !isSameKind(first, gpu));
  if (together > 1 && first && odd) {
    const message = say('doctor.gpu.mixed', { first: toGpuName(first), other: toGpuName(odd) });
    return { status: 'warn', message, hint: say('doctor.gpu.mixed.hint'), evidence };
  }
  const kinds = new Set(all.map(({ name }) => name)).size;
  if (kinds === 1) return { status: 'pass', message: say('doctor.gpu.equal', { count: all.length }) };
  return { status: 'pass', message: say('doctor.gpu.kinds', { kinds, gpus: toIndexes(gpus) }), evidence };
}

function isSameKind(a: Gpu, b: Gpu): boolean {
  return a.computeCapability === b.computeCapability && a.memoryTotalBytes === b.memoryTotalBytes;
}

/** From this share on a desktop that opens a window more is in the way of the next start. */
const greedyShare = 0.85;

function judgeDisplay({ gpus, subject }: GpuView): CheckOutcome {
  const drawing = gpus.filter(draws);
  if (drawing.length === 0)
    return gpus.every(({ displayActive }) => displayActive === undefined)
      ? skip()
      : { status: 'pass', message: say('doctor.gpu.headless') };
  const taken = drawing.flatMap(({ processes = [] }) =>
    processes.filter((process) => !isComputing(process)).map(({ memoryUsedBytes = 0 }) => memoryUsedBytes),
  );
  const bytes = taken.reduce((sum, one) => sum + one, 0);
  const words = { gpus: toIndexes(drawing), taken: bytes > 0 ? toSizeText(bytes) : '0.5–1 GiB' };
  const share = subject?.profile.vllm['gpu-memory-utilization'];
  if (typeof share !== 'number' || share <= greedyShare) return { status: 'pass', message: say('doctor.gpu.display', words) };
  const fix = { is: 'profile', set: { 'vllm.gpu-memory-utilization': greedyShare } } as const;
  return {
    status: 'warn',
    message: say('doctor.gpu.display-share', { ...words, share }),
    hint: say('doctor.gpu.display.hint', { share: greedyShare }),
    fix,
  };
}
