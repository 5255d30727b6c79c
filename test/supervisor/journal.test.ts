import { appendFile, mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DeploymentEvent, LifeEvent } from '../../src/core/event.ts';
import { parseEvent } from '../../src/supervisor/event-line.ts';
import { Journal } from '../../src/supervisor/journal.ts';

let directory: string;
let path: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'qd-journal-'));
  path = join(directory, 'events.ndjson');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const about = { at: '2026-01-01T00:00:00.000Z', deployment: 'tiny', run: 1 };
const stopped: LifeEvent = { type: 'stopped' };

async function write(journal: Journal, count: number, event: LifeEvent = stopped): Promise<void> {
  for (let n = 0; n < count; n += 1) journal.append(event, about);
  await journal.flush();
}

async function seqs(file = path): Promise<(number | undefined)[]> {
  return (await readFile(file, 'utf8'))
    .split('\n')
    .filter(Boolean)
    .map((line) => parseEvent(line)?.seq);
}

describe('the journal', () => {
  it('numbers events from 1, one line each, readable by nobody else', async () => {
    const journal = await Journal.open(path);
    expect(journal.last).toBe(0);
    await write(journal, 3);
    expect(await seqs()).toEqual([1, 2, 3]);
    expect(JSON.parse((await readFile(path, 'utf8')).split('\n')[0] ?? '')).toEqual({
      kind: 'Event',
      version: 1,
      seq: 1,
      ...about,
      type: 'stopped',
    });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it('goes on counting when it is opened again', async () => {
    await write(await Journal.open(path), 3);
    await write(await Journal.open(path), 2);
    expect(await seqs()).toEqual([1, 2, 3, 4, 5]);
  });

  it('F11 loses no event to a line that a crash has cut', async () => {
    await write(await Journal.open(path), 2);
    await appendFile(path, '{"kind":"Event","version":1,"seq":3,"at":"20');
    await write(await Journal.open(path), 2);
    expect(await seqs()).toEqual([1, 2, undefined, 3, 4]);
  });

  it('goes on counting over a rotation, right after it too', async () => {
    const journal = await Journal.open(path);
    await write(journal, 1);
    await appendFile(path, `${' '.repeat(5 * 2 ** 20)}\n`);
    await write(journal, 1);
    expect(await seqs(`${path}.1`)).toEqual([1, undefined, 2]);
    expect((await Journal.open(path)).last).toBe(2);
    await write(journal, 1);
    expect(await seqs()).toEqual([3]);
  });

  it('keeps two older files at most', async () => {
    const journal = await Journal.open(path);
    for (let n = 0; n < 4; n += 1) {
      await appendFile(path, `${' '.repeat(5 * 2 ** 20)}\n`);
      await write(journal, 1);
    }
    expect(await seqs(`${path}.1`)).toEqual([undefined, 4]);
    expect(await seqs(`${path}.2`)).toEqual([undefined, 3]);
    await expect(stat(`${path}.3`)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('writes later what could not be written when it happened', async () => {
    const file = join(directory, 'not/there/yet.ndjson');
    const journal = await Journal.open(file);
    await write(journal, 2);
    await mkdir(join(directory, 'not/there'), { recursive: true });
    await write(journal, 1);
    expect(await seqs(file)).toEqual([1, 2, 3]);
  });
});

describe('a follower', () => {
  it('gets what came after its number, then what comes, until it leaves', async () => {
    const journal = await Journal.open(path);
    await write(journal, 3);
    const seen: DeploymentEvent[] = [];
    const leave = journal.follow(1, (event) => seen.push(event));
    await write(journal, 1);
    leave();
    await write(journal, 1);
    expect(seen.map(({ seq }) => seq)).toEqual([2, 3, 4]);
  });

  it('that fails takes nobody with it', async () => {
    const journal = await Journal.open(path);
    const seen: number[] = [];
    journal.follow(0, () => {
      throw new Error('a broken view');
    });
    journal.follow(0, ({ seq }) => seen.push(seq));
    await write(journal, 2);
    expect(seen).toEqual([1, 2]);
    expect(await seqs()).toEqual([1, 2]);
  });
});

it.each(['', '{', 'null', '[]', '{"seq":1}', '"text"'])('parseEvent takes %j for no event', (line) => {
  expect(parseEvent(line)).toBeUndefined();
});
