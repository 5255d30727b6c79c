import type { Clock } from '../../src/core/clock.ts';
import type { DeployEvent, DeploymentEvent, LifeEvent } from '../../src/core/event.ts';
import type { Diagnosis } from '../../src/core/finding.ts';
import { say } from '../../src/core/message.ts';
import type { Deployment } from '../../src/supervisor/deployment.ts';
import { chooseOutput, type OutputMode } from '../../src/views/choose.ts';
import { openScreen } from '../../src/views/screen.ts';

/** `terminal`: what is behind stdout; none unless it is given. */
export function createScreen(mode: OutputMode, { colors = false, terminal }: ScreenOptions = {}) {
  const printed = { out: '', err: '' };
  const output = { ...chooseOutput(mode, { env: {}, stdoutIsTerminal: false, stderrIsTerminal: false }), colors };
  const screen = openScreen(output, {
    stdout: { ...(terminal ? { isTTY: true, ...terminal } : {}), write: (text) => (printed.out += text) },
    stderr: { write: (text) => (printed.err += text) },
  });
  return { screen, printed };
}

export interface ScreenOptions {
  readonly colors?: boolean;
  readonly terminal?: { readonly columns: number; readonly rows: number };
}

/** Time that passes when it is told to, with the timers that fall due. */
export function createClock(): Clock & { pass(ms: number): void } {
  let now = 0;
  let timers: readonly { readonly at: number; readonly run: () => void }[] = [];
  return {
    wall: () => now,
    mono: () => now,
    after(delayMs, run) {
      const timer = { at: now + delayMs, run };
      timers = [...timers, timer];
      const cancel = () => {
        timers = timers.filter((one) => one !== timer);
      };
      return { cancel };
    },
    pass(ms) {
      const end = now + ms;
      for (;;) {
        const [next] = timers.filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at);
        if (next === undefined) break;
        now = next.at;
        timers = timers.filter((one) => one !== next);
        next.run();
      }
      now = end;
    },
  };
}

export function stamp(event: LifeEvent, extra: { readonly simulated?: true } = {}): DeploymentEvent {
  return { seq: 1, at: '2026-01-02T03:04:05.678Z', deployment: 'tiny', run: 1, launchId: 'l1', ...extra, ...event };
}

export const tiny: Deployment = {
  kind: 'Deployment',
  version: 1,
  name: 'tiny',
  state: 'ready',
  desired: 'up',
  profile: 'tiny',
  backend: 'process',
  endpoint: 'http://127.0.0.1:8000/v1',
  servedNames: ['Qwen3-0.6B'],
  launchId: 'l1',
  run: 1,
  pid: 4711,
  engine: { version: '0.32.0' },
  model: '/models/tiny-qwen3',
  port: 8000,
  startedAt: '2026-01-02T03:04:05.000Z',
  readyAt: '2026-01-02T03:04:46.000Z',
  uptimeSeconds: 120,
  restarts: { sinceStable: 0, lastHour: 0, total: 0 },
  health: { ready: true },
  supervised: true,
  supervisor: { pid: 4700 },
  simulated: false,
  configDrift: false,
  load: { running: 0, waiting: 0, kvUsage: 0, tokensPerSecond: 0 },
};

const { load: _, uptimeSeconds: __, readyAt: ___, pid: ____, ...idle } = tiny;

export const demo: Deployment = {
  ...tiny,
  name: 'demo',
  profile: 'demo',
  backend: 'simulator',
  simulated: true,
  endpoint: 'http://127.0.0.1:8100/v1',
  port: 8100,
  uptimeSeconds: 8000,
  load: { running: 3, waiting: 1, kvUsage: 0.254, tokensPerSecond: 912.6 },
};

export const orphan: Deployment = { ...tiny, name: 'orphan', supervised: false, restarts: { sinceStable: 1, lastHour: 1, total: 4 } };

/** With a change, with something to run, and with neither. */
export const diagnosis: Diagnosis = {
  cause: 'cuda_oom_runtime',
  title: say('cause.cuda_oom_runtime'),
  phase: 'serving',
  permanent: false,
  confidence: 'sure',
  evidence: [{ line: 7, text: 'CUDA out of memory' }],
  remedies: [
    { text: say('cure.share.lower', { share: 0.87, old: 0.92 }), set: { 'vllm.gpu-memory-utilization': 0.87 } },
    { text: say('cure.gpu.free'), command: 'nvidia-smi' },
    { text: say('cure.log.keep') },
  ],
};

export const waiting: Deployment = {
  ...idle,
  name: 'waiting',
  state: 'backoff',
  health: { ready: false, reason: 'the engine ended' },
  restarts: { sinceStable: 2, lastHour: 2, total: 2 },
  nextStartAt: '2026-01-02T03:05:00.000Z',
  lastExit: {
    cause: 'exit',
    at: '2026-01-02T03:04:56.000Z',
    signal: 'SIGKILL',
    reason: 'engine_dead_runtime',
    line: 'RuntimeError: Engine core died',
    diagnosis,
  },
};

export const gone: Deployment = { ...idle, name: 'gone', state: 'stopped', desired: 'down', health: { ready: false }, supervised: false };

/** A start of the real engine, as its supervisor tells it. */
export const start: readonly DeployEvent[] = [
  { type: 'step-started', step: 'plan', text: { id: 'commands.plan', params: {} } },
  {
    type: 'step-done',
    step: 'plan',
    text: {
      id: 'views.plan.title',
      params: { name: 'tiny-qwen3', engine: 'vLLM 0.32.0 (CPU)', backend: 'process', endpoint: '127.0.0.1:8000' },
    },
  },
  { type: 'said', level: 'warning', text: { id: 'views.no-deployments', params: {} } },
  stamp({ type: 'requested', desired: 'up', by: 'up' }),
  stamp({ type: 'preflight' }),
  stamp({ type: 'launching', backend: 'process' }),
  stamp({ type: 'launched', pid: 4711 }),
  stamp({ type: 'phase', phase: 'spawned', elapsedMs: 5 }),
  stamp({ type: 'phase', phase: 'importing', elapsedMs: 100 }),
  stamp({ type: 'phase', phase: 'configuring', elapsedMs: 14_100 }),
  stamp({ type: 'phase', phase: 'loading', elapsedMs: 20_000, facts: { percent: 50 } }),
  stamp({ type: 'phase', phase: 'kv-cache', elapsedMs: 20_300, facts: { weightsSeconds: 0.3, kvTokens: 262_144 } }),
  stamp({ type: 'phase', phase: 'listening', elapsedMs: 40_000 }),
  stamp({ type: 'gate-waiting', check: 'completion', detail: 'HTTP 503' }),
  stamp({ type: 'ready', elapsedMs: 41_000, firstTokenMs: 62, servedNames: ['Qwen3-0.6B'] }),
];
