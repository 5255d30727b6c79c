import { describe, expect, test } from 'vitest';
import { say } from '../../src/core/message.ts';
import type { Profile } from '../../src/profile/profile.ts';
import { type AnswerFigures, openAnswer } from '../../src/views/answer.ts';
import { toEventDocument } from '../../src/views/documents.ts';
import { renderEngineList } from '../../src/views/engines.ts';
import { renderEvent } from '../../src/views/events.ts';
import { renderProfile, renderProfileList } from '../../src/views/profiles.ts';
import { createScreen, stamp } from './samples.ts';

const { palette } = createScreen('plain').screen;

test('events, one line each', async () => {
  const exit = { cause: 'exit', at: '', code: 0, diagnosis: 'engine_dead_runtime', line: 'EngineDeadError' };
  const survivors = [{ pid: 7, command: 'python' }];
  const lines = [
    stamp({ type: 'supervisor-started', pid: 1 }),
    stamp({ type: 'requested', desired: 'up', by: 'up' }),
    stamp({ type: 'preflight' }),
    stamp({ type: 'preflight-failed', code: 'runtime/port-taken', reason: say('views.no-deployments'), permanent: false }),
    stamp({ type: 'launching', backend: 'simulator' }, { simulated: true }),
    stamp({ type: 'launched' }),
    stamp({ type: 'launched', pid: 7 }),
    stamp({ type: 'launched', containerId: 'abc' }),
    stamp({ type: 'adopted' }),
    stamp({ type: 'adopted', pid: 7 }),
    stamp({ type: 'adopted', containerId: 'abc' }),
    stamp({ type: 'phase', phase: 'downloading', elapsedMs: 1500, facts: { percent: 41.6 } }),
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

test('an event of a newer version is shown by its type', () => {
  const unknown = { ...stamp({ type: 'stopped' }), type: 'levitating' } as never;
  expect(renderEvent(unknown, palette)).toBe('2026-01-02T03:04:05.678Z  tiny  levitating\n');
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
  } as const;
  expect(renderEngineList([engine], palette)).toBe(
    [
      'ENGINE      VERSION  TORCH       PYTHON  SIZE     INSTALLED   PROGRAM',
      'cpu-0.32.0  0.32.0   2.13.0+cpu  3.11.9  3.0 GiB  2026-01-02  /d/bin/vllm',
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
    engine: { version: '0.32.0', variant: 'cpu', backend: 'auto', env: {} },
    vllm: { 'max-model-len': 4096, 'enforce-eager': true },
    resources: { gpus: 'none', cpus: 'all' },
    server: { host: '127.0.0.1', port: 8000, apiKey: 'env:KEY' },
    thinking: 'off',
    health: { startDeadlineMs: 1, gateTimeoutMs: 1, firstTokenTimeoutMs: 1, intervalMs: 1, timeoutMs: 1, chat: true },
    restart: { maxFailures: 6, firstDelayMs: 1, maxDelayMs: 1, stableAfterMs: 1 },
    stop: { drainMs: 1 },
    labels: {},
    origins: {
      model: { from: 'profile', file: 'mine.yaml', line: 2 },
      'vllm.max-model-len': { from: 'set', text: 'vllm.max-model-len=4096' },
      'server.port': { from: 'profile', file: 'base.yaml', line: 9 },
    },
  };
  await expect(renderProfile(profile, palette)).toMatchFileSnapshot('../golden/views/profile.txt');
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
