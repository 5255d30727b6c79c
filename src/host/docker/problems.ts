/** What the words of an engine mean. Docker's API has a handful of statuses for all that may go wrong. */
import { DeployError } from '../../core/error.ts';

/** Of create and start, where the same words come from different depths. */
export function toLaunchError(problem: string): DeployError {
  if (/no space left on device|disk quota exceeded/i.test(problem)) return DeployError.of('docker/disk-full', { problem });
  if (/port is already allocated|address already in use/i.test(problem)) return DeployError.of('docker/port-taken', { problem });
  if (isOfGpu(problem)) return DeployError.of('docker/gpu-runtime', { problem });
  return DeployError.of('docker/refused', { problem });
}

function isOfGpu(problem: string): boolean {
  return /could not select device driver|(unknown or invalid|unknown) runtime.*nvidia|nvidia-container-(cli|runtime)|nvidia-ctk|CDI device/i.test(
    problem,
  );
}

export interface PullProblem {
  readonly image: string;
  readonly registry: string;
  readonly architecture: string;
  readonly problem: string;
}

/** A registry that hides what it has says "denied" also for what it has not. */
export function toPullError({ image, registry, architecture, problem }: PullProblem): DeployError {
  if (/no space left on device|disk quota exceeded/i.test(problem)) return DeployError.of('docker/disk-full', { problem });
  if (/toomanyrequests|too many requests/i.test(problem)) return DeployError.of('docker/registry', { image, registry, problem });
  if (/no matching manifest|does not match the specified platform|no match for platform/i.test(problem)) {
    return DeployError.of('docker/wrong-architecture', { image, architecture, problem });
  }
  if (/access denied|denied:|unauthorized|authentication required|no basic auth credentials|forbidden/i.test(problem)) {
    return DeployError.of('docker/image-denied', { image, registry, problem });
  }
  if (/manifest unknown|manifest for .* not found|name unknown|repository .* not found/i.test(problem)) {
    return DeployError.of('docker/image-not-found', { image, problem });
  }
  return DeployError.of('docker/registry', { image, registry, problem });
}
