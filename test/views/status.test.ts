import { describe, expect, test } from 'vitest';
import type { Deployment } from '../../src/supervisor/deployment.ts';
import { toText } from '../../src/text/render.ts';
import { toDeploymentDocument } from '../../src/views/documents.ts';
import { renderDetail, renderDown, renderServed, renderStatusTable } from '../../src/views/status.ts';
import { createScreen, demo, diagnosis, gone, orphan, tiny, waiting } from './samples.ts';

const { palette } = createScreen('plain').screen;

test('the table, in the form that COMMANDS shows', () => {
  expect(renderStatusTable([tiny], palette)).toBe(
    [
      'NAME  STATE  PROFILE  BACKEND  ENDPOINT                  UP  RESTARTS  RUN  WAIT  KV   TOK/S',
      'tiny  ready  tiny     process  http://127.0.0.1:8000/v1  2m  0         0    0     0 %  0',
      '',
    ].join('\n'),
  );
});

test('the table in every state', async () => {
  const failed: Deployment = { ...waiting, name: 'failed', state: 'failed' };
  const starting: Deployment = { ...waiting, name: 'starting', state: 'starting', phase: 'loading' };
  const table = renderStatusTable([tiny, demo, orphan, waiting, starting, failed, gone], palette);
  await expect(table).toMatchFileSnapshot('../golden/views/status-table.txt');
});

test.each([
  [100, 'NAME  STATE  PROFILE  BACKEND    ENDPOINT                  UP      RESTARTS  RUN  WAIT  KV    TOK/S'],
  [80, 'NAME  STATE  BACKEND    ENDPOINT                  UP      RESTARTS  RUN  TOK/S'],
  [60, 'NAME  STATE  BACKEND    ENDPOINT                  UP'],
  [20, 'NAME  STATE  BACKEND    ENDPOINT'],
])('in %d columns the least telling are left out', (width, head) => {
  const [first] = renderStatusTable([{ ...demo, profile: 'demo' }], palette, width).split('\n');
  expect(first).toBe(head);
});

test('why it ended last and what would help, until that is over', () => {
  const text = renderDetail(waiting, palette);
  expect(text).toContain(`why         ${toText(diagnosis.title)}\n`);
  expect(text).toMatch(/would help {2}.*--set vllm\.gpu-memory-utilization=0\.87\n {2}would help {2}.*nvidia-smi\n {2}would help {2}/);
  const over = { ...waiting, state: 'ready' as const, restarts: { sinceStable: 0, lastHour: 0, total: 2 } };
  expect(renderDetail(over, palette)).not.toContain('would help');
});

test('the document has the last exit with its diagnosis as a document', () => {
  const told = {
    kind: 'Diagnosis',
    version: 1,
    cause: 'cuda_oom_runtime',
    title: toText(diagnosis.title),
    permanent: false,
    phase: 'serving',
  };
  expect(toDeploymentDocument(waiting)).toMatchObject({
    lastExit: {
      reason: 'engine_dead_runtime',
      diagnosis: { ...told, remedies: [{ text: expect.any(String), set: expect.anything() }, {}, {}] },
    },
  });
  expect(toDeploymentDocument(tiny)).toEqual(tiny);
});

test('columns stay aligned with wide characters', () => {
  const lines = renderStatusTable(
    [
      { ...tiny, name: '通义' },
      { ...tiny, name: 'abcdef' },
    ],
    palette,
  ).split('\n');
  expect(lines[1]).toMatch(/^通义 {4}ready/);
  expect(lines[2]).toMatch(/^abcdef {2}ready/);
});

test('the details in every state', async () => {
  const starting: Deployment = { ...waiting, name: 'starting', state: 'starting', phase: 'loading' };
  const all = [tiny, demo, orphan, waiting, starting, { ...gone, configDrift: true }];
  await expect(all.map((one) => renderDetail(one, palette)).join('\n')).toMatchFileSnapshot('../golden/views/status-detail.txt');
});

test.each<[Deployment['startsIn'], string]>([
  [{ elapsedSeconds: 12 }, 'downloading the weights · 12 s'],
  [{ elapsedSeconds: 12, usuallySeconds: 41 }, 'downloading the weights · 12 s of usually 41 s'],
  [
    { elapsedSeconds: 90, usuallySeconds: 200, downloadedBytes: 2 ** 30, totalBytes: 8 * 2 ** 30 },
    'downloading the weights · 1m 30s of usually 3m 20s · 1.0 GiB of 8.0 GiB',
  ],
  [{ elapsedSeconds: 90, downloadedBytes: 2 ** 20 }, 'downloading the weights · 1m 30s · 1.0 MiB'],
])('how far a start is: %j', (startsIn, text) => {
  const starting: Deployment = { ...waiting, state: 'starting', phase: 'downloading', ...(startsIn ? { startsIn } : {}) };
  expect(renderDetail(starting, palette)).toMatch(new RegExp(`phase +${text}\n`));
});

test('one that is frozen says so, why, and what goes on from there', () => {
  const frozen: Deployment = {
    ...tiny,
    frozen: { invariant: 'I1', detail: 'ready → preflight by health', at: '2026-01-01T00:00:00.000Z' },
  };
  expect(renderStatusTable([frozen], palette)).toContain('ready (frozen)');
  const shown = renderDetail(frozen, palette);
  expect(shown).toContain('(I1: ready → preflight by health)');
  expect(shown).toContain('qwen-deploy restart tiny goes on');
});

describe('the last word of up', () => {
  test.each([
    ['plain', tiny, 'tiny ready http://127.0.0.1:8000/v1\n'],
    ['plain', demo, 'demo ready http://127.0.0.1:8100/v1 (simulated)\n'],
    ['quiet', tiny, 'http://127.0.0.1:8000/v1\n'],
    ['tty', tiny, '  endpoint    http://127.0.0.1:8000/v1      try   qwen-deploy ask "Hello"\n'],
    ['tty', waiting, 'waiting backoff http://127.0.0.1:8000/v1\n'],
    ['tty', gone, 'gone is down\n'],
    ['quiet', gone, ''],
  ] as const)('%s', (mode, deployment, text) => {
    expect(renderServed(deployment, createScreen(mode).screen)).toBe(text);
  });
});

test('where there are several, the invitation names the one it means', () => {
  const text = renderServed({ ...tiny, name: 'chat' }, createScreen('tty').screen, { alone: false });
  expect(text).toBe('  endpoint    http://127.0.0.1:8000/v1      try   qwen-deploy ask chat "Hello"\n');
});

test('in a narrow terminal the invitation has a line of its own', () => {
  const { screen } = createScreen('tty', { terminal: { columns: 60, rows: 24 } });
  expect(renderServed(tiny, screen)).toBe('  endpoint    http://127.0.0.1:8000/v1\n  try         qwen-deploy ask "Hello"\n');
});

test('the last word of down', () => {
  const { screen } = createScreen('plain');
  expect(renderDown([gone, { ...demo, state: 'stopped', desired: 'down' }], screen)).toBe('gone is down\ndemo is down (simulated)\n');
  expect(renderDown([gone], createScreen('quiet').screen)).toBe('');
});

test('every text about a simulated deployment says so', () => {
  for (const mode of ['plain', 'tty'] as const) expect(renderServed(demo, createScreen(mode).screen)).toContain('simulated');
  expect(renderDetail(demo, palette)).toContain('simulated');
  expect(renderStatusTable([demo], palette)).toContain('simulated');
});

test('colors are escape codes only where they were chosen', () => {
  const colored = createScreen('tty', { colors: true }).screen.palette;
  expect(renderDetail(tiny, colored)).toContain('\u001b[');
  expect(renderDetail(tiny, palette)).not.toContain('\u001b');
});
