/** Whether the GPUs can do what the profile asks of them: what they compute, their driver, their memory. */
import { say } from '../../core/message.ts';
import { toSizeText } from '../../core/units.ts';
import { type CompatibilityHit, checkCombination } from '../../gpu/compatibility.ts';
import { type Gpu, toCapability } from '../../gpu/gpu.ts';
import { checkFitness, toEngineCuda } from '../../plan/fitness.ts';
import { leastCapability } from '../../plan/gpu-choice.ts';
import type { Memory } from '../../plan/plan.ts';
import { toModel, toWord } from '../../profile/rules/read.ts';
import type { Check, CheckOutcome, DoctorContext, DoctorSubject } from '../check.ts';
import { collect, type GpuView, skip, skipOfFile, toGpuName, withGpus } from '../gpu-view.ts';
import { readBelow, toUnread } from '../read.ts';
import { gpuLimitMs, needsGpu } from './gpu.ts';

export const gpuFitChecks: readonly Check[] = [
  { id: 'gpu.capability', group: 'gpu', limitMs: gpuLimitMs, isNeeded: needsGpu, run: (context) => withGpus(context, judgeCapability) },
  { id: 'gpu.driver-cuda', group: 'gpu', limitMs: gpuLimitMs, isNeeded: needsGpu, run: (context) => withGpus(context, judgeDriver) },
  { id: 'gpu.open-module', group: 'gpu', limitMs: gpuLimitMs, isNeeded: needsGpu, run: checkModule },
  { id: 'gpu.memory', group: 'gpu', limitMs: gpuLimitMs, isNeeded: needsGpu, run: (context) => withGpus(context, judgeMemory) },
  { id: 'gpu.memory-free', group: 'gpu', limitMs: gpuLimitMs, isNeeded: needsGpu, run: (context) => withGpus(context, judgeFree) },
];

function judgeCapability({ gpus, observed, subject }: GpuView): CheckOutcome {
  const known = collect(gpus, toCapability);
  const [weakest] = known.toSorted((a, b) => a.value - b.value);
  if (weakest === undefined) return skip();
  const evidence = known.map(({ gpu, value }) => `GPU ${gpu.index}: compute_cap ${value.toFixed(1)}`);
  const has = weakest.value.toFixed(1);
  if (subject === undefined) {
    const words = { gpu: toGpuName(weakest.gpu), has };
    if (weakest.value >= leastCapability) return { status: 'pass', message: say('doctor.gpu.capability', words), evidence };
    return { status: 'warn', message: say('doctor.gpu.old', words), hint: say('doctor.gpu.old.hint'), evidence };
  }
  const hits = checkFitness(subject.profile, { ...subject.facts, gpus: observed }, { gpus }).filter(({ about }) => about !== 'driver');
  const broken = hits.find(({ severity }) => severity === 'error');
  if (broken)
    return { status: 'fail', message: broken.message, hint: broken.hint ?? say('doctor.gpu.old.hint'), evidence, ...toFix(broken) };
  const [remark] = hits;
  if (remark) return { status: 'pass', message: remark.message, evidence };
  const { profile } = subject;
  const method = profile.quantization === 'auto' ? (toModel(profile)?.method ?? '16 bit') : profile.quantization;
  return { status: 'pass', message: say('doctor.gpu.native', { has, method, dtype: toWord(profile, 'dtype') ?? 'auto' }), evidence };
}

function toFix({ cure }: CompatibilityHit): Pick<CheckOutcome, 'fix'> {
  return cure ? { fix: { is: 'profile', set: cure } } : {};
}

function judgeDriver({ gpus, observed, subject }: GpuView): CheckOutcome {
  const driver = observed.driverVersion ?? gpus.find(({ driverVersion }) => driverVersion !== undefined)?.driverVersion;
  if (driver === undefined) return skip();
  const runs = observed.cudaVersion;
  const evidence = [`driver_version ${driver}`, ...(runs === undefined ? [] : [`CUDA Version ${runs}`])];
  const cuda = subject && toEngineCuda(subject.profile, { ...subject.facts, gpus: observed });
  if (subject === undefined || cuda === undefined) {
    return {
      status: 'pass',
      message: runs === undefined ? say('doctor.gpu.driver', { driver }) : say('doctor.gpu.driver-runs', { driver, cuda: runs }),
      evidence,
    };
  }
  const hits = checkFitness(subject.profile, { ...subject.facts, gpus: observed }, { gpus });
  const broken = hits.find(({ about, severity }) => about === 'driver' && severity === 'error');
  if (broken) return { status: 'fail', message: broken.message, ...(broken.hint ? { hint: broken.hint } : {}), evidence };
  return { status: 'pass', message: say('doctor.gpu.driver-enough', { driver, cuda, version: subject.profile.engine.version }), evidence };
}

const modulePath = '/proc/driver/nvidia/version';

/** An open module names itself so; the other one says only "Kernel Module". */
async function checkModule(context: DoctorContext): Promise<CheckOutcome> {
  const skipped = skipOfFile(context);
  if (skipped) return skipped;
  const observed = await context.gpus();
  if (observed.is === 'absent') return skip(say('doctor.gpu.none'));
  const reading = readBelow(context, modulePath);
  if (reading.is === 'absent') return skip(say('doctor.gpu.no-module', { path: modulePath }));
  if (reading.is === 'unreadable') return toUnread(reading);
  const kernelModule = /Open Kernel Module/.test(reading.text) ? 'open' : 'proprietary';
  const evidence = [`${modulePath}: ${reading.text.split('\n')[0]?.trim() ?? ''}`];
  if (observed.is === 'silent') {
    if (kernelModule === 'open') return { status: 'pass', message: say('doctor.gpu.module-open'), evidence };
    return { status: 'warn', message: say('doctor.gpu.module-blind'), hint: say('rule.open-module.hint'), evidence };
  }
  const hits = collect(observed.gpus, toCapability).flatMap(({ gpu, value }) =>
    checkCombination({ gpu: toGpuName(gpu), capability: value, version: '', kernelModule }),
  );
  const broken = hits.find(({ code }) => code === 'gpu/open-module');
  if (broken) return { status: 'fail', message: broken.message, ...(broken.hint ? { hint: broken.hint } : {}), evidence };
  return { status: 'pass', message: say(kernelModule === 'open' ? 'doctor.gpu.module-open' : 'doctor.gpu.module-proprietary'), evidence };
}

function judgeMemory({ gpus, subject }: GpuView): CheckOutcome {
  const memory = subject?.plan.memory;
  if (isCut(gpus)) return skip(say('doctor.gpu.memory-cut'));
  if (subject === undefined || memory === undefined) return skipMemory(subject);
  const words = toMemoryWords(subject, memory);
  const evidence = toMemoryEvidence(memory);
  const advice = toAdvice(memory);
  if (memory.fits === 'no') return { status: 'fail', message: say('doctor.gpu.memory-no', words), evidence, ...advice };
  if (memory.fits === 'tight') return { status: 'warn', message: say('doctor.gpu.memory-tight', words), evidence, ...advice };
  return { status: 'pass', message: say('doctor.gpu.memory-yes', words), evidence };
}

/** Then the plan for the whole GPU says nothing about a slice of it. */
function isCut(gpus: readonly Gpu[]): boolean {
  return gpus.some(({ mig }) => mig?.enabled === true);
}

function skipMemory(subject: DoctorSubject | undefined): CheckOutcome {
  return skip(subject === undefined ? say('doctor.gpu.no-subject') : say('doctor.gpu.memory-unknown', { profile: subject.profile.name }));
}

function toMemoryWords({ profile }: DoctorSubject, { budgetBytes, kvBytes }: Memory) {
  return { profile: profile.name, need: toSizeText(Math.max(budgetBytes - kvBytes, 0)), budget: toSizeText(budgetBytes) };
}

function toMemoryEvidence({
  weightsBytes,
  activationBytes,
  graphBytes,
  overheadBytes,
  kvBytes,
  totalBytes,
  source,
}: Memory): readonly string[] {
  const parts = { total: totalBytes, weights: weightsBytes, activation: activationBytes, graphs: graphBytes, other: overheadBytes };
  const texts = Object.entries(parts).map(([name, bytes]) => `${name} ${toSizeText(bytes)}`);
  return [`${texts.join(', ')}, KV cache ${kvBytes < 0 ? '-' : ''}${toSizeText(Math.abs(kvBytes))} (${source})`];
}

function toAdvice({ suggestion }: Memory): Pick<CheckOutcome, 'hint' | 'fix'> {
  if (suggestion === undefined) return { hint: say('doctor.gpu.memory.hint') };
  const { message, set } = suggestion;
  return { hint: message, ...(set ? { fix: { is: 'profile', set } } : {}) };
}

/** Against what others hold now. Its own deployment holds what it needs already. */
function judgeFree({ gpus, subject }: GpuView): CheckOutcome {
  if (isCut(gpus)) return skip(say('doctor.gpu.memory-cut'));
  if (subject?.running) return { status: 'pass', message: say('doctor.gpu.own-memory', { name: subject.plan.name }) };
  const known = collect(gpus, toFree);
  if (known.length === 0) return skip();
  const evidence = known.map(({ gpu, value }) => `GPU ${gpu.index}: memory.free ${toSizeText(value)}`);
  const least = Math.min(...known.map(({ value }) => value));
  const memory = subject?.plan.memory;
  if (subject === undefined || memory === undefined)
    return { status: 'pass', message: say('doctor.gpu.free', { free: toSizeText(least) }), evidence };
  const { freeBytes = least, budgetBytes } = memory;
  // vLLM refuses to start when its share is not free, however little of it the model needs.
  const fits = memory.fitsNow ?? (freeBytes >= budgetBytes ? 'yes' : 'no');
  const words = { profile: subject.profile.name, free: toSizeText(freeBytes), budget: toSizeText(budgetBytes) };
  if (fits === 'yes') return { status: 'pass', message: say('doctor.gpu.free-enough', words), evidence };
  const hint = say('doctor.gpu.free.hint');
  if (fits === 'tight') return { status: 'warn', message: say('doctor.gpu.free-tight', words), hint, evidence };
  return { status: 'fail', message: say('doctor.gpu.free-no', words), hint, evidence };
}

function toFree({ memoryFreeBytes, memoryTotalBytes, memoryUsedBytes }: Gpu): number | undefined {
  if (memoryFreeBytes !== undefined) return memoryFreeBytes;
  return memoryTotalBytes === undefined || memoryUsedBytes === undefined ? undefined : memoryTotalBytes - memoryUsedBytes;
}
