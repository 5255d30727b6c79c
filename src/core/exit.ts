/** Exit statuses of the command line (COMMANDS: stable interface) and which error code ends in which. */
import type { ErrorCode } from './error.ts';

export const ExitStatus = {
  done: 0,
  bug: 1,
  usage: 2,
  invalidProfile: 3,
  machine: 4,
  engine: 5,
  unknownName: 6,
  timedOut: 7,
  needsAnswer: 8,
  unstoppable: 9,
  gate: 10,
  interrupted: 130,
  terminated: 143,
} as const;

/** By the code's area; single codes that differ from their area come first. */
const byCode: Partial<Record<ErrorCode, number>> = {
  'profile/unknown': ExitStatus.unknownName,
  'engine/unknown': ExitStatus.unknownName,
  'engine/image-bad-name': ExitStatus.usage,
  'engine/image-changed': ExitStatus.needsAnswer,
  'engine/failed': ExitStatus.engine,
  'engine/shared-memory': ExitStatus.engine,
  'engine/compile-cache': ExitStatus.engine,
  'engine/never-ready': ExitStatus.engine,
  'engine/start-stalled': ExitStatus.engine,
  'engine/download-stalled': ExitStatus.engine,
  'engine/rolled-back': ExitStatus.engine,
  'engine/not-mended': ExitStatus.engine,
  'engine/replicas': ExitStatus.engine,
  'host/gpu-name': ExitStatus.usage,
  'host/gpu-unclear': ExitStatus.usage,
  'ask/refused': ExitStatus.engine,
  'deployment/left': ExitStatus.unknownName,
  'deployment/unknown': ExitStatus.unknownName,
  'deployment/none': ExitStatus.unknownName,
  'deployment/not-running': ExitStatus.engine,
  'deployment/several': ExitStatus.usage,
  'deployment/bad-name': ExitStatus.usage,
  'deployment/is-up': ExitStatus.needsAnswer,
  'docker/bad-archive': ExitStatus.usage,
  'docker/image-not-found': ExitStatus.unknownName,
  'explain/unknown-code': ExitStatus.unknownName,
  'explain/unknown-flag': ExitStatus.unknownName,
  'explain/no-catalogue': ExitStatus.unknownName,
  'log/none': ExitStatus.unknownName,
  'log/no-file': ExitStatus.unknownName,
  'log/empty': ExitStatus.unknownName,
  'unit/none': ExitStatus.unknownName,
  'unit/unknown': ExitStatus.unknownName,
  'unit/handover': ExitStatus.unstoppable,
  'runtime/unkillable': ExitStatus.unstoppable,
  'up/timed-out': ExitStatus.timedOut,
  'down/timed-out': ExitStatus.timedOut,
  'down/removal-owed': ExitStatus.timedOut,
  'down/out-of-sight': ExitStatus.unstoppable,
  'down/overtaken': ExitStatus.timedOut,
  'confirm/needed': ExitStatus.needsAnswer,
  'confirm/declined': ExitStatus.needsAnswer,
};

const byArea: Readonly<Record<string, number>> = {
  usage: ExitStatus.usage,
  profile: ExitStatus.invalidProfile,
  host: ExitStatus.machine,
  engine: ExitStatus.machine,
  runtime: ExitStatus.machine,
  docker: ExitStatus.machine,
  model: ExitStatus.machine,
  plan: ExitStatus.machine,
  state: ExitStatus.machine,
  supervisor: ExitStatus.machine,
  unit: ExitStatus.machine,
};

export function exitStatusOf(code: ErrorCode): number {
  const area = code.slice(0, code.indexOf('/'));
  return byCode[code] ?? byArea[area] ?? ExitStatus.bug;
}
