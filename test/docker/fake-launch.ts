/** A launch, and what an engine answers that has made and started its container. */
import type { LaunchOrder } from '../../src/runtime/runtime.ts';
import { makeOrder } from '../contract/stage.ts';
import { type FakeAnswer, sendChunks, sendJson } from './fake-api.ts';

export const id = 'c'.repeat(64);
export const inspectCall = `GET /containers/${id}/json`;
const image = `sha256:${'a'.repeat(64)}`;
const never = '0001-01-01T00:00:00Z';
const begun = '2026-01-01T00:00:00Z';

export async function makeFakeLaunch(directory: string): Promise<LaunchOrder> {
  const container = {
    ...{ image: 'qwen-deploy-stand-in:test', mounts: [], shmBytes: 2 ** 26, port: 8000, stopSeconds: 40 },
    log: { maxSizeBytes: 2 ** 26, files: 3 },
  };
  return makeOrder({ directory, backend: 'docker', program: 'vllm', inside: { host: '0.0.0.0', port: 8000 }, container });
}

export function toAnswers(order: LaunchOrder): Readonly<Record<string, FakeAnswer>> {
  const state = { Status: 'running', Pid: 0, ExitCode: 0, StartedAt: begun, FinishedAt: never };
  return {
    'POST /containers/create': sendJson({ Id: id, Warnings: [] }, 201),
    [`POST /containers/${id}/start`]: sendJson('', 204),
    'GET /containers/json': sendJson([{ Id: id, Names: ['/x'], State: 'created', Image: image, Labels: toLabels(order) }]),
    [inspectCall]: sendJson(toSeen(order, state)),
    [`GET /containers/${id}/logs`]: sendChunks([], 'silence'),
    'GET /events': sendChunks([], 'silence'),
  };
}

/** As it is seen after its end, a moment ago. */
export function toEnded(order: LaunchOrder, { exitCode }: { readonly exitCode: number }): unknown {
  return toSeen(order, { Status: 'exited', Pid: 0, ExitCode: exitCode, StartedAt: begun, FinishedAt: new Date().toISOString() });
}

function toSeen(order: LaunchOrder, state: object): unknown {
  return { Id: id, Name: '/x', Image: image, State: state, Config: { Labels: toLabels(order) }, HostConfig: {} };
}

function toLabels({ record }: LaunchOrder) {
  return { 'qwen-deploy.launch-id': record.launchId };
}
