/** What keeps a container from being started here, before anything is fetched. Pure. */
import { DeployError } from '../core/error.ts';
import type { Profile } from '../profile/profile.ts';
import type { Facts } from './facts.ts';

export function checkDocker({ engine }: Profile, { docker }: Facts): DeployError | undefined {
  if (docker === undefined) return undefined;
  const { engine: seen, gpuWay, refusedMount } = docker;
  if (refusedMount) return DeployError.of('docker/mount-refused', refusedMount);
  if (seen.is === 'absent') return DeployError.of('docker/absent', { looked: seen.socket });
  if (seen.is === 'forbidden') return DeployError.of('docker/forbidden', { address: seen.socket });
  if (seen.is !== 'present') return DeployError.of('docker/unreachable', { address: seen.socket, problem: seen.problem });
  if (engine.variant === 'gpu' && gpuWay === undefined)
    return DeployError.of('docker/gpu-runtime', { problem: `runtimes: ${seen.runtimes.join(', ')}; no CDI device nvidia.com/gpu` });
  return undefined;
}
