import { describe, expect, test } from 'vitest';
import type { DeployEvent, LifeEvent } from '../../src/core/event.ts';
import { openConversation } from '../../src/views/conversation.ts';
import { openLines } from '../../src/views/lines.ts';
import { toStepLine } from '../../src/views/step-line.ts';
import { newStory, type StoryLine, toStory } from '../../src/views/story.ts';
import { createClock, createScreen, stamp, start } from './samples.ts';

function tell(events: readonly DeployEvent[]): readonly StoryLine[] {
  let story = newStory;
  return events.flatMap((event) => {
    const [next, lines] = toStory(story, event);
    story = next;
    return lines;
  });
}

const final = (events: readonly DeployEvent[]) => tell(events).filter(({ is }) => is !== 'live' && is !== 'passed');

describe('a start', () => {
  test('reads as COMMANDS says', () => {
    const { screen } = createScreen('tty');
    expect(final(start).map((line) => toStepLine(line, screen.palette))).toEqual([
      '✔ plan        tiny-qwen3 · vLLM 0.32.0 (CPU) · process · 127.0.0.1:8000',
      '! There is no deployment. qwen-deploy up starts one.',
      '✔ start       imported 14 s · weights 0.3 s · KV cache 262,144 tokens · listening',
      '✔ ready       in 41 s: /health, Qwen3-0.6B listed, first token in 62 ms',
    ]);
  });

  test('in plain lines, without an escape code: what is over at once is not told', () => {
    const { screen, printed } = createScreen('plain');
    const lines = openLines(screen);
    for (const event of start) lines.emit(event);
    lines.close();
    expect(printed.out).toBe('');
    expect(printed.err).toBe(
      [
        'plan: tiny-qwen3 · vLLM 0.32.0 (CPU) · process · 127.0.0.1:8000',
        'warning: There is no deployment. qwen-deploy up starts one.',
        'start: launched as process 4711',
        'start: imported 14 s · weights 0.3 s · KV cache 262,144 tokens · listening',
        'ready: in 41 s: /health, Qwen3-0.6B listed, first token in 62 ms',
        '',
      ].join('\n'),
    );
  });

  test('in plain lines with time: what lasts is told, once in five seconds at most', () => {
    const { screen, printed } = createScreen('plain');
    const clock = createClock();
    const lines = openLines(screen, clock);
    const emit = (event: LifeEvent) => lines.emit(stamp(event));
    emit({ type: 'launched', pid: 4711 });
    clock.pass(14_000);
    emit({ type: 'phase', phase: 'configuring', elapsedMs: 14_000 });
    emit({ type: 'phase', phase: 'engine', elapsedMs: 14_100 });
    clock.pass(999);
    emit({ type: 'phase', phase: 'downloading', elapsedMs: 15_000, facts: { percent: 0 } });
    for (let percent = 1; percent <= 60; percent += 1) {
      clock.pass(200);
      emit({ type: 'phase', phase: 'downloading', elapsedMs: 15_000, facts: { percent } });
    }
    emit({ type: 'exited', expected: false, exit: { cause: 'exit', at: '', code: 1 } });
    clock.pass(60_000);
    expect(printed.err.trimEnd().split('\n')).toEqual([
      'start: launched as process 4711',
      'start: importing vLLM (usually 12 to 20 s)',
      'start: downloading the weights, 0 %',
      'start: downloading the weights, 25 %',
      'start: downloading the weights, 50 %',
      'start: downloading the weights, 60 %',
      'start: error: ended by itself with exit code 1',
    ]);
  });

  test('in plain lines: a download once in ten seconds, with its rate and what is left', () => {
    const { screen, printed } = createScreen('plain');
    const clock = createClock();
    const lines = openLines(screen, clock);
    const gib = 2 ** 30;
    lines.emit(stamp({ type: 'launched', pid: 4711 }));
    for (let second = 1; second <= 25; second += 1) {
      lines.emit(stamp({ type: 'download', doneBytes: second * 0.1 * gib, totalBytes: 8 * gib, bytesPerSecond: 0.1 * gib }));
      clock.pass(1000);
    }
    lines.emit(stamp({ type: 'download', doneBytes: 3 * gib }));
    lines.emit(stamp({ type: 'unhealthy', cause: 'download-stall', forMs: 121_000 }));
    lines.emit(stamp({ type: 'bundle', path: '/state/crashes/l1' }));
    expect(printed.err.trimEnd().split('\n')).toEqual([
      'start: launched as process 4711',
      'start: downloading the weights: 102 MiB of 8.0 GiB, 102 MiB a second, 1m 19s left',
      'start: downloading the weights: 1.1 GiB of 8.0 GiB, 102 MiB a second, 1m 9s left',
      'start: downloading the weights: 2.1 GiB of 8.0 GiB, 102 MiB a second, 59 s left',
      'start: downloading the weights: 3.0 GiB',
      'start: error: no byte of the model came (for 2m 1s); it is ended after what can be seen of it is written down',
      'what was seen of it: /state/crashes/l1',
    ]);
  });

  test('of a simulator says so on its final lines', () => {
    const simulated = start.map((event) => ('seq' in event ? { ...event, simulated: true as const } : event));
    const lines = final(simulated).filter((line) => line.is === 'done' && line.step !== 'plan');
    expect(lines).toHaveLength(2);
    for (const line of lines) expect(line.text).toContain('(simulated)');
  });

  test('what was not seen is left out', () => {
    const events = [
      stamp({ type: 'launching', backend: 'process' }),
      stamp({ type: 'phase', phase: 'listening', elapsedMs: 900 }),
      stamp({ type: 'ready', elapsedMs: 1000, servedNames: ['a', 'b'] }),
    ];
    expect(final(events).map((line) => line.text)).toEqual(['listening', 'in 1.0 s: /health, a listed']);
  });

  test('a probe that is ahead of the log closes nothing', () => {
    const events = [
      stamp({ type: 'launching', backend: 'simulator' }),
      stamp({ type: 'phase', phase: 'verifying', elapsedMs: 110 }),
      stamp({ type: 'phase', phase: 'importing', elapsedMs: 120 }),
      stamp({ type: 'phase', phase: 'loading', elapsedMs: 1120 }),
      stamp({ type: 'phase', phase: 'kv-cache', elapsedMs: 1121 }),
      stamp({ type: 'phase', phase: 'listening', elapsedMs: 1122 }),
      stamp({ type: 'phase', phase: 'warming', elapsedMs: 1123 }),
      stamp({ type: 'ready', elapsedMs: 1200, servedNames: ['a'] }),
    ];
    expect(final(events).map((line) => line.text)).toEqual(['imported 1.1 s · listening', 'in 1.2 s: /health, a listed']);
  });

  test.each([
    ['imports end with the first phase after them', ['importing', 'configuring'], 'imported 13 s · listening'],
    ['whether or not a line came before', ['configuring', 'engine'], 'imported 12 s · listening'],
    ['one that was joined later says nothing about them', ['engine', 'loading'], 'listening'],
  ] as const)('%s', (_, [first, second], text) => {
    const events = [
      stamp({ type: 'launched', pid: 7 }),
      stamp({ type: 'phase', phase: first, elapsedMs: 12_000 }),
      stamp({ type: 'phase', phase: second, elapsedMs: 13_000 }),
      stamp({ type: 'phase', phase: 'kv-cache', elapsedMs: 13_010 }),
      stamp({ type: 'phase', phase: 'listening', elapsedMs: 13_020 }),
    ];
    expect(final(events).map((line) => line.text)).toEqual([text]);
  });

  test('from the launch to the first phase the live line is the same: vLLM is silent while it is imported', () => {
    const lines = tell([
      stamp({ type: 'launched', pid: 7 }),
      stamp({ type: 'phase', phase: 'spawned', elapsedMs: 5 }),
      stamp({ type: 'phase', phase: 'importing', elapsedMs: 3000 }),
    ]).filter(({ is }) => is === 'live');
    expect(new Set(lines.map(({ text }) => text))).toEqual(new Set(['importing vLLM (usually 12 to 20 s)']));
  });

  test('a joined one that is already ready has no start line', () => {
    expect(final([stamp({ type: 'ready', elapsedMs: 1000, servedNames: ['a'] })])).toHaveLength(1);
  });
});

test('an engine that dies while starting fails that step, and the next launch begins anew', () => {
  const crash: LifeEvent = {
    type: 'exited',
    expected: false,
    exit: { cause: 'exit', at: '', code: 1, line: 'ValueError: no' },
  };
  const story = final([
    ...start.slice(0, 9),
    stamp(crash),
    stamp({ type: 'backoff', attempt: 1, delayMs: 2000, nextStartAt: '' }),
    ...start.slice(5),
  ]);
  expect(story.slice(2, 4)).toEqual([
    { is: 'failed', step: 'start', text: 'ended by itself with exit code 1: ValueError: no' },
    { is: 'said', level: 'warning', text: 'starting again in 2.0 s (attempt 1)' },
  ]);
  expect(story.slice(4).map((line) => line.text)).toEqual(
    final(start)
      .slice(2)
      .map((line) => line.text),
  );
});

test('a stop', () => {
  const lines = tell([
    stamp({ type: 'stopping', reason: 'down', graceMs: 30_000 }),
    stamp({ type: 'killing', reason: 'grace is over' }),
    stamp({ type: 'exited', expected: true, exit: { cause: 'operator', at: '', signal: 'SIGKILL' } }),
    stamp({ type: 'survivors', survivors: [{ pid: 7, command: 'VLLM::EngineCore', state: 'D' }] }),
    stamp({ type: 'stopped' }),
  ]);
  expect(lines.map((line) => ('step' in line ? `${line.is} ${line.step}: ${line.text}` : line.text))).toEqual([
    'live stop: ending it (told to stop), by force after 30 s',
    'live stop: ending it by force (grace is over)',
    'live stop: ended as asked by SIGKILL',
    'live stop: waiting for what is left of the last launch: process 7 (VLLM::EngineCore, state D)',
    'done stop: nothing of tiny is left',
  ]);
});

test('what is replaced ends before the new one starts', () => {
  const lines = final([
    stamp({ type: 'stopping', reason: 'replace', graceMs: 30_000 }),
    stamp({ type: 'exited', expected: true, exit: { cause: 'exit', at: '', code: 0 } }),
    stamp({ type: 'preflight' }),
    stamp({ type: 'launching', backend: 'process' }),
  ]);
  expect(lines).toEqual([{ is: 'done', step: 'stop', text: 'the running one has ended' }]);
});

test('progress in plain lines is repeated at most every five seconds', () => {
  const { screen, printed } = createScreen('plain');
  let now = 0;
  const lines = openLines(screen, { wall: () => now, mono: () => now, after: () => ({ cancel: () => undefined }) });
  for (const doneBytes of [1, 2, 3, 4, 5, 6, 7, 8]) {
    lines.emit({ type: 'step-progress', step: 'engine', text: { id: 'commands.up', params: {} }, doneBytes, totalBytes: 8 });
    now += 1000;
  }
  expect(printed.err.match(/\d B \/ 8 B/g)).toEqual(['1 B / 8 B', '6 B / 8 B']);
});

test('quiet shows failures only', () => {
  const { screen, printed } = createScreen('quiet');
  const lines = openLines(screen);
  for (const event of start) lines.emit(event);
  expect(printed.err).toBe('');
  lines.emit(stamp({ type: 'unkillable', survivors: [{ pid: 7, command: 'python' }] }));
  expect(printed.err).toBe('stop: error: cannot be ended: process 7 (python)\n');
});

test('a view that throws is told once and never breaks the work', async () => {
  const { screen, printed } = createScreen('plain');
  const conversation = await openConversation(screen, { busy: false });
  const broken = { type: 'said', level: 'info', text: undefined } as unknown as DeployEvent;
  conversation.emit(broken);
  conversation.emit(broken);
  expect(printed.err.match(/The display failed/g)).toHaveLength(1);
});

test('after its end a conversation is silent', async () => {
  const { screen, printed } = createScreen('plain');
  const conversation = await openConversation(screen, { busy: true });
  conversation.close();
  for (const event of start) conversation.emit(event);
  expect(printed.err).toBe('');
});
