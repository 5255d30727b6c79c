/** Places for what does not last: temporary files, compiled kernels, memory that processes share. */
import { join } from 'node:path';
import { say } from '../../core/message.ts';
import { toSizeText } from '../../core/units.ts';
import { toParallel } from '../../profile/parallel.ts';
import { isOn } from '../../profile/rules/read.ts';
import type { Check, CheckOutcome, DoctorContext, DoctorSubject } from '../check.ts';
import { isBelow } from '../read.ts';
import { askSpace, findWriteProblem, type ReadSpace, readSpace } from '../space.ts';
import { isProcess, toProcessSubject } from '../subject.ts';
import { findNoexec } from './disk.ts';

export const temporaryChecks: readonly Check[] = createTemporaryChecks(readSpace);

/** With another way to ask for room, as those of disks. */
export function createTemporaryChecks(read: ReadSpace): readonly Check[] {
  return [
    { id: 'host.tmp', group: 'host', isNeeded: isProcess, run: (context) => checkTemporary(context, read) },
    { id: 'host.shm', group: 'host', isNeeded: isProcess, run: (context) => checkSharedMemory(context, read) },
  ];
}

const mib = 2 ** 20;
const leastTemporaryBytes = 100 * mib;

async function checkTemporary(context: DoctorContext, read: ReadSpace): Promise<CheckOutcome> {
  const path = toTemporary(context.env);
  const subject = toProcessSubject(context);
  const compiled = toCompiledPlaces(context);
  const forbidden = [path, ...compiled].flatMap((place) => {
    const point = findNoexec(context, place);
    return point === undefined ? [] : [{ place, point }];
  })[0];
  if (forbidden && subject && compiles(subject)) {
    const evidence = [`/proc/self/mountinfo: ${forbidden.point} noexec`];
    return { status: 'fail', message: say('doctor.tmp.noexec', forbidden), hint: say('doctor.tmp.noexec.hint'), evidence };
  }
  const problem = await findWriteProblem(join(context.root, path));
  if (problem) {
    const message = say('doctor.tmp.unwritable', { path, problem });
    return { status: 'fail', message, hint: say('doctor.tmp.unwritable.hint', { path }), evidence: [`access ${path}: ${problem}`] };
  }
  const space = await askSpace(join(context.root, path), read);
  if ('status' in space) return space;
  const free = toSizeText(space.freeBytes);
  const evidence = [`statfs ${path}: ${free}`];
  if (space.freeBytes < leastTemporaryBytes || space.freeFiles === 0)
    return { status: 'warn', message: say('doctor.tmp.small', { path, free }), hint: say('doctor.tmp.small.hint', { path }), evidence };
  return { status: 'pass', message: say('doctor.tmp', { path, free }), evidence };
}

/** As launches take it: a long one leaves no room for the names of sockets. */
function toTemporary({ TMPDIR: own }: NodeJS.ProcessEnv): string {
  return own && own.length <= 40 ? own : '/tmp';
}

/** Where vLLM and Triton keep what they have compiled, and load it from as libraries. */
function toCompiledPlaces({ env, subject }: DoctorContext): readonly string[] {
  const all = { ...env, ...subject?.profile.engine.env };
  const home = all.HOME ?? '/';
  const cache = all.XDG_CACHE_HOME || join(home, '.cache');
  return [all.VLLM_CACHE_ROOT || join(cache, 'vllm'), all.TRITON_CACHE_DIR || join(home, '.triton', 'cache')];
}

/** On GPUs Triton compiles in any case; on CPUs nothing is compiled where it is switched off. */
function compiles({ profile }: DoctorSubject): boolean {
  const eager = isOn(profile, 'enforce-eager') || profile.engine.env.VLLM_CPU_CI_ENV === '1';
  return profile.engine.variant === 'gpu' || !eager;
}

/** What Docker gives a container that asks for nothing. */
const dockerBytes = 64 * mib;
/** With less, engines over several GPUs were seen to fail. */
const sharedBytes = 1024 * mib;
/** The queues between the processes of one engine; they are sparse. */
const leastBytes = 2 * mib;
const sharedDirectory = '/dev/shm';

async function checkSharedMemory(context: DoctorContext, read: ReadSpace): Promise<CheckOutcome> {
  if (context.subject?.plan.backend === 'docker') return { status: 'skip', message: say('doctor.shm.container') };
  const subject = toProcessSubject(context);
  const hint = say('doctor.shm.hint');
  if (!isBelow(context, sharedDirectory)) {
    const status = context.subject && !subject ? 'skip' : 'fail';
    return { status, message: say('doctor.shm.absent'), hint, evidence: [`${sharedDirectory}: ENOENT`] };
  }
  const space = await askSpace(join(context.root, sharedDirectory), read);
  if ('status' in space) return space;
  const words = { free: toSizeText(space.freeBytes), total: toSizeText(space.totalBytes) };
  const evidence = [`statfs ${sharedDirectory}: ${words.free} / ${words.total}`];
  const gpus = subject ? toParallel(subject.profile).gpus : 1;
  if (subject && space.freeBytes < leastBytes) return { status: 'fail', message: say('doctor.shm.full', words), hint, evidence };
  if (gpus > 1 && space.totalBytes < sharedBytes) {
    const status = space.totalBytes <= dockerBytes ? 'fail' : 'warn';
    return { status, message: say('doctor.shm.small', { ...words, gpus }), hint, evidence };
  }
  return { status: 'pass', message: say('doctor.shm', words), evidence };
}
