/** States and specs for tables about the reducer. */
import type { LaunchSpec } from '../../src/plan/launch-spec.ts';
import type { LaunchRecord } from '../../src/runtime/runtime.ts';
import { type Deployable, type State, toFirstState } from '../../src/supervisor/state.ts';

export function makeSpec(changes: Partial<LaunchSpec> = {}): LaunchSpec {
  return {
    backend: 'process',
    program: '/opt/vllm/bin/vllm',
    args: ['serve', '/models/tiny'],
    env: {},
    secretEnv: {},
    endpoint: { host: '127.0.0.1', port: 8000 },
    model: '/models/tiny',
    servedNames: ['Qwen3-0.6B'],
    resources: {},
    drainMs: 30_000,
    health: {
      startDeadlineMs: 1_800_000,
      startStallAfterMs: 300_000,
      downloadStallAfterMs: 120_000,
      gateTimeoutMs: 60_000,
      firstTokenTimeoutMs: 60_000,
      intervalMs: 5000,
      timeoutMs: 5000,
      chat: true,
      stallAfterMs: 120_000,
      canaryIntervalMs: 60_000,
    },
    restart: { maxFailures: 6, firstDelayMs: 2000, maxDelayMs: 300_000, stableAfterMs: 600_000 },
    engineVersion: '0.32.0',
    simulated: false,
    hash: 'a',
    ...changes,
  };
}

export function makeWanted(hash = 'a', changes: Partial<LaunchSpec> = {}): Deployable {
  return { profile: 'tiny', spec: makeSpec({ hash, ...changes }), source: { ref: 'tiny', sets: [] } };
}

export function makeRecord(run: number): LaunchRecord {
  return {
    launchId: `launch-${run}`,
    run,
    backend: 'process',
    createdAt: '2026-01-01T00:00:00.000Z',
    bootId: 'boot',
    logFile: `/state/engine-${run}.log`,
    exitFile: `/state/exit-${run}.json`,
    tmpDir: `/tmp/qd-${run}`,
    port: 8000,
    host: '127.0.0.1',
    process: { pid: 1000 + run, startTicks: run },
    keeper: { pid: 900 + run, startTicks: run },
  };
}

export function makeState(changes: Partial<State> = {}): State {
  return { ...toFirstState('tiny', makeWanted()), ...changes };
}
