/** What the kernel says of the GPUs of a launch: Xid lines since it began. */
import { say } from '../../core/message.ts';
import { chooseFault, type GpuFault, toLastXid } from '../../gpu/fault.ts';
import { readKernelLog } from '../../host/kernel-log.ts';
import type { LaunchRecord } from '../../runtime/runtime.ts';
import { rebootCommand, toResetCommand } from './check.ts';

/** The last fault that is known before a launch; undefined when the log cannot be read. */
export async function observeLastXid(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const log = await readKernelLog(env);
  return log === undefined ? undefined : toLastXid(log);
}

/** The gravest fault of its GPUs since the launch began. */
export async function observeFault({ lastXid, gpuBaselines = [] }: LaunchRecord, env: NodeJS.ProcessEnv): Promise<GpuFault | undefined> {
  const busIds = gpuBaselines.flatMap(({ busId }) => busId ?? []);
  if (lastXid === undefined || busIds.length === 0) return undefined;
  const log = await readKernelLog(env);
  return log === undefined ? undefined : chooseFault(log, { after: lastXid, busIds });
}

/** What has to be done, by whoever owns the machine. */
export function toFaultNote({ remedy, busId }: GpuFault, { gpuBaselines = [] }: LaunchRecord) {
  const gpu = gpuBaselines.find((one) => one.busId?.toLowerCase().includes(busId.toLowerCase()));
  const name = gpu === undefined ? busId : gpu.index;
  if (remedy === 'reboot') return say('life.gpu-needs-reboot', { gpu: name, command: rebootCommand });
  if (gpu === undefined || remedy === 'program') return undefined;
  return say('life.gpu-needs-reset', { gpu: name, command: toResetCommand(gpu.index) });
}
