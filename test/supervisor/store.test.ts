import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { say } from '../../src/core/message.ts';
import { parseEvent } from '../../src/supervisor/event-line.ts';
import type { State } from '../../src/supervisor/state.ts';
import { readState, setAsideState, writeState } from '../../src/supervisor/store.ts';
import { makeState } from './make.ts';

let directory: string;
let path: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'qd-store-'));
  path = join(directory, 'state.json');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const [first, second] = [makeState({ run: 1 }), makeState({ run: 2, life: 'ready' })];

describe('the state file', () => {
  it('gives back what was written, and keeps the copy before', async () => {
    expect(await readState(path, 'tiny')).toBeUndefined();
    await writeState(path, first);
    await writeState(path, second);
    expect(await readState(path, 'tiny')).toEqual(second);
    expect(await readState(`${path}.prev`, 'tiny')).toEqual(first);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await readdir(directory)).sort()).toEqual(['state.json', 'state.json.prev']);
  });

  it('has a copy before that does not change with it', async () => {
    await writeState(path, first);
    await writeState(path, second);
    await writeFile(path, 'rotten');
    expect(await readState(path, 'tiny')).toEqual(first);
  });

  it.each([
    ['cut', (text: string) => text.slice(0, -20)],
    ['empty', () => ''],
    ['changed in one character', (text: string) => text.replace('"run":2', '"run":3')],
    ['without its checksum', (text: string) => text.replace(/"checksum":"[^"]*",/, '')],
  ])('F3 F4 F5 that is %s gives the copy before', async (_, spoil) => {
    await writeState(path, first);
    await writeState(path, second);
    await writeFile(path, spoil(await readFile(path, 'utf8')));
    expect(await readState(path, 'tiny')).toEqual(first);
  });

  it('of a version that called the cause a diagnosis and the diagnosis a report is read, and written anew', async () => {
    const report = {
      cause: 'kv_cache_too_small',
      title: say('cause.kv_cache_too_small'),
      permanent: true,
      confidence: 'sure',
      evidence: [],
    };
    const old = { cause: 'exit', at: '', code: 1, diagnosis: 'kv_cache_too_small', report };
    const unnamed = { cause: 'preflight', at: '', diagnosis: 'host/gpu-gone' };
    const ending = { is: 'failure', exit: old, permanent: true };
    const older = { ...first, schema: 1, lastExit: old, ending, falling: { step: 'x', cause: 'y', refused: [], exit: unnamed } };
    await writeState(path, older as unknown as State);
    const state = await readState(path, 'tiny');
    const exit = { cause: 'exit', at: '', code: 1, reason: 'kv_cache_too_small', diagnosis: report };
    const falling = { step: 'x', cause: 'y', refused: [], exit: { cause: 'preflight', at: '', reason: 'host/gpu-gone' } };
    expect(state).toEqual({ ...first, lastExit: exit, ending: { is: 'failure', exit, permanent: true }, falling });
    const line = JSON.stringify({ seq: 1, at: '', deployment: 'tiny', run: 1, type: 'failed', exit: old });
    expect(parseEvent(line)).toMatchObject({ exit });
  });

  it('that is missing gives the copy before', async () => {
    await writeState(path, first);
    await writeState(path, second);
    await rm(path);
    expect(await readState(path, 'tiny')).toEqual(first);
  });

  it('F4 that is damaged with its copy is an error that says where it is', async () => {
    await writeState(path, first);
    await writeFile(path, 'no');
    await writeFile(`${path}.prev`, 'no');
    await expect(readState(path, 'tiny')).rejects.toMatchObject({ code: 'state/corrupt', params: { name: 'tiny', kept: path } });
  });

  it('E7 of a newer schema is refused, whatever the copy before says', async () => {
    await writeState(path, first);
    await writeState(path, { ...second, schema: 99 as never });
    await expect(readState(path, 'tiny')).rejects.toMatchObject({ code: 'state/newer', params: { found: 99 } });
  });

  it('that is set aside is kept, and no longer in the way', async () => {
    await writeState(path, first);
    await writeFile(path, 'no');
    await writeFile(`${path}.prev`, 'no');
    const kept = await setAsideState(path, 1234);
    expect(await readFile(kept, 'utf8')).toBe('no');
    expect(await readState(path, 'tiny')).toBeUndefined();
  });
});
