/** Room on the disks: for weights, engines, our own state. */
import { say } from '../../core/message.ts';
import { toSizeText } from '../../core/units.ts';
import { toEnginesDirectory } from '../../engine/installed.ts';
import { needBytesOf } from '../../engine/plan-install.ts';
import { toHubCache } from '../../plan/facts.ts';
import { toModel } from '../../profile/rules/read.ts';
import type { Check, CheckOutcome, DoctorContext, DoctorSubject } from '../check.ts';
import { findMount, readMounts } from '../mounts.ts';
import { askSpace, type ReadSpace, readSpace } from '../space.ts';
import { isProcess, isReal } from '../subject.ts';

export const diskChecks: readonly Check[] = createDiskChecks(readSpace);

/** With another way to ask for room: a full disk is not made in a test. */
export function createDiskChecks(read: ReadSpace): readonly Check[] {
  return [
    { id: 'host.disk-models', group: 'host', isNeeded: fetchesModel, run: (context) => checkModels(context, read) },
    { id: 'host.disk-engines', group: 'host', isNeeded: isProcess, run: (context) => checkEngines(context, read) },
    { id: 'host.disk-state', group: 'host', isNeeded: () => true, run: (context) => checkState(context, read) },
  ];
}

function fetchesModel(subject: DoctorSubject): boolean {
  return isReal(subject) && subject.facts.model.is === 'hub' && !subject.facts.model.cached;
}

const gib = 2 ** 30;
/** A checkpoint is a little more than its weights, and is renamed only when it is whole. */
const besidesWeights = 0.1 * gib;
/** Of a model that nobody here knows. */
const someModelBytes = 5 * gib;

async function checkModels({ env, subject }: DoctorContext, read: ReadSpace): Promise<CheckOutcome> {
  const cache = toHubCache({ ...env, ...subject?.profile.engine.env });
  const space = await askSpace(cache, read);
  if ('status' in space) return space;
  const free = toSizeText(space.freeBytes);
  const evidence = [toEvidence(cache, free)];
  if (!subject || !fetchesModel(subject)) {
    const message =
      subject?.facts.model.is === 'hub' ? say('doctor.disk-models.cached', { free }) : say('doctor.disk-models.free', { free });
    return { status: 'pass', message, evidence };
  }
  const weights = toModel(subject.profile)?.weightsBytes;
  const need = weights === undefined ? undefined : weights + besidesWeights;
  const words = { model: subject.profile.model.id, free, path: cache };
  const hint = say('doctor.disk-models.small.hint');
  if (need === undefined && space.freeBytes < someModelBytes)
    return { status: 'warn', message: say('doctor.disk-models.unknown', words), hint, evidence };
  if (need === undefined) return { status: 'pass', message: say('doctor.disk-models.unknown', words), evidence };
  const sized = { ...words, need: toSizeText(need) };
  if (space.freeBytes < need) return { status: 'fail', message: say('doctor.disk-models.small', sized), hint, evidence };
  return { status: 'pass', message: say('doctor.disk-models.enough', sized), evidence };
}

async function checkEngines(context: DoctorContext, read: ReadSpace): Promise<CheckOutcome> {
  const { places, subject } = context;
  const directory = toEnginesDirectory(places);
  const noexec = findNoexec(context, directory);
  if (noexec) {
    const message = say('doctor.disk-engines.noexec', { path: directory, point: noexec });
    return { status: 'fail', message, hint: say('doctor.disk-engines.noexec.hint'), evidence: [`/proc/self/mountinfo: ${noexec} noexec`] };
  }
  const space = await askSpace(directory, read);
  if ('status' in space) return space;
  const free = toSizeText(space.freeBytes);
  const evidence = [toEvidence(directory, free)];
  const source = subject?.plan.engine.source;
  if (source?.kind !== 'managed' || source.installed)
    return { status: 'pass', message: say('doctor.disk-engines.free', { free }), evidence };
  const need = needBytesOf[source.variant];
  const words = { need: toSizeText(need), free, path: directory };
  if (space.freeBytes >= need) return { status: 'pass', message: say('doctor.disk-engines.enough', words), evidence };
  return { status: 'fail', message: say('doctor.disk-engines.small', words), hint: say('doctor.disk-engines.small.hint'), evidence };
}

/** The mount that forbids to run programs there. */
export function findNoexec(context: Pick<DoctorContext, 'root'>, path: string): string | undefined {
  const mounts = readMounts(context);
  const mount = 'is' in mounts ? undefined : findMount(mounts, path);
  return mount?.options.includes('noexec') ? mount.point : undefined;
}

const leastStateBytes = 16 * 2 ** 20;
/** Logs of engines grow into it. */
const easyStateBytes = 512 * 2 ** 20;
const leastFiles = 1000;

async function checkState({ places }: DoctorContext, read: ReadSpace): Promise<CheckOutcome> {
  const space = await askSpace(places.state, read);
  if ('status' in space) return space;
  const free = toSizeText(space.freeBytes);
  const evidence = [toEvidence(places.state, free)];
  const files = space.freeFiles ?? Number.POSITIVE_INFINITY;
  const words = { free, path: places.state };
  if (files < leastFiles) {
    const message = say('doctor.disk-state.files', { files, path: places.state });
    return { status: files === 0 ? 'fail' : 'warn', message, hint: say('doctor.disk-state.files.hint'), evidence };
  }
  if (space.freeBytes >= easyStateBytes) return { status: 'pass', message: say('doctor.disk-state', { free }), evidence };
  const status = space.freeBytes < leastStateBytes ? 'fail' : 'warn';
  return { status, message: say('doctor.disk-state.small', words), hint: say('doctor.disk-state.small.hint'), evidence };
}

function toEvidence(path: string, free: string): string {
  return `statfs ${path}: ${free}`;
}
