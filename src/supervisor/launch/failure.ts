/** What a launch that failed means for the next one. */
import { uptime } from 'node:os';
import { DeployError } from '../../core/error.ts';
import { isOutOfSight } from '../../runtime/sight.ts';
import { isBooting } from '../gpu/boot.ts';
import type { RunSignal } from '../signal.ts';
import { toProblem } from './work.ts';

type LaunchFailed = Omit<Extract<RunSignal, { type: 'launch-failed' }>, 'run'>;

/** What comes of a launch that failed. `upForMs`: of the machine, since its boot. */
export function toLaunchFailed(error: unknown, at: string, upForMs = uptime() * 1000): LaunchFailed {
  const reason = error instanceof DeployError ? error.code : 'host/io-failed';
  const exit = { cause: 'launch', at, line: toProblem(error), reason };
  // What hands GPUs to containers comes up after Docker, and fails while the driver is not there.
  const isEarly = reason === 'docker/gpu-runtime' && isBooting(upForMs);
  // An engine of containers that restarts or hangs comes back, and until then there was no start that could fail.
  const isAway = isOutOfSight(error) && reason !== 'docker/forbidden';
  if (isEarly || isAway) return { type: 'launch-failed', exit, permanent: false, waits: true };
  return { type: 'launch-failed', exit, permanent: isPermanentLaunchError(error) };
}

/** Whether the same launch would be refused again, until somebody changes something. */
function isPermanentLaunchError(error: unknown): boolean {
  if (!(error instanceof DeployError) || passing.includes(error.code)) return false;
  // Too many processes, no memory left: that passes.
  return error.code !== 'runtime/spawn-failed' || lastingProblems.includes(String(error.params.problem));
}

/** Ports and disks become free. */
const passing = ['runtime/launch-files', 'docker/failed', 'docker/disk-full', 'docker/no-room', 'docker/port-taken', 'docker/no-container'];

const lastingProblems = ['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'ELOOP', 'ENOEXEC'];
