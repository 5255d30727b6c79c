/** What the words of an engine mean. Docker's API has a handful of statuses for all that may go wrong. */
import { DeployError } from '../../core/error.ts';
import type { UnusableAddress } from './address.ts';

/** An address that was chosen and leads nowhere. */
export function toUnusableError({ name, problem }: Pick<UnusableAddress, 'name' | 'problem'>): DeployError {
  return problem === 'ENOENT'
    ? DeployError.of('docker/no-context', { context: name })
    : DeployError.of('docker/bad-address', { address: name });
}

/** Of create and start, where the same words come from different depths. */
export function toLaunchError(problem: string): DeployError {
  if (/no space left on device|disk quota exceeded/i.test(problem)) return DeployError.of('docker/disk-full', { problem });
  if (/port is already allocated|address already in use/i.test(problem)) return DeployError.of('docker/port-taken', { problem });
  // Docker's words, and Podman's.
  if (/bind source path does not exist|statfs \S+: no such file or directory/i.test(problem)) {
    return DeployError.of('docker/not-there', { problem });
  }
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
  if (tooMany.test(problem)) return DeployError.of('docker/registry', { image, registry, problem });
  // Before "not found" and "denied": what was sent counts, whatever else is said of it.
  if (/verification failed for digest|unexpected (commit )?digest|digest (mismatch|did not match|invalid)/i.test(problem)) {
    return DeployError.of('docker/wrong-content', { image, registry, problem });
  }
  if (/no matching manifest|does not match the specified platform|no match for platform/i.test(problem)) {
    return DeployError.of('docker/wrong-architecture', { image, architecture, problem });
  }
  if (/\bdenied\b|unauthorized|authentication required|no basic auth credentials|forbidden/i.test(problem)) {
    return DeployError.of('docker/image-denied', { image, registry, problem });
  }
  if (/manifest unknown|manifest for .* not found|name unknown|repository .* not found/i.test(problem)) {
    return DeployError.of('docker/image-not-found', { image, problem });
  }
  return DeployError.of('docker/registry', { image, registry, problem });
}

const tooMany = /toomanyrequests|too many requests|status(?: code)?:? 429/i;
/** Of a connection that stood, or of a server that has trouble of its own. Where nobody answers at all, nobody will in a moment. */
const passing = /\bEOF\b|connection reset|broken pipe|i\/o timeout|handshake timeout|timeout exceeded|status(?: code)?:? 50[0234]/i;
const triesMost = 4;
const longestPauseMs = 60_000;

/** How long to wait before the next try; undefined when another one is of no use, or would come too late for whoever waits. */
export function toPullPause(error: unknown, tries: number, firstMs: number): number | undefined {
  if (!(error instanceof DeployError) || error.code !== 'docker/registry' || tries >= triesMost) return undefined;
  const problem = String(error.params['problem']);
  if (!tooMany.test(problem) && !passing.test(problem)) return undefined;
  const pauseMs = Math.max(toAskedPause(problem), firstMs * 2 ** (tries - 1));
  return pauseMs > longestPauseMs ? undefined : pauseMs;
}

const units: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/**
 * An engine keeps the header `Retry-After` to itself. Some registries say it in their words as well: `retry-after: 30`, or
 * `retry-after: 1m30.5s` as Go writes it. A number alone is seconds.
 */
function toAskedPause(problem: string): number {
  const [, asked = ''] = /retry[- ]after:? *((?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h)?)+)/i.exec(problem) ?? [];
  const parts = asked.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)?/g);
  return [...parts].reduce((sum, [, number, unit = 's']) => sum + Number(number) * (units[unit] ?? 0), 0);
}
