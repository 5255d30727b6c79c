/** What keeps a container from being started here, before anything is fetched. Pure. */
import { DeployError } from '../core/error.ts';
import type { Profile } from '../profile/profile.ts';
import type { DockerFacts } from './docker-facts.ts';
import type { Facts } from './facts.ts';

/** How long the engine may take for an answer. */
export const dockerAnswerMs = 5000;

export function checkDocker({ engine }: Profile, { docker }: Facts): DeployError | undefined {
  if (docker === undefined) return undefined;
  const { engine: seen, gpuWay, refusedMount } = docker;
  if (refusedMount) return DeployError.of('docker/mount-refused', refusedMount);
  if (seen.is === 'absent') return DeployError.of('docker/absent', { looked: seen.socket });
  if (seen.is === 'forbidden') return DeployError.of('docker/forbidden', { address: seen.socket });
  if (seen.is === 'unusable') return toUnusable(seen);
  // It takes the call and never answers.
  if (seen.is === 'silent' && seen.problem === 'ETIMEDOUT')
    return DeployError.of('docker/silent', { address: seen.socket, waited: `${dockerAnswerMs / 1000} s` });
  if (seen.is !== 'present') return DeployError.of('docker/unreachable', { address: seen.socket, problem: seen.problem });
  if (engine.variant === 'gpu' && gpuWay === undefined)
    return DeployError.of('docker/gpu-runtime', { problem: `runtimes: ${seen.runtimes.join(', ')}; no CDI device nvidia.com/gpu` });
  return undefined;
}

function toUnusable({ socket, problem }: Extract<DockerFacts['engine'], { readonly is: 'unusable' }>): DeployError {
  if (problem === 'ENOENT') return DeployError.of('docker/no-context', { context: socket });
  return DeployError.of('docker/bad-address', { address: socket });
}
