import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type DeploymentPaths, ensureDeploymentPaths } from '../../src/control/directory.ts';
import { readHistories } from '../../src/operate/history.ts';
import { readStatus } from '../../src/operate/status.ts';
import { HistoryFile } from '../../src/supervisor/history/file.ts';
import { levels, type Sample } from '../../src/supervisor/history/history.ts';
import type { State } from '../../src/supervisor/state.ts';
import { writeState } from '../../src/supervisor/store.ts';
import { makeRecord, makeState } from '../supervisor/make.ts';
import { createTestContext, type TestContext } from './context.ts';

const mib = 2 ** 20;
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
let home: string;
let context: TestContext;
let paths: DeploymentPaths;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'qd-op-history-'));
  context = createTestContext(home);
  paths = await ensureDeploymentPaths(context.places, 'tiny');
});
afterEach(() => rm(home, { recursive: true, force: true }));

const keep = (changes: Partial<State>) => writeState(paths.state, makeState({ desired: 'up', ...changes }));
const agoIso = (ms: number) => new Date(Date.now() - ms).toISOString();

/** Minutes of a run until `endedMs` ago. */
async function write(minutes: number, rss: (hours: number) => number, endedMs = 0): Promise<void> {
  const { file } = await HistoryFile.open(paths.directory, levels[1], 0);
  const startMs = Date.now() - endedMs - minutes * minuteMs;
  for (let index = 0; index < minutes; index += 1) {
    const sample: Sample = { atMs: startMs + index * minuteMs, run: 1, values: { rssBytes: rss(index / 60) * mib } };
    await file.append(sample);
  }
}

const read = async (sinceMs = hourMs) => (await readHistories('tiny', sinceMs, context))[0];

describe('no samples', () => {
  it('of what has not served yet', async () => {
    await keep({ life: 'starting' });
    expect(await read()).toMatchObject({ samples: [], summary: {}, why: { id: 'history.none-yet' } });
  });

  it('of what has just begun to', async () => {
    await keep({ life: 'ready', readyAt: agoIso(1000) });
    expect(await read()).toMatchObject({ why: { id: 'history.none-written' } });
  });

  it('of the time that was asked for: the newest one is named', async () => {
    await keep({ life: 'stopped', readyAt: agoIso(9 * hourMs) });
    await write(20, () => 1000, 3 * hourMs);
    expect(await read()).toMatchObject({ why: { id: 'history.none-since', params: { name: 'tiny', span: '1h' } } });
    expect((await read(24 * hourMs))?.samples).toHaveLength(20);
    expect((await read(24 * hourMs))?.summary.rssBytes).toEqual({ min: 1000 * mib, median: 1000 * mib, max: 1000 * mib });
  });

  it('of what nobody knows', async () => {
    await expect(readHistories('other', hourMs, context)).rejects.toMatchObject({ code: 'deployment/unknown' });
  });
});

describe('memory that grows', () => {
  const leaking = (hours: number) => 1000 + 100 * hours;
  const serving = (changes: Partial<State> = {}) =>
    keep({ life: 'ready', run: 1, launch: makeRecord(1), readyAt: agoIso(6 * hourMs), ...changes });

  it('is a finding of the status, and in the history', async () => {
    await serving();
    await write(250, leaking);
    const leak = { id: 'life.memory-grows', params: expect.objectContaining({ rate: '100 MiB' }) };
    expect((await readStatus('tiny', context)).findings).toEqual([
      { code: 'engine/memory-grows', severity: 'warning', message: leak, hint: { id: 'history.leak-hint', params: { name: 'tiny' } } },
    ]);
    expect(await read(24 * hourMs)).toMatchObject({ leak: { run: 1, text: leak, end: { of: 'machine' } } });
  });

  it.each<readonly [string, Partial<State>, number]>([
    ['of an earlier launch', { run: 2 }, 0],
    ['that was hours ago', {}, 2 * hourMs],
    ['of what does not serve any more', { life: 'failed' }, 0],
    ['of what became ready just now', { readyAt: agoIso(hourMs) }, 0],
  ])('is none %s', async (_, changes, endedMs) => {
    await serving(changes);
    await write(250, leaking, endedMs);
    expect(await readStatus('tiny', context)).not.toHaveProperty('findings');
  });
});
