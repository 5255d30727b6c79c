/** Which GPUs there are, and who says so. */
import { statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { say } from '../../core/message.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import { errnoOf } from '../../host/files.ts';
import { toGpusText } from '../../plan/gpu-choice.ts';
import type { Check, CheckOutcome, DoctorContext, DoctorSubject } from '../check.ts';
import { type GpuView, skipOfFile, toIndexes, withGpus } from '../gpu-view.ts';
import { toSmiMend } from '../smi-mends.ts';
import { isReal, toGpuSubject } from '../subject.ts';

/** nvidia-smi has ten seconds, and whoever asks first waits for it. */
export const gpuLimitMs = 12_000;

export const gpuChecks: readonly Check[] = [
  { id: 'gpu.present', group: 'gpu', limitMs: gpuLimitMs, isNeeded: needsGpu, run: checkPresent },
  { id: 'gpu.visible', group: 'gpu', limitMs: gpuLimitMs, isNeeded: needsGpu, run: checkVisible },
  { id: 'gpu.foreign-smi', group: 'gpu', run: checkForeign },
];

/** For `isNeeded`. */
export function needsGpu(subject: DoctorSubject): boolean {
  return isReal(subject) && subject.profile.engine.variant === 'gpu';
}

async function checkPresent(context: DoctorContext): Promise<CheckOutcome> {
  const observed = await context.gpus();
  if (observed.is === 'absent') {
    const needed = toGpuSubject(context) !== undefined;
    const message = say('doctor.gpu.absent', { evidence: observed.evidence });
    return needed ? { status: 'fail', message, hint: say('doctor.gpu.absent.hint') } : { status: 'skip', message };
  }
  if (observed.is === 'silent') {
    const evidence = observed.signs.map((sign) => `sign: ${sign}`);
    return {
      status: 'fail',
      message: say('doctor.gpu.no-answer', { evidence: observed.evidence }),
      evidence,
      ...toSmiMend(observed.evidence),
    };
  }
  return toTroubled(observed) ?? { status: 'pass', message: toPresent(observed), evidence: observed.gpus.map(toEvidence) };
}

function toPresent({ gpus, driverVersion, cudaVersion }: GpuView['observed']) {
  const names = toGpusText(gpus);
  if (driverVersion === undefined) return say('doctor.gpu.present', { gpus: names });
  if (cudaVersion === undefined) return say('doctor.gpu.present-driver', { gpus: names, driver: driverVersion });
  return say('doctor.gpu.present-cuda', { gpus: names, driver: driverVersion, cuda: cudaVersion });
}

/** One that failed among others that answer: new programs may then fail on all of them. What gpu.foreign-smi says is left to it. */
function toTroubled({ gpus, problems = [] }: GpuView['observed']): CheckOutcome | undefined {
  const all = [...gpus.flatMap((gpu) => gpu.problems ?? []), ...problems].filter(({ code }) => code !== 'gpu/foreign-smi');
  const worst = all.find(({ severity }) => severity === 'error') ?? all.find(({ severity }) => severity === 'warning');
  if (worst === undefined) return undefined;
  const mend = toSmiMend(worst.message);
  const evidence = [...gpus.map(toEvidence), ...(worst.evidence === undefined ? [] : [worst.evidence])];
  const message = say('doctor.gpu.broken', { problem: worst.message });
  return { status: worst.severity === 'error' ? 'fail' : 'warn', message, evidence, ...mend, hint: worst.hint ?? mend.hint };
}

function toEvidence({ index, uuid, busId }: Gpu): string {
  return `GPU ${index}: ${[uuid, busId].filter((one) => one !== undefined).join(' ')}`;
}

function checkVisible(context: DoctorContext): CheckOutcome | Promise<CheckOutcome> {
  return skipOfFile(context) ?? withGpus(context, (view) => judgeVisible(context, view));
}

function judgeVisible({ env }: DoctorContext, { all, subject }: GpuView): CheckOutcome {
  const visible = env.CUDA_VISIBLE_DEVICES;
  if (typeof subject?.profile.resources.gpus === 'object') {
    return { status: 'pass', message: say('doctor.gpu.named', { gpus: subject.profile.resources.gpus.join(', ') }) };
  }
  if (visible === undefined) return { status: 'pass', message: say('doctor.gpu.all-visible', { count: all.length }) };
  const evidence = [`CUDA_VISIBLE_DEVICES=${visible}`];
  const names = visible.split(',').map((name) => name.trim());
  const at = names.findIndex((name) => !isKnown(name, all));
  const hint = say('doctor.gpu.visible.hint', { known: all.map(({ index }) => index).join(',') });
  if (at === 0) return { status: 'fail', message: say('doctor.gpu.hidden', { visible }), hint, evidence };
  // CUDA stops reading the list at the first name that it does not know.
  if (at > 0) return { status: 'warn', message: say('doctor.gpu.cut', { name: names[at] ?? '', count: at }), hint, evidence };
  const seen = all.filter((gpu) => names.some((name) => isGpu(name, gpu)));
  if (seen.length === 0) return { status: 'pass', message: say('doctor.gpu.visible-slice', { visible }), evidence };
  return { status: 'pass', message: say('doctor.gpu.visible', { gpus: toIndexes(seen), count: all.length }), evidence };
}

/** Slices have names that no list of GPUs has. */
function isKnown(name: string, all: readonly Gpu[]): boolean {
  return name.startsWith('MIG-') || all.some((gpu) => isGpu(name, gpu));
}

/** CUDA also takes the beginning of a UUID. */
function isGpu(name: string, { index, uuid }: Gpu): boolean {
  return name === String(index) || (name.startsWith('GPU-') && uuid?.startsWith(name) === true);
}

const othersMayWrite = 0o022;
const executable = 0o111;
/** Owner of root's files in a rootless container. */
const overflowUser = 65_534;

/** Whoever can change the program that is asked can make the answer up, and run what they like as this user. */
function checkForeign(context: DoctorContext): CheckOutcome {
  const skipped = skipOfFile(context);
  if (skipped) return skipped;
  for (const directory of (context.env.PATH ?? '').split(':').filter(isAbsolute)) {
    const path = join(directory, 'nvidia-smi');
    const facts = readOwner(join(context.root, path));
    if (facts === undefined) continue;
    const evidence = [`${path}: uid ${facts.uid}, mode ${(facts.mode & 0o7777).toString(8)}`];
    const isOurs = [0, overflowUser, process.getuid?.()].includes(facts.uid);
    if (isOurs && (facts.mode & othersMayWrite) === 0) return { status: 'pass', message: say('doctor.gpu.smi', { path }), evidence };
    const message = isOurs ? say('doctor.gpu.smi-open', { path }) : say('doctor.gpu.smi-foreign', { path, uid: facts.uid });
    return { status: 'warn', message, hint: say('doctor.gpu.smi.hint', { path }), evidence };
  }
  return { status: 'skip', message: say('doctor.gpu.no-smi') };
}

function readOwner(path: string): { readonly uid: number; readonly mode: number } | undefined {
  try {
    const facts = statSync(path);
    return facts.isFile() && (facts.mode & executable) !== 0 ? facts : undefined;
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}
