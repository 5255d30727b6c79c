/** Replicas one after another: on one GPU each must have measured its memory before the next one takes any. */
import { DeployError } from '../core/error.ts';
import { say } from '../core/message.ts';
import type { Deployment, DeploymentList } from '../supervisor/deployment.ts';
import { toErrorText } from '../text/render.ts';
import type { Context } from './context.ts';

export interface ReplicasRequest {
  /** Of all of them together. */
  readonly name: string;
  readonly starts: readonly ReplicaStart[];
  readonly sharesGpu: boolean;
  readonly wait: boolean;
  /** For all of them. */
  readonly timeoutMs: number | undefined;
}

export interface ReplicaStart {
  readonly name: string;
  readonly port: number;
  up(limits: { readonly wait: boolean; readonly timeoutMs: number | undefined }): Promise<Deployment>;
}

interface Failure {
  readonly name: string;
  readonly error: DeployError;
}

/** One that fails does not keep the others down; throws `engine/replicas` with the names of those that did. */
export async function upReplicas(request: ReplicasRequest, context: Context): Promise<DeploymentList> {
  const { name, starts, sharesGpu, timeoutMs } = request;
  const startedAt = performance.now();
  const deployments: Deployment[] = [];
  const failures: Failure[] = [];
  for (const [at, start] of starts.entries()) {
    if (context.signal.aborted) break;
    const about = { name: start.name, number: at + 1, count: starts.length, port: start.port };
    context.emit({ type: 'said', level: 'info', text: say('up.replica', about) });
    const wait = request.wait || (sharesGpu && at < starts.length - 1);
    const left = timeoutMs === undefined ? undefined : Math.max(timeoutMs - (performance.now() - startedAt), 1);
    const outcome = await tryStart(start, { wait, timeoutMs: left });
    if (outcome instanceof DeployError) {
      failures.push({ name: start.name, error: outcome });
      context.emit({ type: 'step-failed', step: 'start', text: say('plan.sentence', { text: toErrorText(outcome).message }) });
    } else deployments.push(outcome);
  }
  if (failures.length > 0) throw toFailure(name, failures, starts.length);
  return { kind: 'DeploymentList', version: 1, deployments };
}

/** What only says that time is up stops the whole: the next one would not have any. */
async function tryStart(start: ReplicaStart, limits: Parameters<ReplicaStart['up']>[0]): Promise<Deployment | DeployError> {
  try {
    return await start.up(limits);
  } catch (error) {
    if (error instanceof DeployError && error.code !== 'up/timed-out') return error;
    throw error;
  }
}

function toFailure(name: string, failures: readonly Failure[], count: number): DeployError {
  const names = failures.map((failure) => failure.name).join(', ');
  const first = failures[0]?.error;
  const reason = first === undefined ? '' : toErrorText(first).message;
  const details = { cause: first, ...(first?.diagnosis ? { diagnosis: first.diagnosis } : {}) };
  return DeployError.of('engine/replicas', { name, names, failed: failures.length, count, reason }, details);
}
