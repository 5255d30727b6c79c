import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type DeploymentPaths, ensureDeploymentPaths } from '../../src/control/directory.ts';
import { type ControlServer, startControlServer } from '../../src/control/server.ts';
import type { LifeEvent } from '../../src/core/event.ts';
import { followUntil } from '../../src/operate/follow.ts';
import { Journal } from '../../src/supervisor/journal.ts';
import { Supervisor } from '../../src/supervisor/supervisor.ts';
import { makeState } from '../supervisor/make.ts';
import { createTestContext, type TestContext } from './context.ts';

let home: string;
let context: TestContext;
let interrupt: AbortController;
let paths: DeploymentPaths;
let journal: Journal;
let server: ControlServer;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'qd-follow-'));
  interrupt = new AbortController();
  context = createTestContext(home, { signal: interrupt.signal });
  paths = await ensureDeploymentPaths(context.places, 'tiny');
  journal = await Journal.open(paths.events);
  const files = { logFile: '', exitFile: '', tmpDir: '' };
  const runtimeOf = () => {
    throw new Error('nothing is launched here');
  };
  const parts = { stateFile: paths.state, crashDirectory: paths.crashes, journal, runtimeOf, filesOf: () => files };
  const supervisor = new Supervisor({ state: makeState(), ...parts });
  server = await startControlServer({ socket: paths.socket, supervisor, journal });
});
afterEach(async () => {
  await server.close();
  await journal.flush();
  await rm(home, { recursive: true, force: true, maxRetries: 5 });
});

const happen = (...events: LifeEvent[]) => {
  for (const event of events) journal.append(event, { at: '', deployment: 'tiny', run: 1 });
};
const follow = (until: 'ready' | 'stopped', more: { timeoutMs?: number; after?: number } = {}) =>
  followUntil({ address: { name: 'tiny', socket: paths.socket }, after: 0, timeoutMs: undefined, until, ...more }, context);

const exit = { cause: 'exit', at: '', code: 1, line: 'ValueError: no' };
const requested = (desired: 'up' | 'down', by: 'up' | 'down' | 'restart'): LifeEvent => ({ type: 'requested', desired, by });

it.each<[string, 'ready' | 'stopped', LifeEvent[], object]>([
  ['ready', 'ready', [{ type: 'ready', elapsedMs: 1, servedNames: [] }], { is: 'ready' }],
  [
    'ready after a rollback',
    'ready',
    [
      { type: 'rolling-back', reason: 'r' },
      { type: 'ready', elapsedMs: 1, servedNames: [] },
    ],
    { is: 'rolled-back' },
  ],
  ['failed', 'ready', [{ type: 'failed', exit }], { is: 'failed', error: { code: 'engine/failed', exitStatus: 5 } }],
  [
    'failed for want of shared memory',
    'ready',
    [{ type: 'failed', exit: { ...exit, reason: 'shm_too_small' } }],
    { is: 'failed', error: { code: 'engine/shared-memory', exitStatus: 5 } },
  ],
  [
    'failed at its compile cache',
    'ready',
    [{ type: 'failed', exit: { ...exit, phase: 'compiling', line: '_pickle.UnpicklingError: pickle data was truncated' } }],
    { is: 'failed', error: { code: 'engine/compile-cache', exitStatus: 5 } },
  ],
  [
    'failed at weights that are pickles',
    'ready',
    [{ type: 'failed', exit: { ...exit, phase: 'loading', line: '_pickle.UnpicklingError: pickle data was truncated' } }],
    { is: 'failed', error: { code: 'engine/failed' } },
  ],
  [
    'failed at the gate',
    'ready',
    [{ type: 'failed', exit: { ...exit, cause: 'gate' } }],
    { is: 'failed', error: { code: 'engine/never-ready' } },
  ],
  [
    'a crash loop',
    'ready',
    [{ type: 'crashloop', attempt: 6, delayMs: 1, nextStartAt: '' }],
    { is: 'failed', error: { code: 'engine/never-ready' } },
  ],
  [
    'a start that stood still',
    'ready',
    [{ type: 'failed', exit: { ...exit, cause: 'start-stall' } }],
    { is: 'failed', error: { code: 'engine/start-stalled', exitStatus: 5, params: { line: 'ValueError: no' } } },
  ],
  [
    'a crash loop of downloads that stand still',
    'ready',
    [
      { type: 'launching', backend: 'process' },
      { type: 'unhealthy', cause: 'download-stall', forMs: 1 },
      { type: 'crashloop', attempt: 6, delayMs: 1, nextStartAt: '' },
    ],
    { is: 'failed', error: { code: 'engine/download-stalled', exitStatus: 5, params: { line: '6 starts failed' } } },
  ],
  [
    'a crash loop whose last start failed otherwise',
    'ready',
    [
      { type: 'unhealthy', cause: 'start-stall', forMs: 1 },
      { type: 'launching', backend: 'process' },
      { type: 'crashloop', attempt: 6, delayMs: 1, nextStartAt: '' },
    ],
    { is: 'failed', error: { code: 'engine/never-ready' } },
  ],
  ['stopped by somebody else', 'ready', [requested('down', 'down'), { type: 'stopped' }], { is: 'stopped' }],
  ['stopped', 'stopped', [requested('down', 'down'), { type: 'stopped' }], { is: 'stopped' }],
  [
    'survivors',
    'stopped',
    [{ type: 'unkillable', survivors: [{ pid: 7, command: 'x' }] }],
    { is: 'failed', error: { code: 'runtime/unkillable', exitStatus: 9 } },
  ],
  [
    'wanted up again by somebody else',
    'stopped',
    [requested('down', 'down'), requested('up', 'restart')],
    { is: 'failed', error: { code: 'down/overtaken', exitStatus: 7 } },
  ],
])('%s', async (_, until, events, outcome) => {
  happen(...events);
  expect(await follow(until)).toMatchObject(outcome);
  expect(context.said).toHaveLength(events.length);
});

it('reads what a supervisor that has ended meanwhile wrote down', async () => {
  happen(requested('down', 'down'), { type: 'stopped' });
  await journal.flush();
  await server.close();
  expect(await follow('stopped')).toEqual({ is: 'stopped' });
  // Not of the time before the command.
  await expect(follow('stopped', { after: 2 })).rejects.toMatchObject({ code: 'supervisor/gone', exitStatus: 4 });
});

it('goes on in the file where the stream broke, each event once', async () => {
  happen(requested('down', 'down'));
  const following = follow('stopped');
  await expect.poll(() => context.said.length).toBe(1);
  await journal.flush();
  await appendFile(paths.events, `${JSON.stringify({ seq: 2, at: '', deployment: 'tiny', run: 1, type: 'stopped' })}\n`);
  await server.close();
  expect(await following).toEqual({ is: 'stopped' });
  expect(context.said).toHaveLength(2);
});

it('takes its time limit seriously, however long', async () => {
  expect(await follow('ready', { timeoutMs: 50 })).toEqual({ is: 'timed-out' });
  const following = follow('ready', { timeoutMs: 60 * 24 * 3_600_000 });
  setTimeout(() => happen({ type: 'ready', elapsedMs: 1, servedNames: [] }), 50);
  expect(await following).toEqual({ is: 'ready' });
});

it('ends with Ctrl-C', async () => {
  const following = follow('ready');
  setTimeout(() => interrupt.abort(), 30);
  expect(await following).toEqual({ is: 'interrupted' });
});
